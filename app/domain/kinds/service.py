"""Service (core/v1): the whole model of Kubernetes 1.36, its columns and its declaration."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import (
    ATOMIC,
    ATOMIC_MAP,
    IP_FAMILY,
    PROTOCOL,
    Int32,
    Wire,
    api_default,
    one_of,
    patch_key,
)
from app.domain.kinds.meta import Condition

_TRAFFIC_POLICY = one_of("Cluster", "Local")


class ServicePort(Wire):
    """One port of a Service.

    Attributes:
        name: The name of the port, a DNS label that is unique in the Service. Required when there are several ports.
        protocol: TCP, UDP or SCTP.
        app_protocol: The application protocol, as a hint to implementations: an IANA service name, a name such as
            `kubernetes.io/h2c`, or a name with a prefix of your own.
        port: The number of the port of the Service.
        target_port: The number or the name of the port of the pods. The same number as `port` when left out.
        node_port: The port of every node that takes traffic for this port, for type NodePort or LoadBalancer. The
            server chooses one when it is left out.
    """

    required = ("port",)

    name: str = ""
    protocol: Annotated[str, api_default("TCP"), PROTOCOL] = ""
    app_protocol: str | None = None
    port: Int32 = field(default_factory=int)
    target_port: Int32 | str | None = None
    node_port: Int32 = 0


class ClientIPConfig(Wire):
    """How long a client keeps its endpoint.

    Attributes:
        timeout_seconds: Seconds from 1 to 86400; 10800 when left out.
    """

    timeout_seconds: Int32 | None = None


class SessionAffinityConfig(Wire):
    """How session affinity works.

    Attributes:
        client_ip: Settings of `sessionAffinity` ClientIP.
    """

    client_ip: ClientIPConfig | None = None


class ServiceSpec(Wire):
    """What the client asks for, and what the server chose.

    Attributes:
        ports: The ports of the Service. Required unless the Service is headless or of type ExternalName.
        selector: Labels of the pods that serve the Service. Without a selector another client manages the endpoints.
        cluster_ip: The address inside the cluster, the first of `clusterIPs`. "None" makes the Service headless. The
            server chooses one when it is left out. It does not change afterwards.
        cluster_ips: The addresses inside the cluster, at most one of each IP family.
        type: ClusterIP, NodePort, LoadBalancer or ExternalName.
        external_ips: Addresses whose traffic a network outside the cluster routes to the nodes. Deprecated.
        session_affinity: ClientIP sends a client to the same endpoint each time. None does not.
        load_balancer_ip: The address that the load balancer should have. Deprecated; use the annotations of the
            implementation.
        load_balancer_source_ranges: CIDRs of the clients that the load balancer admits. All when left out.
        external_name: The DNS name that an ExternalName Service is an alias of.
        external_traffic_policy: Cluster sends traffic from outside to any endpoint. Local sends it only to endpoints
            on the node that received it, and keeps the address of the client.
        health_check_node_port: The port at which each node tells a load balancer whether it has endpoints, for type
            LoadBalancer with `externalTrafficPolicy` Local. The server chooses one when it is left out. It does not
            change afterwards.
        publish_not_ready_addresses: Whether endpoints count as ready even if their pods are not.
        session_affinity_config: Settings of the session affinity.
        ip_families: IPv4, IPv6 or both, in the order of `clusterIPs`.
        ip_family_policy: SingleStack, PreferDualStack (two families if the cluster has two) or RequireDualStack.
        allocate_load_balancer_node_ports: Whether a LoadBalancer Service gets node ports. True when left out.
        load_balancer_class: The implementation that serves a LoadBalancer Service. When it is left out, the controller
            of this server serves it.
        internal_traffic_policy: Cluster sends traffic from inside the cluster to any endpoint. Local sends it only to
            endpoints on the node of the client.
        traffic_distribution: PreferSameZone or PreferSameNode. Other endpoints are used where none is as near.
    """

    ports: Annotated[list[ServicePort], patch_key("port", "protocol")] | None = None
    selector: Annotated[dict[str, str], ATOMIC_MAP] | None = None
    cluster_ip: str = ""
    cluster_ips: Annotated[list[str], ATOMIC] | None = None
    type: Annotated[str, one_of("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")] = ""
    external_ips: Annotated[list[str], ATOMIC] | None = None
    session_affinity: Annotated[str, one_of("None", "ClientIP")] = ""
    load_balancer_ip: str = ""
    load_balancer_source_ranges: Annotated[list[str], ATOMIC] | None = None
    external_name: str = ""
    external_traffic_policy: Annotated[str, _TRAFFIC_POLICY] = ""
    health_check_node_port: Int32 = 0
    publish_not_ready_addresses: bool = False
    session_affinity_config: SessionAffinityConfig | None = None
    ip_families: Annotated[list[Annotated[str, IP_FAMILY]], ATOMIC] | None = None
    ip_family_policy: Annotated[str, one_of("SingleStack", "PreferDualStack", "RequireDualStack")] | None = None
    allocate_load_balancer_node_ports: bool | None = None
    load_balancer_class: str | None = None
    internal_traffic_policy: Annotated[str, _TRAFFIC_POLICY] | None = None
    traffic_distribution: Annotated[str, one_of("PreferClose", "PreferSameZone", "PreferSameNode")] | None = None


class PortStatus(Wire):
    """The state of one port at the load balancer.

    Attributes:
        port: The number of the port.
        protocol: TCP, UDP or SCTP.
        error: Why the port takes no traffic, as one word in CamelCase.
    """

    required = ("port", "protocol")

    port: Int32 = field(default_factory=int)
    protocol: Annotated[str, PROTOCOL] = field(default_factory=str)
    error: str | None = None


class LoadBalancerIngress(Wire):
    """One address or name at which the load balancer takes traffic.

    Attributes:
        ip: The address, if there is one.
        hostname: The DNS name, if there is one.
        ip_mode: VIP if traffic arrives at nodes with this address as its destination. Proxy if it arrives with the
            address of the node or pod.
        ports: The state of each port.
    """

    ip: str = ""
    hostname: str = ""
    ip_mode: Annotated[str, one_of("VIP", "Proxy")] | None = None
    ports: Annotated[list[PortStatus], ATOMIC] | None = None


class LoadBalancerStatus(Wire):
    """Where the load balancer takes traffic.

    Attributes:
        ingress: Addresses and names. Empty while there is no load balancer.
    """

    ingress: Annotated[list[LoadBalancerIngress], ATOMIC] | None = None


class ServiceStatus(Wire):
    """The observed state of a Service.

    Attributes:
        load_balancer: Where the load balancer takes traffic, for type LoadBalancer.
        conditions: `Allocated`, `Resolvable` and `Programmed`, and conditions that other controllers write.
    """

    load_balancer: LoadBalancerStatus = field(default_factory=LoadBalancerStatus)
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class Service(KubeObject):
    """A name, addresses and ports for a set of endpoints."""

    spec: ServiceSpec = field(default_factory=ServiceSpec)
    status: ServiceStatus = field(default_factory=ServiceStatus)
