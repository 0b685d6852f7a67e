"""LoadBalancer (fairlead.io/v1): what a LoadBalancer Service gets, in Azure's terms; computed from it, read-only."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, IP_FAMILY, Int32, Wire, one_of, patch_key
from app.domain.kinds.meta import Condition


class Frontend(Wire):
    """An address at which the load balancer takes traffic for the Service.

    Attributes:
        name: The name by which rules refer to the frontend. Services that share an address share the frontend of the
            oldest of them.
        scope: internal for a private address, external for a public one.
        family: IPv4 or IPv6.
        address: The address.
        pool: The AddressPool that has the address; left out when no pool has it.
        static_address: The StaticAddress that holds the address, in the Service's namespace or as namespace/name; left
            out for an address that belongs to the Service alone.
        fqdn: The public DNS name of the address, if it has one.
    """

    required = ("name", "scope", "family", "address")

    name: str = field(default_factory=str)
    scope: Annotated[str, one_of("internal", "external")] = field(default_factory=str)
    family: Annotated[str, IP_FAMILY] = field(default_factory=str)
    address: str = field(default_factory=str)
    pool: str = ""
    static_address: str = ""
    fqdn: str = ""


class LoadBalancingRule(Wire):
    """What happens to the traffic that arrives at one port of a frontend.

    Attributes:
        name: Unique in the load balancer.
        frontend: The name of the frontend.
        protocol: Tcp, Udp or Sctp, or All for a rule that covers every port.
        frontend_port: The port at which traffic arrives; 0 for every port.
        backend_port: The port to which Azure would send it: the same one with a floating IP, else the nodePort. Members
            are Pods here, and get the traffic at the targetPort of the Service.
        floating_ip: Whether traffic keeps the address of the frontend as its destination.
        idle_timeout_minutes: Minutes after which a connection without traffic ends.
        tcp_reset: Whether an idle connection ends with a TCP reset.
        distribution: Default spreads connections over the members. SourceIP sends a client to the same member.
        probe: The name of the probe that decides which members get traffic; left out when nothing is probed.
    """

    required = (
        "name", "frontend", "protocol", "frontend_port", "backend_port", "floating_ip", "idle_timeout_minutes",
        "tcp_reset", "distribution",
    )  # fmt: skip

    name: str = field(default_factory=str)
    frontend: str = field(default_factory=str)
    protocol: Annotated[str, one_of("Tcp", "Udp", "Sctp", "All")] = field(default_factory=str)
    frontend_port: Int32 = field(default_factory=int)
    backend_port: Int32 = field(default_factory=int)
    floating_ip: bool = field(default_factory=bool)
    idle_timeout_minutes: Int32 = field(default_factory=int)
    tcp_reset: bool = field(default_factory=bool)
    distribution: str = field(default_factory=str)
    probe: str = ""


class Probe(Wire):
    """How members are asked whether they are well.

    Attributes:
        name: Unique in the load balancer.
        protocol: Tcp, Http or Https.
        port: The port that Azure would probe on the nodes: a nodePort, the healthCheckNodePort, or a number that an
            annotation gives. 0 when the Service has no nodePort. Members are Pods here, and are probed at the port
            behind it.
        path: The path of an HTTP or HTTPS request; left out for Tcp.
        interval_seconds: Seconds from one probe to the next.
        threshold: Failed probes after which a member gets no traffic.
    """

    required = ("name", "protocol", "port", "interval_seconds", "threshold")

    name: str = field(default_factory=str)
    protocol: Annotated[str, one_of("Tcp", "Http", "Https")] = field(default_factory=str)
    port: Int32 = field(default_factory=int)
    path: str = ""
    interval_seconds: Int32 = field(default_factory=int)
    threshold: Int32 = field(default_factory=int)


class AccessRule(Wire):
    """Clients that are admitted to some ports.

    Attributes:
        protocol: Tcp, Udp or Sctp.
        sources: CIDRs and service tags. The tag Internet means every client.
        ports: The ports, each of them with every destination.
        destinations: The addresses that clients reach: frontends and additional addresses, or without a floating IP
            those of the nodes.
    """

    required = ("protocol", "sources", "ports", "destinations")

    protocol: Annotated[str, one_of("Tcp", "Udp", "Sctp")] = field(default_factory=str)
    sources: Annotated[list[str], ATOMIC] | None = None
    ports: Annotated[list[Int32], ATOMIC] | None = None
    destinations: Annotated[list[str], ATOMIC] | None = None


class LoadBalancerSpec(Wire):
    """The load balancer that the Service asks for.

    Attributes:
        load_balancer: kubernetes, or kubernetes-internal for private frontends.
        frontends: The addresses, at most one of each IP family. Empty until they are allocated.
        rules: A rule for each port and frontend, unless annotations turn it off, or one for every port.
        probes: The probes that rules refer to.
        access: The clients that are admitted. When it is empty and denyAll is false, everybody is.
        deny_all: Whether nobody but the sources in access is admitted. When it is false and there are sources, clients
            of the private network (the service tag VirtualNetwork) are admitted as well.
    """

    required = ("load_balancer", "deny_all")

    load_balancer: str = field(default_factory=str)
    frontends: Annotated[list[Frontend], patch_key("name")] | None = None
    rules: Annotated[list[LoadBalancingRule], patch_key("name")] | None = None
    probes: Annotated[list[Probe], patch_key("name")] | None = None
    access: Annotated[list[AccessRule], ATOMIC] | None = None
    deny_all: bool = field(default_factory=bool)


class MemberCounts(Wire):
    """How many members the load balancer has, counted in the first IP family of the Service.

    Attributes:
        ready: How many take new connections, as their EndpointSlices say.
        total: How many there are.
    """

    required = ("ready", "total")

    ready: Int32 = field(default_factory=int)
    total: Int32 = field(default_factory=int)


class DataPlaneState(Wire):
    """How far a data plane is with this load balancer.

    Attributes:
        name: Of the DataPlane.
        state: Served when it has taken over the newest state, Pending when it has not yet, Rejected when it refused.
        message: What it refused and why.
    """

    required = ("name", "state")

    name: str = field(default_factory=str)
    state: Annotated[str, one_of("Served", "Pending", "Rejected")] = field(default_factory=str)
    message: str = ""


class LoadBalancerStatus(Wire):
    """What is known of the load balancer at work.

    Attributes:
        members: How many members there are.
        data_planes: Each data plane that serves one of the frontends.
        conditions: TagsResolved is False while a service tag of the Service has no prefixes, so that it admits nobody.
    """

    members: MemberCounts = field(default_factory=MemberCounts)
    data_planes: Annotated[list[DataPlaneState], patch_key("name")] | None = None
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class LoadBalancer(KubeObject):
    """The load balancer of one Service, which has the same name."""

    spec: LoadBalancerSpec = field(default_factory=LoadBalancerSpec)
    status: LoadBalancerStatus = field(default_factory=LoadBalancerStatus)
