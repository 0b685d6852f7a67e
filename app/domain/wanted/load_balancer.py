"""The load balancer that a Service asks for: the one function that the API and every data plane read.

The result equals what Azure's provider makes of the same Service, without its defects. Members are the Pods behind the
Service, where Azure has nodes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.endpoint_slice import EndpointSlice
from app.domain.kinds.load_balancer import Frontend, LoadBalancerSpec, LoadBalancingRule, Probe
from app.domain.kinds.service import Service, ServicePort
from app.domain.rules.addresses import canonical, family_of
from app.domain.rules.cluster import Cluster
from app.domain.rules.pool_description import EXTERNAL, INTERNAL
from app.domain.rules.service.admission import Admission
from app.domain.rules.service.asked_addresses import asked_of
from app.domain.rules.service.load_balancer_wish import DEFAULT_IDLE_TIMEOUT, LoadBalancerWish, PortWish, wish_of
from app.domain.rules.service.name_wish import name_wish, shown_label, shown_names
from app.domain.rules.service.needs import CLIENT_IP, ingress_addresses, needs_health_check_node_port
from app.domain.rules.service.probes import ProbePlan, lent_probe, probe_of
from app.domain.wanted.load_balancer_access import PROTOCOLS, access_rules
from app.domain.wanted.load_balancer_members import Member, members_of
from app.domain.wanted.load_balancer_names import Names, load_balancer_name

DEFAULT, SOURCE_IP = "Default", "SourceIP"
"""Distributions: over all members, or by the address of the client."""

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Listener:
    """One port of one frontend, as a data plane serves it.

    Attributes:
        frontend: Address, family, scope and pool.
        protocol: `TCP`, `UDP` or `SCTP`.
        port: The port at which traffic arrives.
        rule: The name of the rule.
        idle_timeout: Seconds after which a connection, or a session of UDP, without traffic ends.
        tcp_reset: Whether an idle connection ends with a reset.
        by_client: Whether a client always gets the same member.
        local: Whether only members of the data plane's own node get traffic (`externalTrafficPolicy: Local`).
        proxy_protocol: `v1` or `v2` if members want the PROXY protocol before the traffic, else "".
        admitted: The CIDRs whose clients are admitted; None for everybody.
        probe: How members are probed, each at its `probe_port`; None where they are not.
        members: The endpoints behind the port, in order.
    """

    frontend: Frontend
    protocol: str
    port: int
    rule: str
    idle_timeout: int
    tcp_reset: bool
    by_client: bool
    local: bool
    proxy_protocol: str
    admitted: tuple[str, ...] | None
    probe: ProbePlan | None
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class WantedLoadBalancer:
    """The load balancer of one Service.

    Attributes:
        spec: In Azure's terms, as the API shows it.
        listeners: The same for data planes. No two have the same address, protocol and port.
        health_check_node_port: The port at which a node answers whether it has members, for
            `externalTrafficPolicy: Local`; 0 without it.
    """

    spec: LoadBalancerSpec
    listeners: tuple[Listener, ...]
    health_check_node_port: int


def load_balancer(service: Service, slices: Sequence[EndpointSlice], cluster: Cluster) -> WantedLoadBalancer:
    """What a Service that our controller serves asks for.

    Args:
        service: With the addresses that were allocated to it. A family without an address has no frontend yet.
        slices: Its EndpointSlices, all of them.
        cluster: For the pools, the nodes and the service tags.
    """
    admission = Admission.of(service)
    frontends = frontends_of(service, cluster)
    planned = [each for frontend in frontends for each in _planned(service, frontend)]
    addresses = [each.address for each in frontends]
    probes = {name: plan for each in planned if (plan := each.probe) and (name := each.probe_name)}
    spec = LoadBalancerSpec(
        load_balancer=load_balancer_name(internal=_is_internal(service, frontends)),
        frontends=frontends,
        rules=[each.rule for each in planned],
        probes=[_probe(name, plan) for name, plan in probes.items()],
        access=access_rules(service, admission, addresses, cluster.nodes.addresses) if frontends else [],
        deny_all=admission.deny_all,
    )
    listeners = tuple(
        listener for each in planned for listener in _listeners(service, each, slices, admission, cluster)
    )
    local = needs_health_check_node_port(service.spec)
    return WantedLoadBalancer(spec, listeners, service.spec.health_check_node_port if local else 0)


def frontends_of(service: Service, cluster: Cluster) -> list[Frontend]:
    """The frontends of a Service in the order of its families, as far as they have addresses."""
    return [_frontend(service, family, address, cluster) for family, address in frontend_addresses(service).items()]


def _frontend(service: Service, family: str, address: str, cluster: Cluster) -> Frontend:
    pool = next((pool for pool in cluster.pools if address in pool.usable), None)
    static = cluster.addresses.static_at(address)
    return Frontend(
        name=Names.of(cluster.shared_frontends.first_at(address) or service).frontend(family),
        scope=(INTERNAL if wish_of(service).internal else EXTERNAL) if pool is None else pool.scope,
        family=family,
        address=address,
        pool="" if pool is None else pool.name,
        static_address="" if static is None else _named(static.metadata, service),
        fqdn=_public_name(service) or ("" if static is None else static.status.fqdn),
    )


def _is_internal(service: Service, frontends: Sequence[Frontend]) -> bool:
    """Whether the load balancer is the internal one. One that changes sides stays where its address is."""
    return frontends[0].scope == INTERNAL if frontends else wish_of(service).internal


def _named(meta: ObjectMeta, service: Service) -> str:
    """The name by which a Service can refer to an object: with its namespace, if that is another one."""
    return meta.name if meta.namespace == service.metadata.namespace else f"{meta.namespace}/{meta.name}"


def _public_name(service: Service) -> str:
    """The public name of the frontends: that of the Service's label, else the first that is asked for by name."""
    names, label = shown_names(service), shown_label(service)
    labelled = [name for name in names if label and name.startswith(f"{label}.")]
    asked = [name for name in names if name in name_wish(service).hostnames]
    return next(iter([*labelled, *asked]), "")


