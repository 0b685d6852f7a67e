"""What the Envoys of one profile are offered: every Service's traffic, within bounds, and without gaps."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from app.domain.wanted.traffic import Backend, Member, PlaneProfile, Traffic
from app.mirror.entry import NamespacedName
from app.serving.envoy.clusters import LONGEST_PROBE_SECONDS
from app.serving.envoy.traffic import resources_of
from app.serving.xds.view import View


class Offer:
    """The resources of one profile, and what keeps Services from being served.

    Args:
        profile: What its Envoys are there for.
        most_services: How many Services with listeners one Envoy may have.
        look_again: Asks for a Service to be put again after some seconds.

    Attributes:
        view: The resources.
        problems: Why a Service is not served, or not all of it, in words.
    """

    def __init__(
        self, profile: PlaneProfile, most_services: int, look_again: Callable[[NamespacedName, float], None]
    ) -> None:
        self.profile = profile
        self.view = View()
        self.problems: dict[NamespacedName, str] = {}
        self._most_services = most_services
        self._look_again = look_again
        self._served: dict[NamespacedName, None] = {}
        self._waiting: dict[NamespacedName, None] = {}
        self._members: dict[str, tuple[Member, ...]] = {}
        self._owned: dict[NamespacedName, tuple[str, ...]] = {}
        self._held: dict[str, tuple[float, tuple[Member, ...]]] = {}

    @property
    def services(self) -> int:
        """How many Services with listeners there are."""
        return len(self._served)

    def put(self, owner: NamespacedName, traffic: Traffic, revision: int, now: float) -> None:
        """Offer a Service's traffic instead of what it had; `now` counts seconds."""
        problems = list(traffic.limitations)
        if not self._has_room_for(owner, traffic):
            problems.append(f"each data plane of this kind has {self._most_services} Services already: add another one")
            traffic = Traffic()
        backends = tuple(self._without_gap(owner, each, now) for each in traffic.backends)
        self._remember(owner, backends)
        resources = resources_of(replace(traffic, backends=backends), owner, embedded=self.profile.embedded)
        self.view.replace(owner, resources, revision)
        if problems:
            self.problems[owner] = "; ".join(problems)
        else:
            self.problems.pop(owner, None)

    def _has_room_for(self, owner: NamespacedName, traffic: Traffic) -> bool:
        """Whether it can be served; those that came first are."""
        if not traffic.listeners:
            self._waiting.pop(owner, None)
            if self._served.pop(owner, owner) is None and self._waiting:
                self._look_again(next(iter(self._waiting)), 0.0)
            return True
        if owner not in self._served and len(self._served) >= self._most_services:
            self._waiting[owner] = None
            return False
        self._waiting.pop(owner, None)
        self._served[owner] = None
        return True

    def _without_gap(self, owner: NamespacedName, backend: Backend, now: float) -> Backend:
        """A backend whose members were all replaced at once keeps the old ones until a new one may have been probed.

        They are a fallback: they get traffic only as long as no new member has passed its first probe.
        """
        before = self._members.get(backend.name, ())
        probing, places = backend.probing, _places(backend.members)
        if probing is None or not backend.members:
            self._held.pop(backend.name, None)
            return backend
        until, held = self._held.get(backend.name, (0.0, ()))
        if before and not places & _places(before):
            until = now + min(probing.interval, LONGEST_PROBE_SECONDS) + probing.interval * probing.threshold
            held = before
            self._look_again(owner, until - now)
        held = tuple(replace(each, fallback=True) for each in held if (each.address, each.port) not in places)
        if not held or now >= until:
            self._held.pop(backend.name, None)
            return backend
        self._held[backend.name] = (until, held)
        return replace(backend, members=(*backend.members, *held))

    def _remember(self, owner: NamespacedName, backends: tuple[Backend, ...]) -> None:
        for name in self._owned.pop(owner, ()):
            self._members.pop(name, None)
        held: Mapping[str, tuple[float, tuple[Member, ...]]] = self._held
        for each in backends:
            kept = held.get(each.name, (0.0, ()))[1]
            self._members[each.name] = tuple(member for member in each.members if member not in kept)
        if backends:
            self._owned[owner] = tuple(each.name for each in backends)


def _places(members: tuple[Member, ...]) -> set[tuple[str, int]]:
    return {(each.address, each.port) for each in members}
