"""Warnings for the annotations of a LoadBalancer Service that our controller serves: those without effect.

Azure says nothing of them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches

from app.domain.kinds.service import Service
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.annotations import (
    HIGH_AVAILABILITY_PORTS,
    PORT_READERS,
    PREFIX,
    READERS,
    WITHOUT_EFFECT,
    Annotation,
)
from app.domain.rules.service.foreign_annotations import SHARING
from app.domain.rules.service.load_balancer_wish import LoadBalancerWish, wish_of
from app.domain.rules.service.needs import needs_health_check_node_port
from app.domain.rules.service.probes import ProbePlan, lent_probe, probe_of
from app.domain.rules.service_tags import is_internet

_COMPARED = 8
"""How many unknown keys are compared with all known ones. A client can send thousands."""

_TIMES = ("probe.interval", "probe.count")


def annotation_warnings(service: Service, cluster: Cluster) -> list[str]:
    """Point out annotations without effect."""
    return [*_useless_keys(service), *_useless_settings(service), *_tags_that_admit_nobody(service, cluster)]


def _useless_keys(service: Service) -> Iterator[str]:
    numbers = {port.port for port in service.spec.ports or []}
    if needs_health_check_node_port(service.spec):
        numbers.add(service.spec.health_check_node_port)
    unknown = 0
    for each in wish_of(service).annotations:
        if each.attribute and each.port is not None and each.port not in numbers:
            yield f"annotation {each.key} is ignored: the Service has no port {each.port}"
        elif not each.attribute and (reason := _why_without_effect(each.key)):
            yield f"annotation {each.key} has no effect here: {reason}"
        elif not each.attribute:
            nearest = _nearest(each) if unknown < _COMPARED else ""
            unknown += 1
            question = f"do you mean {nearest}?" if nearest else "is it misspelt?"
            yield f"annotation {each.key} is unknown and has no effect; {question}"


def _why_without_effect(key: str) -> str:
    return next((reason for start, reason in WITHOUT_EFFECT.items() if key.startswith(start)), "")


def _nearest(unknown: Annotation) -> str:
    """The known key that looks most like an unknown one; "" if none does."""
    start = PREFIX if unknown.port is None else f"{PREFIX}port_{unknown.port}_"
    known = READERS if unknown.port is None else PORT_READERS
    names = [key.removeprefix(PREFIX) for key in known]
    found = get_close_matches(unknown.key.removeprefix(start), names, n=1, cutoff=0.75)
    return f"{start}{found[0]}" if found else ""


def _useless_settings(service: Service) -> Iterator[str]:
    """Known keys that have no effect on this Service."""
    wish = wish_of(service)
    plans = _plans(service)
    for each in wish.annotations:
        for applies, reason in _REASONS:
            if each.attribute and not each.problem and applies(each, wish):
                yield f"annotation {each.key} is ignored: {reason}"
        if each.attribute.startswith("probe.") and not each.problem and (why := _why_not_probed(each, service, plans)):
            yield f"annotation {each.key} is ignored: {why}"


def _is_on(each: Annotation) -> bool:
    return each.value is True


_Applies = Callable[[Annotation, LoadBalancerWish], bool]

_REASONS: Sequence[tuple[_Applies, str]] = (
    (
        lambda each, wish: each.key == HIGH_AVAILABILITY_PORTS and _is_on(each) and not wish.internal,
        "only an internal load balancer can have such a rule",
    ),
    (
        lambda each, wish: each.attribute == "subnet" and not wish.internal,
        "only an internal load balancer takes its addresses from a subnet",
    ),
    (
        lambda each, wish: (
            each.attribute in ("rule_disabled", "probe_disabled", "floating_ip_disabled")
            and _is_on(each)
            and wish.internal
            and wish.high_availability_ports
        ),
        "one rule covers all ports",
    ),
    (
        lambda each, wish: each.attribute.startswith(f"{SHARING}.") and not wish.asked,
        "Services share an address by naming it, or the StaticAddress that keeps it",
    ),
)
"""When an annotation has no effect, and why."""


def _plans(service: Service) -> Mapping[int, list[ProbePlan]]:
    """The probes of each port number; one that covers all ports is that of each."""
    wish, ports = wish_of(service), service.spec.ports or []
    if wish.internal and wish.high_availability_ports:
        lent = lent_probe(service)
        return {port.port: [lent] if lent is not None else [] for port in ports}
    found: dict[int, list[ProbePlan]] = {port.port: [] for port in ports}
    for port in ports:
        if (plan := probe_of(service, port)) is not None:
            found[port.port].append(plan)
    return found


def _why_not_probed(each: Annotation, service: Service, plans: Mapping[int, list[ProbePlan]]) -> str:
    """Why a setting of probes has no effect; "" if it has one, or if the port is not there."""
    local_port = service.spec.health_check_node_port if needs_health_check_node_port(service.spec) else None
    if each.port is not None and each.port not in plans:
        return "" if each.port != local_port or each.attribute in _TIMES else "this probe asks for /healthz by HTTP"
    concerned = [plan for number, found in plans.items() if each.port in (None, number) for plan in found]
    if not concerned:
        return "nothing is probed" if each.port is None else f"port {each.port} is not probed"
    own = [plan for plan in concerned if plan.target is not None]
    if not own and not (each.port is None and each.attribute in _TIMES):
        return "with externalTrafficPolicy Local, /healthz of the healthCheckNodePort is probed"
    if each.attribute == "probe.path" and all(plan.protocol == "Tcp" for plan in own):
        return "a TCP probe has no path"
    return ""


def _tags_that_admit_nobody(service: Service, cluster: Cluster) -> Iterator[str]:
    for tag in wish_of(service).allowed_tags:
        if not is_internet(tag) and not cluster.service_tags.networks(tag):
            yield f"the service tag {tag} admits nobody: --service-tags names no list that has its addresses"