def first_at(address: str, services: Iterable[Service]) -> Service | None:
    """Of several Services at one address, the one whose frontend it is.

    It is the one that was given the address, else the oldest of those that asked for it. In Azure it is the first.
    """
    family = family_of(address)
    holders = [each for each in services if frontend_addresses(each).get(family) == address]
    return min(holders, key=lambda each: (asked_of(each, family) is not None, each.metadata.uid or ""), default=None)


def frontend_addresses(service: Service) -> dict[str, str]:
    """The address of each family. An additional address is one only where the family has no other."""
    additional = wish_of(service).additional_addresses
    addresses = sorted(map(canonical, ingress_addresses(service)), key=lambda address: address in additional)
    found: dict[str, str] = {}
    for family in service.spec.ip_families or []:
        address = next((each for each in addresses if family_of(each) == family), None)
        if address is not None:
            found[family] = address
    return found


@dataclass(frozen=True, slots=True)
class _Planned:
    """A rule with what it was made of: its frontend, the ports that it covers, and its probe."""

    frontend: Frontend
    ports: Sequence[ServicePort]
    rule: LoadBalancingRule
    probe: ProbePlan | None

    @property
    def probe_name(self) -> str:
        return self.rule.probe


def _planned(service: Service, frontend: Frontend) -> list[_Planned]:
    wish, ports = wish_of(service), service.spec.ports or []
    if wish.internal and wish.high_availability_ports:
        return [_rule(service, frontend, ports, lent_probe(service), every_port=True)] if ports else []
    ruled = [port for port in ports if not wish.ports.get(port.port, PortWish()).rule_disabled]
    return [_rule(service, frontend, [port], probe_of(service, port), every_port=False) for port in ruled]


def _rule(
    service: Service, frontend: Frontend, ports: Sequence[ServicePort], probe: ProbePlan | None, *, every_port: bool
) -> _Planned:
    wish, names, first = wish_of(service), Names.of(service), ports[0]
    # Azure's private IPv6 frontends cannot have a floating IP. A rule for all ports keeps it in any case.
    floating = not (wish.internal and frontend.family == "IPv6") and (every_port or not wish.floating_ip_disabled)
    rule = LoadBalancingRule(
        name=names.rule(first.protocol, first.port, frontend.family),
        frontend=frontend.name,
        protocol="All" if every_port else PROTOCOLS[first.protocol],
        frontend_port=0 if every_port else first.port,
        backend_port=0 if every_port else (first.port if floating else first.node_port),
        floating_ip=floating,
        idle_timeout_minutes=_idle_timeout(wish),
        tcp_reset=(every_port or first.protocol == "TCP") and not wish.tcp_reset_disabled,
        distribution=SOURCE_IP if service.spec.session_affinity == CLIENT_IP else DEFAULT,
        probe="" if probe is None else names.rule(*probe.label, frontend.family),
    )
    return _Planned(frontend, ports, rule, probe)


def _idle_timeout(wish: LoadBalancerWish) -> int:
    return DEFAULT_IDLE_TIMEOUT if wish.idle_timeout is None else wish.idle_timeout


def _probe(name: str, plan: ProbePlan) -> Probe:
    return Probe(
        name=name,
        protocol=plan.protocol,
        port=plan.port,
        path=plan.path,
        interval_seconds=plan.interval,
        threshold=plan.threshold,
    )


def _listeners(
    service: Service, planned: _Planned, slices: Sequence[EndpointSlice], admission: Admission, cluster: Cluster
) -> list[Listener]:
    """A listener for each port of a rule: a rule for every port is served at the ports that the Service lists."""
    rule, family, probe = planned.rule, planned.frontend.family, planned.probe
    target = None if probe is None else probe.target
    return [
        Listener(
            frontend=planned.frontend,
            protocol=port.protocol,
            port=port.port,
            rule=rule.name,
            idle_timeout=rule.idle_timeout_minutes * _MINUTE,
            tcp_reset=rule.tcp_reset and port.protocol == "TCP",
            by_client=rule.distribution == SOURCE_IP,
            local=needs_health_check_node_port(service.spec),
            proxy_protocol=wish_of(service).proxy_protocol,
            admitted=admission.networks_of(family, cluster),
            # The probe of the policy Local asks nodes; a data plane knows itself which members its node has.
            probe=probe if target is not None else None,
            members=members_of(slices, family, port, target, cluster.nodes.excluded),
        )
        for port in planned.ports
    ]
