"""How far data planes are with a LoadBalancer Service, and its condition `Programmed`."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.kinds.load_balancer import DataPlaneState, LoadBalancerSpec
from app.domain.kinds.service import Service
from app.domain.rules.data_plane import PENDING, REJECTED, DescribedPlane, serving_planes
from app.domain.rules.service.conditions import NO_DATA_PLANE, NO_PLANE, NO_PLANE_SERVES
from app.domain.rules.service.data_plane_limits import limits

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Programmed:
    """The condition as it should be."""

    status: str
    reason: str
    message: str


def plane_states(
    service: Service, frontends: Sequence[tuple[str, str]], revision: int, planes: Sequence[DescribedPlane]
) -> list[DataPlaneState]:
    """The state of each data plane that serves one of the frontends.

    Args:
        service: The Service.
        frontends: Scope and pool of each frontend.
        revision: At which the Service or one of its slices changed last.
        planes: All data planes.
    """
    key = (service.metadata.namespace or "", service.metadata.name)
    found = ((plane.name, *plane.state(key, revision)) for plane in serving_planes(planes, frontends))
    return [DataPlaneState(name=name, state=state, message=message) for name, state, message in found]


def programmed(
    service: Service,
    frontends: Sequence[tuple[str, str]],
    revision: int,
    planes: Sequence[DescribedPlane],
    *,
    late: bool,
) -> Programmed | None:
    """The condition; None while it may stay as it is.

    It stays while a data plane is about to take the Service over, and while none is connected: that shows on the
    DataPlane, not on every Service.

    Args:
        service: The Service.
        frontends: Scope and pool of each frontend.
        revision: At which the Service changed last.
        planes: All data planes.
        late: Whether the data planes have had time enough.
    """
    serving = serving_planes(planes, frontends)
    if not serving and frontends:
        return Programmed("Unknown", NO_DATA_PLANE, NO_PLANE_SERVES if planes else NO_PLANE)
    connected = [plane for plane in serving if plane.connected]
    if not connected:
        return None
    states = plane_states(service, frontends, revision, connected)
    rejected = [f"{each.name}: {each.message}" for each in states if each.state == REJECTED]
    if rejected:
        more = f"; and {len(rejected) - _SHOWN} more" if len(rejected) > _SHOWN else ""
        return Programmed("False", "Rejected", f"{'; '.join(rejected[:_SHOWN])}{more}")
    pending = [each.name for each in states if each.state == PENDING]
    if pending:
        if not late:
            return None
        troubles = {plane.name: plane.trouble for plane in connected}
        words = [f"{name} ({troubles[name]})" if troubles[name] else name for name in pending]
        return Programmed("False", "NotServed", f"not taken over yet by {', '.join(words[:_SHOWN])}")
    count = f"{len(states)} data planes" if len(states) > 1 else f"the data plane {states[0].name}"
    return Programmed("True", "Programmed", "; ".join([f"taken over by {count}", *limits(service)]))


def served_places(spec: LoadBalancerSpec) -> list[tuple[str, str]]:
    """Scope and pool of each frontend."""
    return [(each.scope, each.pool) for each in spec.frontends or []]
