"""Writers that note what they are told, to be compared with the log afterwards."""

import asyncio
from typing import Any

from app.domain.errors import ApiError, ServiceUnavailable, Timeout
from app.store.store import Store
from app.store.writes import Committed, Outcome, Write
from tests.store.writing import eventually, service, uid


class Witnesses:
    """Some writers, each of which creates Services and publishes them until it is stopped.

    Attributes:
        told: Each write with its answer.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stopped = asyncio.Event()
        self.told: list[tuple[Write, Outcome | ApiError]] = []

    def stop(self) -> None:
        self._stopped.set()

    async def work(self) -> None:
        """Write until stopped; a failed write is not tried again."""
        while not self._stopped.is_set():
            owner = uid()
            for write in (
                service("create", owner, owner, published=False),
                service("publish", owner, owner),
            ):
                try:
                    outcome: Any = await self._store.writer.write(write)
                except ApiError as error:
                    outcome = error
                    await asyncio.sleep(0.05)
                self.told.append((write, outcome))
                if not isinstance(outcome, Committed):
                    break

    async def more(self, kind: type, number: int, seconds: float = 15) -> None:
        """Wait for more answers of a kind."""

        def count() -> int:
            return sum(isinstance(outcome, kind) for _, outcome in self.told)

        wanted = count() + number
        await eventually(lambda: count() >= wanted, seconds)

    async def compare(self, store: Store | None = None) -> None:
        """The log has each acknowledged Service once, none of which was said that it was not stored, and no other."""
        log = await logged(store or self._store)
        for write, outcome in self.told:
            if write.action == "publish" and isinstance(outcome, Committed):
                assert log.pop(write.uid) == outcome.revision
            elif isinstance(outcome, ServiceUnavailable):
                assert write.uid not in log
            elif isinstance(outcome, Timeout):
                log.pop(write.uid, None)
            else:
                # An unpublished create may be lost with Postgres; then its publication finds nothing.
                assert isinstance(outcome, Committed) or write.action == "publish", outcome
        assert not log


async def logged(store: Store) -> dict[str, int]:
    """Services in the log, each of which is there once, with their revisions."""
    changes = [change for change in (await store.reader.tail(0, 100_000)).changes if change.kind == "services"]
    found = {change.uid: change.revision for change in changes}
    assert len(found) == len(changes)
    return found
