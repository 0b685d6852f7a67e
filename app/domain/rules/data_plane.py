"""DataPlanes as rules see them, and the state of one Service there."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from app.domain.kinds.data_plane import DataPlane, DataPlaneRejection
from app.domain.kinds.meta import Condition

CONNECTED, CURRENT = "Connected", "Current"
"""Types of conditions."""

MOST_WORDS, MOST_REJECTIONS = 1000, 10_000
"""Entries of `status.rejected` with the words of the data plane, and all of them."""

_NO_WORDS = f"not served; the DataPlane tells why of its first {MOST_WORDS} rejections"

SERVED, PENDING, REJECTED = "Served", "Pending", "Rejected"

ServiceKey = tuple[str, str]
"""Namespace and name of a Service."""


class DescribedPlane(msgspec.Struct, frozen=True):
    """A data plane as it reported itself last.

    Attributes:
        name: Of the object.
        scopes: The scopes that it serves.
        pools: The pools that it serves; None for all of its scopes.
        connected: Whether it can be told of changes.
        revision: It has taken over all changes up to this one.
        trouble: Why it has not taken over all changes, in its own words; "" if it has, or just has not answered yet.
        rejected: What it does not serve, in words, by Service.
        listed_to: The last Service in `rejected`, if it lists no more than it has room for; None if it lists all.
    """

    name: str
    scopes: tuple[str, ...]
    pools: tuple[str, ...] | None
    connected: bool
    revision: int
    trouble: str
    rejected: Mapping[ServiceKey, str]
    listed_to: ServiceKey | None = None

    def serves(self, scope: str, pool: str) -> bool:
        """Whether frontends of a scope, with addresses of a pool, are its to serve."""
        return scope in self.scopes and (self.pools is None or pool in self.pools)

    def state(self, service: ServiceKey, revision: int) -> tuple[str, str]:
        """How far it is with a Service that changed last at a revision: a state, and in words what it rejected."""
        if service in self.rejected:
            return REJECTED, self.rejected[service]
        if self.listed_to is not None and service > self.listed_to:
            return PENDING, ""  # perhaps it is rejected, so nobody shall count on it
        return (SERVED, "") if self.revision >= revision else (PENDING, "")


def described_plane(plane: DataPlane) -> DescribedPlane:
    """A data plane as its object says."""
    spec, status = plane.spec, plane.status
    rejected: dict[ServiceKey, str] = {}
    for each in status.rejected or []:
        key = (each.namespace, each.name)
        rejected[key] = f"{rejected[key]}; {each.message}" if key in rejected else each.message
    return DescribedPlane(
        name=plane.metadata.name,
        scopes=tuple(spec.scopes or ()),
        pools=None if spec.pools is None else tuple(spec.pools),
        connected=_has(plane, CONNECTED, "True"),
        revision=status.revision,
        trouble=next((each.message for each in status.conditions or [] if _is_trouble(each)), ""),
        rejected=rejected,
        listed_to=max(rejected, default=None) if status.rejected_count > len(status.rejected or ()) else None,
    )


def shown_rejections(found: Sequence[DataPlaneRejection]) -> list[DataPlaneRejection] | None:
    """Rejections as `status.rejected` shows them, in the order of their Services.

    What is not in it counts as served, so there are many; thousands of them, with words of a kilobyte each, would be an
    object that no client can take.
    """
    shown = sorted(found, key=lambda each: (each.namespace, each.name, each.resource))[:MOST_REJECTIONS]
    shown[MOST_WORDS:] = [msgspec.structs.replace(each, message=_NO_WORDS) for each in shown[MOST_WORDS:]]
    return shown or None


def _is_trouble(condition: Condition) -> bool:
    return (condition.type, condition.status) == (CURRENT, "False") and condition.reason != PENDING


def serving_planes(planes: Iterable[DescribedPlane], frontends: Iterable[tuple[str, str]]) -> list[DescribedPlane]:
    """The data planes that serve one of some frontends, each given as scope and pool."""
    wanted = list(frontends)
    return [plane for plane in planes if any(plane.serves(*each) for each in wanted)]


def _has(plane: DataPlane, condition: str, status: str) -> bool:
    return any((each.type, each.status) == (condition, status) for each in plane.status.conditions or [])
