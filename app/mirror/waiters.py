"""Requests that wait until the mirror has a certain state or revision."""

import asyncio
from collections.abc import Iterable

from app.mirror.entry import Change, Entry
from app.mirror.objects import Objects


class Waiters:
    """Requests that wait for the next state of an object, or for a revision."""

    def __init__(self) -> None:
        self._states: dict[str, list[tuple[int, asyncio.Future[Entry | None]]]] = {}
        self._revisions: list[tuple[int, asyncio.Future[None]]] = []

    def __bool__(self) -> bool:
        return bool(self._states or self._revisions)

    async def next_state(self, uid: str, after: int, timeout: float) -> Entry | None:  # noqa: ASYNC109 - no error here
        """Wait for a state of an object newer than `after`; None if it is deleted or `timeout` seconds pass first."""
        future: asyncio.Future[Entry | None] = asyncio.get_running_loop().create_future()
        expected = self._states.setdefault(uid, [])
        expected.append((after, future))
        try:
            await asyncio.wait((future,), timeout=timeout)
        finally:
            expected.remove((after, future))
            if not expected and self._states.get(uid) is expected:
                del self._states[uid]
        return future.result() if future.done() else None

    async def revision_reached(self, revision: int, timeout: float) -> None:  # noqa: ASYNC109 - as above
        """Wait for a revision, or until `timeout` seconds have passed."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._revisions.append((revision, future))
        try:
            await asyncio.wait((future,), timeout=timeout)
        finally:
            self._revisions.remove((revision, future))

    def wake(self, changes: Iterable[Change], revision: int) -> None:
        """Wake the requests that wait for these changes."""
        if self._states:
            for change in changes:
                self._wake_state(change.entry, deleted=change.type == "DELETED")
        self._wake_revision(revision)

    def wake_all(self, objects: Objects, revision: int) -> None:
        """Wake the requests whose object or revision is there, after everything was loaded anew."""
        for uid in tuple(self._states):
            entry = objects.by_uid(uid)
            if entry is not None:
                self._wake_state(entry)
        self._wake_revision(revision)

    def _wake_state(self, entry: Entry, *, deleted: bool = False) -> None:
        for after, future in self._states.get(entry.uid, ()):
            if entry.revision > after and not future.done():
                future.set_result(None if deleted else entry)

    def _wake_revision(self, revision: int) -> None:
        for expected, future in self._revisions:
            if expected <= revision and not future.done():
                future.set_result(None)
