"""Errors for the annotations of a LoadBalancer Service that our controller serves.

Azure ignores misspelt values silently, and finds others out after it has built half of a load balancer. Here all are
refused before anything is stored.
"""

from collections.abc import Callable, Iterator, Mapping

from app.domain.errors import Cause, forbidden, invalid
from app.domain.kinds.service import Service
from app.domain.rules.service.admission import Admission, annotated_ranges
from app.domain.rules.service.annotations import DENY_ALL, MAX_PROBE_SECONDS, RANGES, Annotation, annotation_field
from app.domain.rules.service.load_balancer_wish import (
    DEFAULT_PROBE_COUNT,
    DEFAULT_PROBE_INTERVAL,
    LoadBalancerWish,
    ProbeWish,
    wish_of,
)
from app.domain.rules.service.probes import probe_target

_IN_SPEC = "spec.loadBalancerSourceRanges"


def annotation_causes(service: Service, old: Service | None) -> list[Cause]:
    """Refuse wrong values, and values that contradict each other.

    Args:
        service: A LoadBalancer that our own controller serves.
        old: The stored Service, if our controller served it, too. What was wrong with it is tolerated.
    """
    wish, before = wish_of(service), wish_of(old) if old is not None else None
    stored = {each.key: each.text for each in before.annotations} if before is not None else {}
    causes = [
        invalid(each.field, each.text, each.problem)
        for each in wish.annotations
        if each.problem and stored.get(each.key) != each.text
    ]
    return causes or [*_contradictions(service, old), *_probe_time_causes(wish, stored)]


def _contradictions(service: Service, old: Service | None) -> list[Cause]:
    found: list[Cause] = []
    for rule in _CONTRADICTIONS:
        tolerated = [] if old is None else list(rule(old))
        found += [cause for cause in rule(service) if cause not in tolerated]
    return found


def _ranges_given_twice(service: Service) -> Iterator[Cause]:
    """Ranges stand in the spec or in annotations: the provider of Azure refuses both together."""
    if service.spec.load_balancer_source_ranges:
        for each in annotated_ranges(service):
            yield forbidden(each.field, f"give ranges here or in {_IN_SPEC}, not in both")


def _ranges_that_admit_nobody(service: Service) -> Iterator[Cause]:
    """Ranges that have none of a family of the Service close it. Azure closes it without a word."""
    admission, families = Admission.of(service), service.spec.ip_families or []
    reached = any(f"IPv{network.version}" in families for network in admission.networks)
    if not admission.networks or not families or reached or admission.tags:
        return
    annotated = annotated_ranges(service)
    field = annotated[0].field if annotated else _IN_SPEC
    text, family = ", ".join(map(str, admission.networks)), " or ".join(families)
    yield invalid(field, text, f"must have an {family} CIDR, else nobody reaches the {family} address")


def _denial_without_ranges(service: Service) -> Iterator[Cause]:
    """Azure ignores the annotation where there are no ranges, so that the Service stays open."""
    if wish_of(service).denies_all_else and not Admission.of(service).ranged:
        needed = f"needs ranges of the clients to admit: in {_IN_SPEC} or in {RANGES[0]}"
        yield forbidden(annotation_field(DENY_ALL), needed)


def _unknown_probe_ports(service: Service) -> Iterator[Cause]:
    ports = service.spec.ports or []
    for each in wish_of(service).annotations:
        if each.attribute == "probe.port" and each.value is not None and probe_target(ports, each.value) is None:
            names = ", ".join(port.name for port in ports if port.name) or "no port has a name"
            yield invalid(
                each.field, each.text, f"must be a port number or the name of a port of the Service ({names})"
            )


_CONTRADICTIONS: tuple[Callable[[Service], Iterator[Cause]], ...] = (
    _ranges_given_twice,
    _ranges_that_admit_nobody,
    _denial_without_ranges,
    _unknown_probe_ports,
)


def _probe_time_causes(wish: LoadBalancerWish, stored: Mapping[str, str]) -> Iterator[Cause]:
    """Each probe must notice a dead backend within two minutes."""
    probes: list[tuple[int | None, ProbeWish]] = [(None, wish.probe)]
    probes += [(number, port.probe) for number, port in sorted(wish.ports.items())]
    for number, probe in probes:
        changed = _changed_times(wish, number, stored)
        interval = _first(probe.interval, wish.probe.interval, DEFAULT_PROBE_INTERVAL)
        count = _first(probe.count, wish.probe.count, DEFAULT_PROBE_COUNT)
        if changed and interval * count >= MAX_PROBE_SECONDS:
            problem = f"{interval} s times {count} probes must be less than {MAX_PROBE_SECONDS} s"
            yield invalid(changed[0].field, changed[0].text, problem)


def _changed_times(wish: LoadBalancerWish, port: int | None, stored: Mapping[str, str]) -> list[Annotation]:
    """The interval and the number of probes, if the client changes them."""
    return [
        each
        for attribute in ("probe.interval", "probe.count")
        for each in wish.annotations
        if each.attribute == attribute and each.port == port and stored.get(each.key) != each.text
    ]


def _first(own: int | None, of_service: int | None, default: int) -> int:
    """The setting of a port, else that of the Service, else the default. A stored 0 is tolerated, and counts."""
    if own is not None:
        return own
    return of_service if of_service is not None else default
