"""The objects in memory: one copy a process, kept up to date from the log and read without a query."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import structlog

from app.domain.errors import ApiError, Expired, ServiceUnavailable
from app.mirror.archive import Archive
from app.mirror.entry import Change, Entry, NamespacedName, entry_from_row, type_of
from app.mirror.follower import Follower
from app.mirror.history import History, expired
from app.mirror.objects import Listing, Objects
from app.mirror.subscribers import Changed, Reloaded, Subscribers
from app.mirror.waiters import Waiters
from app.mirror.watcher import IdleWatchers, Watcher
from app.store.notifications import CHANGES, Notifications
from app.store.reader import Reader
from app.store.rows import ChangeRow
from app.telemetry.metrics import MIRROR_OBJECTS, MIRROR_RELOADS, MIRROR_REVISION

_CHANGES_AT_ONCE = 1000
"""Changes that a fetch takes at a time, so that applying them never holds the event loop for long."""

_log = structlog.stdlib.get_logger(__name__)


class Mirror:
    """All objects as of `revision`, current when `fresh` returns, with enough of the past for watches.

    Attributes:
        revision: The newest revision in it.
    """

    def __init__(
        self,
        reader: Reader,
        notifications: Notifications,
        *,
        history: int = 50_000,
        history_bytes: int = 64 * 2**20,
        patience: float = 3.0,
        gathering: float = 0.0,
        kinds: Iterable[str] | None = None,
    ) -> None:
        """Prepare; nothing is read before `start`.

        Args:
            reader: Reads the log.
            notifications: Hints that there is something to read.
            history: How many past changes are kept at most.
            history_bytes: How many bytes they may hold at most.
            patience: Seconds that `fresh` waits for a database that does not answer.
            gathering: Seconds that changes may wait under load to be fetched with others, unless `fresh` asks for them
                or a request waits for one.
            kinds: Keys of the kinds whose objects are kept; None for all. Of others nothing is known here.
        """
        self._kinds = None if kinds is None else frozenset(kinds)
        self.revision = 0
        self._told = 0
        self._reader = reader
        self._notifications = notifications
        self._bounds = (history, history_bytes)
        self._patience = patience
        self._gathering = gathering
        self._objects = Objects()
        self._history = History(0, *self._bounds)
        self._idle = IdleWatchers()
        self._waiters = Waiters()
        self._archive = Archive(reader, self._fetch_compacted)
        self._reaching = asyncio.Lock()
        self._subscribers = Subscribers()
        self._compacted = 0
        self._loaded = False
        self._follower: Follower | None = None

    def __len__(self) -> int:
        return len(self._objects)

    @property
    def ready(self) -> bool:
        """Whether everything is loaded and the last fetch succeeded."""
        follower = self._follower
        return self._loaded and follower is not None and follower.started.is_set() and not follower.failing

    async def start(self) -> None:
        """Load everything and follow the log from then on. Returns when all is loaded, however long that takes."""
        self._follower = Follower(self._catch_up, lambda: self._told > self.revision, self._patience, self._gathering)
        self._notifications.subscribe(CHANGES, self._hinted)
        self._follower.wake()
        await self._follower.started.wait()

    async def close(self) -> None:
        """Stop following, and end every watch."""
        follower, self._follower = self._follower, None
        if follower is not None:
            self._notifications.unsubscribe(CHANGES, self._hinted)
            await follower.close()
        self._end_watches(partial(ServiceUnavailable, "this process is stopping: watch again", retry_after=1))

    async def fresh(self) -> int:
        """Bring the mirror up to date; answers the revision reached.

        One query serves all that wait for it, and never one that was sent before the call.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        if self._follower is None:
            raise ServiceUnavailable("this process is starting or stopping", retry_after=1)
        await self._follower.fresh()
        return self.revision

    async def at_least(self, revision: int, timeout: float) -> bool:  # noqa: ASYNC109 - running out is an answer
        """Wait until the mirror reaches `revision`; False if `timeout` seconds pass first, as for one in the future.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        if self.revision < revision:
            await self.fresh()
        if self.revision < revision:
            await self._waiters.revision_reached(revision, timeout)
        return self.revision >= revision

    async def wait_for(self, uid: str, timeout: float, after: int = 0) -> Entry | None:  # noqa: ASYNC109 - None is an answer
        """Wait for a state of an object newer than `after`; with 0, until it is published.

        Returns:
            The first such state seen here; None when the object is deleted or `timeout` seconds pass first.
        """
        entry = self._objects.by_uid(uid)
        if entry is not None and entry.revision > after:
            return entry
        if self._follower is not None and self._told > self.revision:
            # What it waits for may be there, and be left to be fetched with others.
            self._follower.hint(awaited=True)
        return await self._waiters.next_state(uid, after, timeout)

    def get(self, kind: str, namespace: str, name: str) -> Entry | None:
        """One object, or None."""
        return self._objects.get(kind, namespace, name)

    def by_uid(self, uid: str) -> Entry | None:
        """The object with this uid, or None."""
        return self._objects.by_uid(uid)

    def list(self, kind: str, namespace: str | None) -> Sequence[Entry]:
        """All objects of a kind in order of namespace and name; `namespace` None for all."""
        return self._objects.slice(kind, namespace).entries

    def list_at(
        self, kind: str, namespace: str | None, revision: int, after: NamespacedName | None = None
    ) -> Sequence[Entry]:
        """All objects as they were at a revision that follow the object `after`.

        Raises:
            Expired: The revision has left the history.
        """
        return self.page_at(kind, namespace, revision, after, None).entries

    def page_at(
        self, kind: str, namespace: str | None, revision: int, after: NamespacedName | None, limit: int | None
    ) -> Listing:
        """A page of the objects as they were at a revision.

        Args:
            kind: Kind key.
            namespace: None for all.
            revision: At most `self.revision`.
            after: The last object of the page before, None for the first page.
            limit: How many objects at most, None for all.

        Raises:
            Expired: The revision has left the history, or has not come yet.
        """
        return self._objects.slice(kind, namespace, after, limit, self._since(kind, revision))

    def get_at(self, kind: str, namespace: str, name: str, revision: int) -> Entry | None:
        """One object as it was at a revision, or None.

        Raises:
            Expired: The revision has left the history, or has not come yet.
        """
        for change in self._since(kind, revision):
            if (change.entry.namespace, change.entry.name) == (namespace, name):
                return change.previous
        return self._objects.get(kind, namespace, name)

    def _since(self, kind: str, revision: int) -> Sequence[Change]:
        """The changes of a kind after a revision, the oldest first."""
        if revision > self.revision:
            raise expired(revision, self.revision)
        changes = self._history.of(kind)
        return changes.since(changes.position_after(revision))

    async def reach_back(self, kind: str, revision: int) -> None:
        """Extend the history of a kind back to a revision, so that its objects can be listed as they were then.

        Raises:
            Expired: The log no longer has all changes since then, or they do not fit in the history.
            ServiceUnavailable: The database cannot be reached.
        """
        async with self._reaching:
            while revision < (floor := self._history.of(kind).floor):
                history = self._history
                changes = await self._archive.whole(kind, revision, floor, history.free)
                if history is self._history and history.of(kind).floor == floor:
                    history.reach_back(kind, changes, revision)

    def watch(self, kind: str, namespace: str | None, after: int) -> Watcher:
        """Follow the changes of a kind after a revision, `namespace` None for all.

        Raises:
            Expired: The log no longer reaches back to `after`.
            ValueError: `after` is beyond `self.revision`; see `at_least`.
        """
        if after > self.revision:
            raise ValueError(f"revision {after} has not come yet, only {self.revision}")
        if after < self._compacted:
            raise expired(after, self._compacted)
        return Watcher(kind, namespace, after, self._history, self._idle, self._archive)

    def subscribe(self, changed: Changed, reloaded: Reloaded, kinds: Iterable[str] | None = None) -> None:
        """Call back for changes, at once and in order: for indexes and queues in this process.

        Args:
            changed: Gets each batch of changes after it has been applied; must be quick.
            reloaded: Called when everything was loaded anew, so that indexes must be built anew, too.
            kinds: Keys of the kinds whose changes concern the subscriber; None for all. It is not called for a batch
                without any of them.
        """
        self._subscribers.add(changed, reloaded, kinds)

    def unsubscribe(self, changed: Changed) -> None:
        """Call back no more."""
        self._subscribers.remove(changed)

    def _hinted(self, revision: str) -> None:
        """Fetch, because the log has grown, or because a new session of notifications may have missed that."""
        if self._follower is None:
            return
        if revision:
            self._told = max(self._told, int(revision))
            self._follower.hint(awaited=bool(self._waiters))
        else:
            self._follower.wake()

    async def _catch_up(self) -> None:
        """Fetch and apply everything that was committed when this was called."""
        goal = 0
        while True:
            if not self._loaded:
                await self._load()
            tail = await self._reader.tail(self.revision, _CHANGES_AT_ONCE)
            if tail.compacted > self.revision or tail.newest < self.revision:
                # Changes were compacted before they were fetched, or the database was restored to an earlier state.
                _log.warning("mirror reloads", revision=self.revision, compacted=tail.compacted, newest=tail.newest)
                MIRROR_RELOADS.inc()
                self._loaded, self._told = False, 0
                continue
            self._compacted = tail.compacted
            if tail.changes:
                self._apply(tail.changes)
            goal = goal or tail.newest
            if not tail.changes or self.revision >= goal:
                return

    def _apply(self, rows: Sequence[ChangeRow]) -> None:
        """Apply changes; a reader sees all of them or none."""
        kept = [row for row in rows if self._keeps(row.kind)]
        entries = [entry_from_row(row, row.revision) for row in kept]
        changes = [self._step(row, entry) for row, entry in zip(kept, entries, strict=True)]
        starts = {entry.kind: self._history.of(entry.kind).end for entry in entries}
        self._history.extend(changes)
        self.revision = self._history.revision = rows[-1].revision
        self._measure(starts)
        self._idle.wake(changes, starts)
        self._waiters.wake(changes, self.revision)
        self._subscribers.tell(changes)

    def _step(self, row: ChangeRow, entry: Entry) -> Change:
        previous = self._objects.remove(entry) if row.type == "DELETED" else self._objects.put(entry)
        return Change(row.revision, type_of(row), entry, previous, row.trace)

    async def _load(self) -> None:
        """Load everything anew as of one moment; the old objects stay readable meanwhile."""
        objects = Objects()
        async with self._reader.snapshot() as snapshot:
            async for page in snapshot.pages():
                for row in page:
                    if self._keeps(row.kind):
                        objects.put(entry_from_row(row, row.revision or 0))
        self._end_watches(partial(Expired, "too old resource version: the server loaded everything anew: list again"))
        forgotten, self._objects = self._objects, objects
        self._history = History(snapshot.revision, *self._bounds)
        self.revision = snapshot.revision
        _log.debug("mirror loaded", objects=len(objects), revision=self.revision)
        self._loaded = True
        self._measure({*forgotten.kinds, *objects.kinds})
        self._waiters.wake_all(objects, self.revision)
        self._subscribers.tell_reloaded()

    def _keeps(self, kind: str) -> bool:
        return self._kinds is None or kind in self._kinds

    def _measure(self, kinds: Iterable[str]) -> None:
        MIRROR_REVISION.set(self.revision)
        for kind in kinds:
            MIRROR_OBJECTS.labels(kind).set(self._objects.count(kind))

    def _end_watches(self, why: Callable[[], ApiError]) -> None:
        self._history.ended = why
        self._idle.wake_all()

    async def _fetch_compacted(self) -> int:
        await self.fresh()
        return self._compacted
