"""Listeners of Envoy: for TCP, for UDP, and for the health of a node."""

import json

from envoy.config.core.v3.base_pb2 import DataSource, HeaderValue, HeaderValueOption
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3.listener_pb2 import Listener as ListenerMessage
from envoy.config.listener.v3.udp_listener_config_pb2 import UdpListenerConfig
from envoy.config.route.v3 import route_components_pb2 as routes
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.http.router.v3.router_pb2 import Router
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as http
from envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2 import TcpProxy
from envoy.extensions.filters.udp.udp_proxy.v3.route_pb2 import Route
from envoy.extensions.filters.udp.udp_proxy.v3.udp_proxy_pb2 import UdpProxyConfig
from envoy.extensions.matching.common_inputs.network.v3.network_inputs_pb2 import SourceIPInput
from envoy.type.v3.hash_policy_pb2 import HashPolicy
from google.protobuf.duration_pb2 import Duration
from google.protobuf.wrappers_pb2 import BoolValue, UInt32Value
from xds.core.v3.cidr_pb2 import CidrRange
from xds.core.v3.extension_pb2 import TypedExtensionConfig
from xds.type.matcher.v3.ip_pb2 import IPMatcher
from xds.type.matcher.v3.matcher_pb2 import Matcher

from app.domain.wanted.traffic import HealthListener, Listener
from app.mirror.entry import NamespacedName
from app.serving.envoy.sockets import cidr_range, packed, socket_address

_STATISTICS = "fairlead"
_CONNECT_ATTEMPTS = 3
_OK, _UNAVAILABLE = 200, 503


def listener(wanted: Listener, *, embedded: bool) -> ListenerMessage:
    """The listener of a frontend port.

    Args:
        wanted: What it does. It admits somebody: an Envoy does not listen where nobody is admitted.
        embedded: Whether the Envoy is alone on its machine: then a second one must not share its ports unnoticed, and
            the addresses are the machine's own.
    """
    return _udp(wanted, embedded=embedded) if wanted.protocol == "UDP" else _tcp(wanted, embedded=embedded)


def _frame(name: str, address: str, port: int, protocol: str, *, embedded: bool) -> ListenerMessage:
    return ListenerMessage(
        name=name,
        address=socket_address(address, port, protocol),
        stat_prefix=_STATISTICS,
        # A frontend need not be an address of the machine: whoever routes it there may come later.
        freebind=BoolValue(value=True),
        enable_reuse_port=BoolValue(value=not embedded),
    )


def _tcp(wanted: Listener, *, embedded: bool) -> ListenerMessage:
    """A source without a match is closed before any member is connected to; the RBAC filter would let bytes through."""
    proxy = TcpProxy(
        stat_prefix=_STATISTICS,
        cluster=wanted.backend,
        idle_timeout=Duration(seconds=wanted.idle_timeout),
        # A member may have died since its last probe: another one is tried before the client notices.
        max_connect_attempts=UInt32Value(value=_CONNECT_ATTEMPTS),
    )
    if wanted.affinity:
        proxy.hash_policy.append(HashPolicy(source_ip=HashPolicy.SourceIp()))
    chain = components.FilterChain(
        filter_chain_match=None if is_open(wanted) else _of_sources(wanted),
        filters=[components.Filter(name="envoy.filters.network.tcp_proxy", typed_config=packed(proxy))],
    )
    found = _frame(wanted.name, wanted.address, wanted.port, "TCP", embedded=embedded)
    found.filter_chains.append(chain)
    return found


def _of_sources(wanted: Listener) -> components.FilterChainMatch:
    return components.FilterChainMatch(source_prefix_ranges=map(cidr_range, wanted.sources))


def _udp(wanted: Listener, *, embedded: bool) -> ListenerMessage:
    """A session for each client; a datagram of a source without a match is dropped."""
    proxy = UdpProxyConfig(
        stat_prefix=_STATISTICS,
        idle_timeout=Duration(seconds=wanted.idle_timeout),
        matcher=_matcher(wanted),
        hash_policies=[UdpProxyConfig.HashPolicy(source_ip=True)] if wanted.affinity else [],
    )
    found = _frame(wanted.name, wanted.address, wanted.port, "UDP", embedded=embedded)
    found.udp_listener_config.CopyFrom(UdpListenerConfig())
    found.listener_filters.append(
        components.ListenerFilter(name="envoy.filters.udp_listener.udp_proxy", typed_config=packed(proxy))
    )
    return found


def _matcher(wanted: Listener) -> Matcher:
    route = Matcher.OnMatch(
        action=TypedExtensionConfig(name="route", typed_config=packed(Route(cluster=wanted.backend)))
    )
    if is_open(wanted):
        return Matcher(on_no_match=route)
    ranges = [
        CidrRange(address_prefix=each.address_prefix, prefix_len=UInt32Value(value=each.prefix_len.value))
        for each in map(cidr_range, wanted.sources)
    ]
    by_source = IPMatcher(range_matchers=[IPMatcher.IPRangeMatcher(ranges=ranges, on_match=route)])
    source = TypedExtensionConfig(name="envoy.matching.inputs.source_ip", typed_config=packed(SourceIPInput()))
    custom = TypedExtensionConfig(
        name="envoy.matching.custom_matchers.ip_range_matcher", typed_config=packed(by_source)
    )
    return Matcher(matcher_tree=Matcher.MatcherTree(input=source, custom_match=custom))


def is_open(wanted: Listener) -> bool:
    """Whether every client is admitted."""
    return any(source.endswith("/0") for source in wanted.sources)


def health_listener(wanted: HealthListener, owner: NamespacedName, *, embedded: bool) -> ListenerMessage:
    """The answer of a node about its members, as kube-proxy gives it at the healthCheckNodePort."""
    body = {
        "service": {"namespace": owner[0], "name": owner[1]},
        "localEndpoints": wanted.members,
        "serviceProxyHealthy": True,
    }
    answer = routes.DirectResponseAction(
        status=_OK if wanted.members else _UNAVAILABLE, body=DataSource(inline_string=json.dumps(body))
    )
    route = routes.Route(
        match=routes.RouteMatch(prefix="/"),
        direct_response=answer,
        response_headers_to_add=[
            _header("content-type", "application/json"),
            _header("x-load-balancing-endpoint-weight", str(wanted.members)),
        ],
    )
    host = routes.VirtualHost(name="healthz", domains=["*"], routes=[route])
    edge = http.HttpConnectionManager(
        stat_prefix=_STATISTICS,
        route_config=RouteConfiguration(name="healthz", virtual_hosts=[host]),
        http_filters=[http.HttpFilter(name="envoy.filters.http.router", typed_config=packed(Router()))],
    )
    found = _frame(wanted.name, wanted.address, wanted.port, "TCP", embedded=embedded)
    filter_ = components.Filter(name="envoy.filters.network.http_connection_manager", typed_config=packed(edge))
    found.filter_chains.append(components.FilterChain(filters=[filter_]))
    return found


def _header(name: str, value: str) -> HeaderValueOption:
    return HeaderValueOption(
        header=HeaderValue(key=name, value=value), append_action=HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
    )
