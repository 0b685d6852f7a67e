"""What all Envoys of one profile are sent: the resources of every Service, and who wants to know of changes."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from app.mirror.entry import NamespacedName
from app.serving.resources import TYPES, Resource


class Follower(Protocol):
    """Someone that is told of changes."""

    def changed(self, type_url: str, name: str, revision: int) -> None:
        """A resource came, changed or went with a revision."""

    def advanced(self) -> None:
        """All changes up to a later revision are known now."""


class View:
    """The resources of one profile.

    Attributes:
        revision: All changes up to this revision are in it.
        resources: By type and name.
    """

    def __init__(self) -> None:
        self.revision = 0
        self.resources: Mapping[str, dict[str, Resource]] = {each: {} for each in TYPES}
        self._owned: dict[NamespacedName, dict[tuple[str, str], Resource]] = {}
        self._followers: set[Follower] = set()

    def follow(self, follower: Follower) -> None:
        """Tell of changes from now on."""
        self._followers.add(follower)

    def leave(self, follower: Follower) -> None:
        """Tell no more."""
        self._followers.discard(follower)

    @property
    def is_followed(self) -> bool:
        """Whether anybody wants to know of changes."""
        return bool(self._followers)

    def owners(self) -> Iterable[NamespacedName]:
        """The Services that have resources."""
        return tuple(self._owned)

    def get(self, type_url: str, name: str) -> Resource | None:
        """One resource, or None."""
        return self.resources[type_url].get(name)

    def replace(self, owner: NamespacedName, resources: Iterable[Resource], revision: int) -> None:
        """Put the resources of a Service in the place of those that it had.

        Args:
            owner: The Service.
            resources: None when it is gone, or not served.
            revision: Of the change.
        """
        before = self._owned.pop(owner, {})
        after = {(each.type_url, each.name): each for each in resources}
        if after:
            self._owned[owner] = after
        for key, each in after.items():
            known = self.resources[each.type_url].get(each.name)
            self.resources[each.type_url][each.name] = each
            if known is None or known.version != each.version:
                self._tell(*key, revision)
        for type_url, name in before.keys() - after.keys():
            # An address that another Service has by now stays its own, whichever of the two is looked at first.
            known = self.resources[type_url].get(name)
            if known is not None and known.owner == owner:
                del self.resources[type_url][name]
                self._tell(type_url, name, revision)

    def reach(self, revision: int) -> None:
        """All changes up to a revision have been replaced."""
        self.revision = max(self.revision, revision)
        for follower in self._followers:
            follower.advanced()

    def _tell(self, type_url: str, name: str, revision: int) -> None:
        for follower in self._followers:
            follower.changed(type_url, name, revision)
