"""What a Service asks for and data planes cannot do."""

from collections.abc import Iterator

from app.domain.kinds.service import Service
from app.domain.rules.service.annotations import HIGH_AVAILABILITY_PORTS, PROXY_PROTOCOL, TCP_RESET_DISABLED
from app.domain.rules.service.load_balancer_wish import wish_of
from app.domain.rules.service.needs import CLIENT_IP

_DEFAULT_AFFINITY_SECONDS = 10800


def limits(service: Service) -> Iterator[str]:
    """What a Service asks for and Envoy cannot do, in words. What it asks for by default is in the documents."""
    wish, spec = wish_of(service), service.spec
    if any(port.protocol == "SCTP" for port in spec.ports or []):
        yield "ports of protocol SCTP are not served"
    if wish.proxy_protocol and any(port.protocol == "UDP" for port in spec.ports or []):
        yield f"{PROXY_PROTOCOL} is for TCP: datagrams reach members without it"
    if wish.high_availability_ports and wish.internal:
        yield f"of {HIGH_AVAILABILITY_PORTS}, the ports that the Service lists are served"
    if any(each.key == TCP_RESET_DISABLED and each.value is False for each in wish.annotations):
        yield "idle connections end with FIN, not with a reset"
    config = spec.session_affinity_config
    timeout = None if config is None or config.client_ip is None else config.client_ip.timeout_seconds
    if spec.session_affinity == CLIENT_IP and timeout not in (None, _DEFAULT_AFFINITY_SECONDS):
        yield "session affinity lasts as long as the members: its timeout has no effect"
