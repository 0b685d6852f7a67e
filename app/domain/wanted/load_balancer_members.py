"""The members behind a load balancer: the endpoints of the Service's EndpointSlices."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from app.domain.kinds.endpoint_slice import Endpoint, EndpointPort, EndpointSlice
from app.domain.kinds.load_balancer import MemberCounts
from app.domain.kinds.service import Service, ServicePort


@dataclass(frozen=True, slots=True)
class Member:
    """One endpoint behind one port of a Service.

    Attributes:
        address: Where it takes traffic.
        port: At which port it does.
        probe_port: The port at which it is probed.
        node: The name of the node that it is on, or "".
        ready: Whether it takes new connections.
        serving: Whether it can take connections, terminating or not.
        terminating: Whether it is ending.
    """

    address: str
    port: int
    probe_port: int
    node: str = ""
    ready: bool = True
    serving: bool = True
    terminating: bool = False


def members_of(
    slices: Iterable[EndpointSlice],
    family: str,
    port: ServicePort,
    target: ServicePort | int | None,
    excluded: Collection[str],
) -> tuple[Member, ...]:
    """The members for a port of a Service, in order of address and port.

    Args:
        slices: Of the Service.
        family: The family of the frontend, `IPv4` or `IPv6`.
        port: The port of the Service.
        target: What is probed: a port of the Service, or a number; None where nothing is.
        excluded: The names of nodes whose endpoints are no members.
    """
    found = {}
    for slice_ in slices:
        number = _number(slice_, port)
        if slice_.address_type != family or number is None:
            continue
        probed = number
        if target is not None:
            probed = target if isinstance(target, int) else (_number(slice_, target) or number)
        for endpoint in _members(slice_, excluded):
            for address in (endpoint.addresses or [])[:1]:
                found[address, number] = _member(endpoint, address, number, probed)
    return tuple(found[key] for key in sorted(found))


def member_counts(service: Service, slices: Iterable[EndpointSlice], excluded: Collection[str]) -> MemberCounts:
    """How many members there are in the first family of the Service, and how many of them are ready."""
    family = (service.spec.ip_families or [""])[0]
    ready: dict[str, bool] = {}
    own = (slice_ for slice_ in slices if slice_.address_type == family)
    for endpoint in (each for slice_ in own for each in _members(slice_, excluded)):
        for address in (endpoint.addresses or [])[:1]:
            ready[address] = ready.get(address, False) or endpoint.conditions.ready is not False
    return MemberCounts(ready=sum(ready.values()), total=len(ready))


def _members(slice_: EndpointSlice, excluded: Collection[str]) -> Iterator[Endpoint]:
    return (each for each in slice_.endpoints or [] if each.node_name not in excluded)


def _number(slice_: EndpointSlice, port: ServicePort) -> int | None:
    """The number of the port that a slice's endpoints offer for a port of the Service; None if they offer none."""
    return next((each.port for each in slice_.ports or [] if _is_for(each, port) and each.port), None)


def _is_for(offered: EndpointPort, port: ServicePort) -> bool:
    return (offered.name or "") == port.name and (offered.protocol or "TCP") == port.protocol


def _member(endpoint: Endpoint, address: str, port: int, probe_port: int) -> Member:
    """A condition that is left out is unknown, and counts as ready and serving (EndpointConditions)."""
    conditions = endpoint.conditions
    return Member(
        address=address,
        port=port,
        probe_port=probe_port,
        node=endpoint.node_name or "",
        ready=conditions.ready is not False,
        serving=conditions.serving is not False if conditions.serving is not None else conditions.ready is not False,
        terminating=conditions.terminating is True,
    )
