"""The traffic of one Service for one data plane: which of its ports it serves, and which members may take traffic."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from ipaddress import ip_address

from app.domain.kinds.endpoint_slice import EndpointSlice
from app.domain.kinds.service import Service, ServicePort
from app.domain.rules.addresses import elsewhere_problems, family_of
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.load_balancer_wish import is_ours
from app.domain.rules.service.needs import CLIENT_IP, LOAD_BALANCER, NODE_PORT
from app.domain.rules.service.probes import ProbePlan
from app.domain.wanted import load_balancer_members as all_members
from app.domain.wanted.load_balancer import Listener as FrontendPort
from app.domain.wanted.load_balancer import WantedLoadBalancer, load_balancer
from app.domain.wanted.traffic import (
    EVERYBODY,
    NOTHING,
    Backend,
    HealthListener,
    Listener,
    Member,
    PlaneProfile,
    Probing,
    Traffic,
)

_NODE_PORT_IDLE_SECONDS = 240
_VERSIONS = {"": 0, "v1": 1, "v2": 2}
_TCP, _SCTP = "TCP", "SCTP"


def traffic_of(service: Service, slices: Sequence[EndpointSlice], cluster: Cluster, profile: PlaneProfile) -> Traffic:
    """What a data plane does for a Service.

    Args:
        service: With what was allocated to it.
        slices: Its EndpointSlices, all of them.
        cluster: For the pools and the service tags.
        profile: What the data plane is there for.
    """
    if service.spec.type not in (NODE_PORT, LOAD_BALANCER) or service.metadata.deletion_timestamp is not None:
        return NOTHING
    builder = _Builder(service, profile)
    if is_ours(service, cluster):
        builder.take_frontends(load_balancer(service, slices, cluster))
    builder.take_node_ports(slices)
    return builder.traffic()


def _probing(plan: ProbePlan) -> Probing:
    """How a data plane probes. A request's target begins with a slash (RFC 9112, section 3.2.1)."""
    path = plan.path if plan.path.startswith("/") or plan.protocol == "Tcp" else f"/{plan.path}"
    return Probing(plan.protocol, path, plan.interval, plan.threshold)


@lru_cache(maxsize=65536)
def _is_loopback(address: str) -> bool:
    return ip_address(address).is_loopback


@lru_cache(maxsize=65536)
def _refusal(address: str, *, embedded: bool) -> str:
    """Why an address is no member, "" if it may be one.

    A Pod may have any address. One of the data plane's own machine would publish what listens there for nobody else.
    """
    problems = elsewhere_problems(address, loopback=embedded)
    return f"the member {address} is refused: it {'; '.join(problems)}" if problems else ""


class _Builder:
    """Puts the traffic of one Service together, port by port."""

    def __init__(self, service: Service, profile: PlaneProfile) -> None:
        self._service = service
        self._profile = profile
        self._local = service.spec.external_traffic_policy == "Local"
        self._backends: dict[str, Backend] = {}
        self._listeners: list[Listener] = []
        self._health: list[HealthListener] = []
        self._limitations: dict[str, None] = {}

    def traffic(self) -> Traffic:
        """All that was taken in."""
        return Traffic(
            tuple(self._backends.values()), tuple(self._listeners), tuple(self._health), tuple(self._limitations)
        )

    def take_frontends(self, wanted: WantedLoadBalancer) -> None:
        """The ports of frontends that this data plane serves, and the health of its node."""
        served = [each for each in wanted.listeners if self._serves(each)]
        for each in served:
            self._take_frontend(each)
        if served and wanted.health_check_node_port:
            count = len({each.address for each in self._usable(served[0].members)})
            self._health += [
                HealthListener(address, wanted.health_check_node_port, count)
                for address in self._profile.node_addresses
            ]

    def take_node_ports(self, slices: Sequence[EndpointSlice]) -> None:
        """The node ports, if the data plane answers any."""
        for address in self._profile.node_addresses:
            family = family_of(address)
            if family not in (self._service.spec.ip_families or []):
                continue
            for port in self._service.spec.ports or []:
                if port.node_port and port.protocol != _SCTP:
                    self._take_node_port(address, family, port, slices)

    def _serves(self, each: FrontendPort) -> bool:
        profile, frontend = self._profile, each.frontend
        if frontend.scope not in profile.scopes or (profile.pools is not None and frontend.pool not in profile.pools):
            return False
        if each.protocol == _SCTP:
            self._limitations[f"port {each.port}/SCTP is not served: data planes know TCP and UDP"] = None
            return False
        if not profile.embedded and _is_loopback(frontend.address):
            text = f"the frontend {frontend.address} is a loopback address, which only the data plane of serve has"
            self._limitations[text] = None
            return False
        if self._local and not profile.embedded and not profile.node:
            text = "the data plane names no node, so it has no members for externalTrafficPolicy Local"
            self._limitations[text] = None
        return True

    def _take_frontend(self, each: FrontendPort) -> None:
        name = self._name(each.frontend.family, each.protocol, each.port)
        probing = None if each.probe is None else _probing(each.probe)
        self._backends[name] = Backend(
            name=name,
            protocol=each.protocol,
            members=tuple(self._usable(each.members)),
            probing=probing,
            affinity=each.by_client,
            proxy_protocol=_VERSIONS[each.proxy_protocol] if each.protocol == _TCP else 0,
        )
        self._listeners.append(
            Listener(
                address=each.frontend.address,
                port=each.port,
                protocol=each.protocol,
                backend=name,
                sources=EVERYBODY if each.admitted is None else each.admitted,
                idle_timeout=each.idle_timeout,
                affinity=each.by_client,
            )
        )

    def _take_node_port(self, address: str, family: str, port: ServicePort, slices: Sequence[EndpointSlice]) -> None:
        name = self._name(family, port.protocol, port.port)
        affinity = self._service.spec.session_affinity == CLIENT_IP
        if name not in self._backends:
            members = self._usable(all_members.members_of(slices, family, port, None, ()))
            self._backends[name] = Backend(name=name, protocol=port.protocol, members=tuple(members), affinity=affinity)
        self._listeners.append(
            Listener(
                address=address,
                port=port.node_port,
                protocol=port.protocol,
                backend=name,
                sources=EVERYBODY,
                idle_timeout=_NODE_PORT_IDLE_SECONDS,
                affinity=affinity,
            )
        )

    def _name(self, family: str, protocol: str, port: int) -> str:
        meta = self._service.metadata
        return f"{meta.namespace}/{meta.name}/{protocol}/{port}" + ("/IPv6" if family == "IPv6" else "")

    def _usable(self, members: Iterable[all_members.Member]) -> Iterator[Member]:
        """Those that may get traffic; those that terminate and still serve are a fallback (KEP-1669)."""
        profile = self._profile
        for each in members:
            is_fallback = not each.ready and each.serving and each.terminating
            if not (each.ready or is_fallback) or (self._local and not profile.embedded and each.node != profile.node):
                continue
            refusal = _refusal(each.address, embedded=profile.embedded)
            if refusal:
                self._limitations[refusal] = None
                continue
            yield Member(each.address, each.port, each.probe_port, is_fallback)
