"""Recent changes: watches read them, and a read at an older revision undoes them."""

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from app.domain.errors import ApiError, Expired
from app.mirror.entry import Change

_REVISION = attrgetter("revision")


def expired(revision: int, oldest: int) -> Expired:
    """The error for changes since `revision` that are no longer kept."""
    return Expired(f"too old resource version: {revision}; the oldest that can be served is {oldest}: list again")


class KindHistory:
    """The recent changes of one kind, in order. A position counts changes, and stays valid while others are dropped.

    Attributes:
        floor: Every change of the kind after this revision is here.
    """

    __slots__ = ("_changes", "_first", "floor")

    def __init__(self, floor: int) -> None:
        self.floor = floor
        self._changes: list[Change] = []
        self._first = 0

    @property
    def end(self) -> int:
        """The position behind the newest change."""
        return self._first + len(self._changes)

    def append(self, change: Change) -> None:
        """Add the newest change."""
        self._changes.append(change)

    def prepend(self, changes: Sequence[Change], floor: int) -> None:
        """Add older changes: all those after the revision `floor` and up to the present floor."""
        self._changes[:0] = changes
        self._first -= len(changes)
        self.floor = floor

    def drop(self, count: int) -> int:
        """Drop the oldest changes; answers how many bytes they held."""
        dropped = self._changes[:count]
        del self._changes[:count]
        self._first += count
        self.floor = dropped[-1].revision
        return sum(change.size for change in dropped)

    def position_after(self, revision: int) -> int:
        """The position of the first change after a revision.

        Raises:
            Expired: Some of them have been dropped.
        """
        if revision < self.floor:
            raise expired(revision, self.floor)
        return self._first + bisect_right(self._changes, revision, key=_REVISION)

    def since(self, position: int) -> list[Change]:
        """The changes from a position on.

        Raises:
            Expired: Some of them have been dropped.
        """
        if position < self._first:
            raise Expired("too slow: the changes that were not read in time have been dropped; list again")
        return self._changes[position - self._first :]


class History:
    """The recent changes of every kind, bounded together by number and by bytes.

    Attributes:
        revision: The newest revision.
        ended: None, or makes the error that says why no more changes will be added.
    """

    def __init__(self, revision: int, limit: int, byte_limit: int) -> None:
        """Start empty.

        Args:
            revision: The revision at which the objects were loaded; the history begins there.
            limit: How many changes to keep at most.
            byte_limit: How many bytes they may hold at most.
        """
        self.revision = revision
        self.ended: Callable[[], ApiError] | None = None
        self._start = revision
        self._limit = limit
        self._byte_limit = byte_limit
        self._kinds: dict[str, KindHistory] = {}
        self._order: deque[KindHistory] = deque()
        self._bytes = 0

    def of(self, kind: str) -> KindHistory:
        """The changes of one kind."""
        history = self._kinds.get(kind)
        if history is None:
            history = self._kinds[kind] = KindHistory(self._start)
        return history

    def extend(self, changes: Iterable[Change]) -> None:
        """Add the newest changes, in order; beyond the bounds drop the oldest of all kinds."""
        for change in changes:
            history = self.of(change.entry.kind)
            history.append(change)
            self.revision = change.revision
            self._order.append(history)
            self._bytes += change.size
        if len(self._order) > self._limit or self._bytes > self._byte_limit:
            self._trim()

    @property
    def free(self) -> int:
        """How many more changes fit."""
        return self._limit - len(self._order)

    def reach_back(self, kind: str, changes: Sequence[Change], floor: int) -> None:
        """Add older changes of a kind: all those after the revision `floor` and up to where its history began.

        They are the first to go again when there are too many.
        """
        history = self.of(kind)
        history.prepend(changes, floor)
        self._order.extendleft([history] * len(changes))
        self._bytes += sum(change.size for change in changes)

    def _trim(self) -> None:
        """Drop an eighth more than necessary, so that dropping costs little for each change."""
        while self._order and (len(self._order) > self._limit * 7 // 8 or self._bytes > self._byte_limit * 7 // 8):
            step = min(len(self._order), max(1, self._limit // 64))
            for history, count in Counter(self._order.popleft() for _ in range(step)).items():
                self._bytes -= history.drop(count)
