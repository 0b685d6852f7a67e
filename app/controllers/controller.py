"""What the reconciler expects of a controller."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from app.domain.errors import RetryError
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.writes import LeaseGuard

SEEN_SECONDS = 2.0
"""So long after a change every process has seen it: its mirror asks for news once a second at least."""

_ENTRIES_IN_A_ROW = 2_000

KeyT = TypeVar("KeyT", bound=Hashable)

ObjectKey = tuple[str, str]
"""Namespace and name of an object; ("", name) for a cluster-scoped one."""


class Controller(ABC, Generic[KeyT]):
    """One concern, worked on by one process at a time: the owner of its lease.

    In every process the loop calls `learn` and from then on `observe` with each batch of changes of its `kinds`. In the
    owner it also calls `take_over`, then `reconcile` with every key at least once and with each key that `keys_of`
    names, and at the end `let_go`. A lost hint is harmless: `reconcile` looks at stored state, and a full pass comes
    with every `take_over` and every `resync` seconds.

    What a key stands for is the controller's own business; the loop only compares keys.

    Attributes:
        name: Names its metrics and, unless it is a target's, its lease.
        kinds: Keys of the kinds whose changes concern it; None for all. Nothing is asked of it at a change of another.
        resync: Seconds between full passes.
        channels: Notification channels that wake it, beside the changes; none unless it says so.
        condition: The type of a condition that is True on an object when the work on it is done. The loop makes it
            False with the reason while a key fails, and True again when it succeeds; "" for Events alone.
    """

    name: str
    kinds: Collection[str] | None = None
    resync: float
    channels: Sequence[str] = ()
    condition: str = ""

    async def learn(self) -> None:
        """Build what `observe` keeps current. Changes that come meanwhile are observed, too.

        Called before the process asks for the lease, and again after changes were missed.

        Raises:
            ApiError: The database cannot be reached; nothing is known.
        """

    def observe(self, changes: Sequence[Change]) -> None:
        """Bring what the controller remembers up to date. Called in every process, owner or not; must be quick."""

    async def take_over(self) -> None:
        """Get ready to work: this process is the owner now. The mirror is current, and changes are observed.

        Raises:
            ApiError: The database cannot be reached; another process may try.
        """

    async def let_go(self) -> None:
        """Drop what only an owner needs. Called at the end of each ownership, also when the lease was lost."""

    @abstractmethod
    def keys_of(self, changes: Sequence[Change]) -> Iterable[KeyT]:
        """The keys that these changes concern. Called only in the owner, after `observe`; it remembers nothing."""

    def hinted(self, channel: str, message: str) -> Iterable[KeyT]:
        """The keys that a notification on one of `channels` concerns. Called only in the owner."""
        del channel, message
        return ()

    @abstractmethod
    def all_keys(self) -> Iterable[KeyT]:
        """Every key there may be work for, for a full pass."""

    def object_of(self, key: KeyT) -> Entry | None:
        """The object on which it is shown that a key fails; None when there is none."""
        del key
        return None

    @abstractmethod
    async def reconcile(self, keys: Sequence[KeyT], lease: LeaseGuard) -> Mapping[KeyT, RetryError]:
        """Bring what the keys name to where it should be; answers those that have to be tried again, and why.

        It is cancelled when the lease is lost.
        """


class Periodic(Controller[str]):
    """A concern that follows the clock, not the changes: every `resync` seconds, and with one key, its name."""

    kinds = ()

    def keys_of(self, changes: Sequence[Change]) -> Iterable[str]:
        """None."""
        del changes
        return ()

    def all_keys(self) -> Iterable[str]:
        """The one key."""
        return [self.name]


class Targets(ABC):
    """A concern that is divided among targets, such as zones or load balancers, which come and go at run time.

    Each target has a controller of its own, and with it a lease, a queue and a worker, so that a slow target holds up
    no other one.

    Attributes:
        kinds: Keys of the kinds whose changes may bring or take targets.
    """

    kinds: Collection[str]

    @abstractmethod
    def names(self) -> Collection[str]:
        """The targets that there are now. Asked in every process after each batch of changes of `kinds`; must be quick.

        A target's name is that of its lease, such as `zone:example.org`.
        """

    @abstractmethod
    def controller(self, target: str) -> Controller[Any]:
        """A new controller for a target that has appeared. It is let go, and dropped, when the target disappears."""


async def stored_entries(mirror: Mirror, kinds: Iterable[str]) -> AsyncIterator[Entry]:
    """All objects of some kinds, for `learn` and `take_over`; the event loop gets its turn in between.

    An object that changes meanwhile is left out once it has: its change has been observed.
    """
    entries = [entry for kind in kinds for entry in mirror.list(kind, None)]
    for number, entry in enumerate(entries):
        if number % _ENTRIES_IN_A_ROW == 0:
            await asyncio.sleep(0)
        if mirror.by_uid(entry.uid) is entry:
            yield entry
