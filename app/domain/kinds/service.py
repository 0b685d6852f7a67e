"""Service (core/v1): the whole model of Kubernetes 1.36, its columns and its declaration."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, ATOMIC_MAP, Int32, Wire, api_default, patch_key
from app.domain.kinds.meta import Condition


class ServicePort(Wire):
    """One port of a Service.

    Attributes:
        name: A DNS label, unique in the Service; needed as soon as there are two ports.
        protocol: TCP, UDP or SCTP.
        app_protocol: What is spoken on it, as a hint to implementations: an IANA service name, `kubernetes.io/...`, or
            a name with a prefix of one's own.
        port: At which the Service is reached.
        target_port: Number or name of the pods' port that it leads to; the same number as `port` when left out.
        node_port: At which every node takes traffic for it, of type NodePort or LoadBalancer. Chosen when left out.
    """

    required = ("port",)

    name: str = ""
    protocol: Annotated[str, api_default("TCP")] = ""
    app_protocol: str | None = None
    port: Int32 = field(default_factory=int)
    target_port: Int32 | str | None = None
    node_port: Int32 = 0


class ClientIPConfig(Wire):
    """How long a client stays with its endpoint.

    Attributes:
        timeout_seconds: From 1 to 86400; 10800 when left out.
    """

    timeout_seconds: Int32 | None = None


class SessionAffinityConfig(Wire):
    """How session affinity works.

    Attributes:
        client_ip: For `sessionAffinity` ClientIP.
    """

    client_ip: ClientIPConfig | None = None


class ServiceSpec(Wire):
    """What the client wants, and what was chosen for it.

    Attributes:
        ports: What it is reached at; needed unless it is headless or an ExternalName.
        selector: Labels of the pods behind it. Without one its endpoints are somebody else's to manage.
        cluster_ip: Its address inside, the first of `clusterIPs`; None for a headless Service. Chosen when left out,
            and then for good.
        cluster_ips: Its addresses inside, at most one of each IP family.
        type: ClusterIP, NodePort, LoadBalancer or ExternalName.
        external_ips: Addresses that somebody else leads to the nodes. Deprecated.
        session_affinity: ClientIP leads a client to the same endpoint each time; None does not.
        load_balancer_ip: The address a load balancer is to have. Deprecated for annotations of the implementation.
        load_balancer_source_ranges: The CIDRs of clients that a load balancer lets in; all when left out.
        external_name: The DNS name that an ExternalName Service stands for.
        external_traffic_policy: Cluster sends traffic from outside to any endpoint; Local only to those of the node
            that took it, which keeps the client's address.
        health_check_node_port: At which each node tells a load balancer whether it has endpoints, for type LoadBalancer
            with `externalTrafficPolicy` Local. Chosen when left out, and then for good.
        publish_not_ready_addresses: Whether endpoints count as ready whatever their pods say.
        session_affinity_config: How session affinity works, where there is any.
        ip_families: IPv4, IPv6 or both, in the order of `clusterIPs`.
        ip_family_policy: SingleStack, PreferDualStack (two families where the cluster has them) or RequireDualStack.
        allocate_load_balancer_node_ports: Whether a LoadBalancer gets node ports; true when left out.
        load_balancer_class: Which implementation serves a LoadBalancer; the cluster's own when left out.
        internal_traffic_policy: Cluster sends traffic from inside to any endpoint; Local only to those of its node.
        traffic_distribution: PreferSameZone or PreferSameNode, where there are such endpoints.
    """

    ports: Annotated[list[ServicePort], patch_key("port", "protocol")] | None = None
    selector: Annotated[dict[str, str], ATOMIC_MAP] | None = None
    cluster_ip: str = ""
    cluster_ips: Annotated[list[str], ATOMIC] | None = None
    type: str = ""
    external_ips: Annotated[list[str], ATOMIC] | None = None
    session_affinity: str = ""
    load_balancer_ip: str = ""
    load_balancer_source_ranges: Annotated[list[str], ATOMIC] | None = None
    external_name: str = ""
    external_traffic_policy: str = ""
    health_check_node_port: Int32 = 0
    publish_not_ready_addresses: bool = False
    session_affinity_config: SessionAffinityConfig | None = None
    ip_families: Annotated[list[str], ATOMIC] | None = None
    ip_family_policy: str | None = None
    allocate_load_balancer_node_ports: bool | None = None
    load_balancer_class: str | None = None
    internal_traffic_policy: str | None = None
    traffic_distribution: str | None = None


class PortStatus(Wire):
    """What became of one port at the load balancer.

    Attributes:
        port: Its number.
        protocol: TCP, UDP or SCTP.
        error: Why it takes no traffic, as one word in CamelCase.
    """

    required = ("port", "protocol")

    port: Int32 = field(default_factory=int)
    protocol: str = field(default_factory=str)
    error: str | None = None


class LoadBalancerIngress(Wire):
    """One point at which the load balancer takes traffic.

    Attributes:
        ip: Its address, where it has one.
        hostname: Its DNS name, where it has one.
        ip_mode: VIP when traffic arrives with this address as its destination, Proxy when with the node's or pod's.
        ports: What became of each port.
    """

    ip: str = ""
    hostname: str = ""
    ip_mode: str | None = None
    ports: Annotated[list[PortStatus], ATOMIC] | None = None


class LoadBalancerStatus(Wire):
    """Where the load balancer takes traffic.

    Attributes:
        ingress: Each point; none while there is no load balancer.
    """

    ingress: Annotated[list[LoadBalancerIngress], ATOMIC] | None = None


class ServiceStatus(Wire):
    """What was observed.

    Attributes:
        load_balancer: Where the load balancer takes traffic, for type LoadBalancer.
        conditions: How far it has come: `Allocated`, `Resolvable`, `Programmed`, and those of others.
    """

    load_balancer: LoadBalancerStatus = field(default_factory=LoadBalancerStatus)
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class Service(KubeObject):
    """A name, addresses and ports for a set of endpoints."""

    spec: ServiceSpec = field(default_factory=ServiceSpec)
    status: ServiceStatus = field(default_factory=ServiceStatus)
