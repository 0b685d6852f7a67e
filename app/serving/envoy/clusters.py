"""A backend as a cluster of Envoy, and its members as the cluster's assignment."""

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3.base_pb2 import TransportSocket
from envoy.config.core.v3.config_source_pb2 import AggregatedConfigSource, ApiVersion, ConfigSource
from envoy.config.core.v3.health_check_pb2 import HealthCheck, HealthStatus
from envoy.config.core.v3.proxy_protocol_pb2 import ProxyProtocolConfig
from envoy.config.endpoint.v3.endpoint_components_pb2 import Endpoint, LbEndpoint, LocalityLbEndpoints
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.extensions.transport_sockets.proxy_protocol.v3.upstream_proxy_protocol_pb2 import (
    ProxyProtocolUpstreamTransport,
)
from envoy.extensions.transport_sockets.raw_buffer.v3.raw_buffer_pb2 import RawBuffer
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import UpstreamTlsContext
from envoy.type.v3.percent_pb2 import Percent
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from google.protobuf.wrappers_pb2 import UInt32Value

from app.domain.wanted.traffic import Backend, Member, Probing
from app.serving.envoy.sockets import packed, socket_address

CONNECT_SECONDS = 5
LONGEST_PROBE_SECONDS = 5
"""Time for the answer to a probe, unless the interval is shorter."""

_NO_SPILL_PERCENT = 10_000_000
"""One member of many thousands that is well takes all traffic, before any goes to those that are a fallback."""

_PROBE_SOCKET = "probe"
_V1, _V2 = ProxyProtocolConfig.Version.V1, ProxyProtocolConfig.Version.V2
_ADS = ConfigSource(ads=AggregatedConfigSource(), resource_api_version=ApiVersion.V3)


def cluster(backend: Backend) -> Cluster:
    """The cluster of a backend. Its members come by themselves (EDS), so that their changes end no connection."""
    found = Cluster(
        name=backend.name,
        type=Cluster.EDS,
        eds_cluster_config=Cluster.EdsClusterConfig(eds_config=_ADS),
        connect_timeout=Duration(seconds=CONNECT_SECONDS),
        lb_policy=Cluster.MAGLEV if backend.affinity else Cluster.ROUND_ROBIN,
        # Without panic, members known to be dead get nothing while others live; nor do they when none lives.
        common_lb_config=Cluster.CommonLbConfig(
            healthy_panic_threshold=Percent(value=0),
            ignore_new_hosts_until_first_hc=True,
            # By default the first probe of a new member takes effect a second after the member came.
            update_merge_window=Duration(),
        ),
        ignore_health_on_host_removal=True,
    )
    if backend.probing is not None:
        found.health_checks.append(_health_check(backend.probing))
        if backend.probing.protocol == "Https":
            found.transport_socket_matches.append(_tls_for_probes(backend.proxy_protocol))
    if backend.proxy_protocol:
        plain = TransportSocket(name="envoy.transport_sockets.raw_buffer", typed_config=packed(RawBuffer()))
        found.transport_socket.CopyFrom(_proxy_protocol(backend.proxy_protocol, plain))
    return found


def assignment(backend: Backend) -> ClusterLoadAssignment:
    """The members of a backend."""
    return ClusterLoadAssignment(
        cluster_name=backend.name,
        endpoints=[LocalityLbEndpoints(lb_endpoints=[_endpoint(backend, each) for each in backend.members])]
        if backend.members
        else [],
        policy=ClusterLoadAssignment.Policy(overprovisioning_factor=UInt32Value(value=_NO_SPILL_PERCENT)),
    )


def empty_assignment(name: str) -> ClusterLoadAssignment:
    """The answer for a cluster that is not known: a name without an answer would hold up all the others."""
    return ClusterLoadAssignment(cluster_name=name)


def _endpoint(backend: Backend, member: Member) -> LbEndpoint:
    endpoint = Endpoint(address=socket_address(member.address, member.port, backend.protocol))
    probing = backend.probing
    if probing is not None and (member.probe_port != member.port or backend.protocol == "UDP"):
        # UDP members are probed over TCP, so the address of the probe has to say so.
        endpoint.health_check_config.address.CopyFrom(socket_address(member.address, member.probe_port, "TCP"))
    return LbEndpoint(
        endpoint=endpoint, health_status=HealthStatus.DEGRADED if member.fallback else HealthStatus.UNKNOWN
    )


def _health_check(probing: Probing) -> HealthCheck:
    interval = Duration(seconds=probing.interval)
    check = HealthCheck(
        timeout=Duration(seconds=min(probing.interval, LONGEST_PROBE_SECONDS)),
        interval=interval,
        # Envoy probes clusters that have no traffic once a minute, if it is not told otherwise.
        no_traffic_interval=interval,
        no_traffic_healthy_interval=interval,
        unhealthy_threshold=UInt32Value(value=probing.threshold),
        healthy_threshold=UInt32Value(value=1),
    )
    check.reuse_connection.value = False
    if probing.protocol == "Tcp":
        check.tcp_health_check.SetInParent()
    else:
        check.http_health_check.path = probing.path
    if probing.protocol == "Https":
        check.transport_socket_match_criteria.CopyFrom(_criteria())
    return check


def _criteria() -> Struct:
    found = Struct()
    found.update({_PROBE_SOCKET: True})
    return found


def _tls_for_probes(proxy_protocol: int) -> Cluster.TransportSocketMatch:
    """TLS for probes alone. Like Azure's, they take any certificate."""
    tls = TransportSocket(name="envoy.transport_sockets.tls", typed_config=packed(UpstreamTlsContext()))
    return Cluster.TransportSocketMatch(
        name=_PROBE_SOCKET,
        match=_criteria(),
        transport_socket=_proxy_protocol(proxy_protocol, tls) if proxy_protocol else tls,
    )


def _proxy_protocol(version: int, within: TransportSocket) -> TransportSocket:
    """Tell members the address of their client (the PROXY protocol of HAProxy), before all else."""
    config = ProxyProtocolConfig(version=_V1 if version == 1 else _V2)
    return TransportSocket(
        name="envoy.transport_sockets.upstream_proxy_protocol",
        typed_config=packed(ProxyProtocolUpstreamTransport(config=config, transport_socket=within)),
    )
