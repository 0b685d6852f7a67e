"""What the reconciler expects of a controller."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from app.domain.errors import RetryError
from app.mirror.entry import Change
from app.store.writes import LeaseGuard

Key = tuple[str, str]
"""Namespace and name of what a controller works on; ("", name) for cluster-scoped things."""


class Controller(ABC):
    """One concern, worked on by one process at a time.

    The loop calls `take_over` when this process has become the owner, then `reconcile` with every key at least once,
    and again with each key that `keys_of` names for a change. Missed hints are harmless: `reconcile` looks at stored
    state, and a full pass comes with every take-over and every `resync` seconds.

    Attributes:
        name: Names its lease, its metrics and its log lines.
        resync: Seconds between full passes.
        channels: Notification channels that it wants to be woken by, beside the changes; none unless it says so.
    """

    name: str
    resync: float
    channels: Sequence[str] = ()

    @abstractmethod
    def keys_of(self, changes: Sequence[Change]) -> Iterable[Key]:
        """The keys that these changes concern. Called in every process, owner or not, so it must be cheap."""

    def hinted(self, channel: str) -> Iterable[Key]:
        """The keys that a notification on one of `channels` concerns."""
        del channel
        return ()

    @abstractmethod
    def all_keys(self) -> Iterable[Key]:
        """Every key there may be work for, for a full pass."""

    async def take_over(self) -> None:  # noqa: B027 - most have nothing to do
        """Get ready: this process owns the concern from here on. What only follows the changes is ready already."""

    @abstractmethod
    async def reconcile(self, keys: Sequence[Key], lease: LeaseGuard) -> Mapping[Key, RetryError]:
        """Bring what the keys name to where it should be; answers those that have to be tried again, and why."""
