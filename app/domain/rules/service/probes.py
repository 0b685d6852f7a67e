"""The probes of a load balancer: which port is asked how, and how often."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.kinds.service import Service, ServicePort
from app.domain.rules.service.load_balancer_wish import (
    DEFAULT_PROBE_COUNT,
    DEFAULT_PROBE_INTERVAL,
    LoadBalancerWish,
    PortWish,
    ProbeWish,
    wish_of,
)
from app.domain.rules.service.needs import needs_health_check_node_port

LOCAL_PATH = "/healthz"
"""Path at which a node tells whether it has endpoints of a Service with `externalTrafficPolicy: Local`."""

_PROTOCOLS = {"tcp": "Tcp", "http": "Http", "https": "Https"}


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """A probe, whichever frontend it is for.

    Attributes:
        label: The protocol and the port that its name is made of.
        protocol: `Tcp`, `Http` or `Https`.
        port: The port that Azure would probe on the nodes.
        path: Of an HTTP or HTTPS request, else "".
        interval: Seconds from one probe to the next.
        threshold: Failed probes after which a member gets no traffic.
        target: What is probed on a member: a port of the Service, or the number of a port. None for the probe of
            `externalTrafficPolicy: Local`, which asks nodes and not members.
    """

    label: tuple[str, int]
    protocol: str
    port: int
    path: str
    interval: int
    threshold: int
    target: ServicePort | int | None


def probe_of(service: Service, port: ServicePort) -> ProbePlan | None:
    """The probe of the rule of a port; None if its members are not probed.

    Under `externalTrafficPolicy: Local` all ports have one probe, except those with a probe port of their own.
    """
    wish = wish_of(service)
    own = wish.ports.get(port.port, PortWish())
    if own.probe_disabled:
        return None
    if needs_health_check_node_port(service.spec) and own.probe.port is None:
        return _local(service, wish)
    return _of_port(service, port, own.probe, wish.probe)


def lent_probe(service: Service) -> ProbePlan | None:
    """The probe of a rule for all ports: that of the first port that has one, without regard to its switches."""
    wish, ports = wish_of(service), service.spec.ports or []
    if needs_health_check_node_port(service.spec):
        return _local(service, wish)
    plans = (_of_port(service, port, wish.ports.get(port.port, PortWish()).probe, wish.probe) for port in ports)
    found = next((plan for plan in plans if plan is not None), None)
    # Azure names the probe as the rule, after the first port, whichever port lends it.
    return None if found is None else replace(found, label=(ports[0].protocol, ports[0].port))


def probe_target(ports: Sequence[ServicePort], asked: int | str) -> ServicePort | int | None:
    """What an annotation means by a probe port; None for a name that no port of the Service has.

    It is the port of the Service that has this name, in any case, or this number; else the number itself.
    """
    named = (port for port in ports if isinstance(asked, str) and port.name.lower() == asked.lower())
    numbered = (port for port in ports if port.port == asked)
    return next(named, None) or next(numbered, None) or (asked if isinstance(asked, int) else None)


def _local(service: Service, wish: LoadBalancerWish) -> ProbePlan:
    """Its times may be set for the number of the healthCheckNodePort, as for a port of the Service."""
    number = service.spec.health_check_node_port
    own = wish.ports.get(number, PortWish()).probe
    interval, count = _times(own, wish.probe)
    return ProbePlan(("TCP", number), "Http", number, LOCAL_PATH, interval, count, None)


def _of_port(service: Service, port: ServicePort, own: ProbeWish, of_service: ProbeWish) -> ProbePlan | None:
    if port.protocol != "TCP":
        return None
    target: ServicePort | int | None = port if own.port is None else probe_target(service.spec.ports or [], own.port)
    if target is None:
        return None
    protocol = _protocol(port, own, of_service)
    path = "" if protocol == "Tcp" else own.path or of_service.path or "/"
    interval, count = _times(own, of_service)
    number = target if isinstance(target, int) else target.node_port
    return ProbePlan((port.protocol, port.port), protocol, number, path, interval, count, target)


def _protocol(port: ServicePort, own: ProbeWish, of_service: ProbeWish) -> str:
    """An application protocol that is neither HTTP nor HTTPS means TCP, whatever holds for the whole Service."""
    word = own.protocol or (port.app_protocol if port.app_protocol is not None else of_service.protocol) or "tcp"
    return _PROTOCOLS.get(word.strip().lower(), "Tcp")


def _times(own: ProbeWish, of_service: ProbeWish) -> tuple[int, int]:
    interval = next((each for each in (own.interval, of_service.interval) if each is not None), DEFAULT_PROBE_INTERVAL)
    count = next((each for each in (own.count, of_service.count) if each is not None), DEFAULT_PROBE_COUNT)
    return interval, count
