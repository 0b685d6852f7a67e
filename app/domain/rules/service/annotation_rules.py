"""Errors and warnings for the annotations of a LoadBalancer Service that our controller serves.

Azure ignores misspelt keys and values silently. Here a wrong value is an error, and an unknown key gets a warning.
"""

from collections.abc import Iterator, Mapping

from app.domain.errors import Cause, forbidden, invalid
from app.domain.kinds.service import Service
from app.domain.rules.service.annotations import (
    ALLOWED_TAGS,
    HIGH_AVAILABILITY_PORTS,
    MAX_PROBE_SECONDS,
    PREFIX,
    Annotation,
    annotation_field,
)
from app.domain.rules.service.load_balancer_wish import LoadBalancerWish, ProbeWish, wish_of

_LATER = tuple(
    PREFIX + name
    for name in ("azure-pls-", "azure-pip-prefix-id", "azure-pip-tags", "azure-load-balancer-configurations")
)
"""Prefixes of keys that Azure knows and that have no effect here."""

_DEFAULT_INTERVAL, _DEFAULT_COUNT = 5, 2


def annotation_causes(service: Service, old: Service | None) -> list[Cause]:
    """Refuse wrong values.

    Args:
        service: A LoadBalancer that our own controller serves.
        old: The stored Service, if our controller served it, too. An annotation that it has already is tolerated.
    """
    wish, before = wish_of(service), wish_of(old) if old is not None else None
    stored = {each.key: each.text for each in before.annotations} if before is not None else {}
    causes = [
        invalid(each.field, each.text, each.problem)
        for each in wish.annotations
        if each.problem and stored.get(each.key) != each.text
    ]
    return causes or [*_tag_causes(service, old), *_probe_time_causes(wish, stored)]


def annotation_warnings(service: Service) -> list[str]:
    """Point out annotations without effect."""
    wish = wish_of(service)
    numbers = {port.port for port in service.spec.ports or []}
    warnings = [text for each in wish.annotations for text in _warnings_of(each, numbers)]
    if wish.high_availability_ports and not wish.internal:
        warnings.append(
            f"annotation {HIGH_AVAILABILITY_PORTS} is ignored: only an internal load balancer can have such a rule"
        )
    return warnings


def _warnings_of(each: Annotation, ports: set[int]) -> Iterator[str]:
    if each.port is not None and each.port not in ports:
        yield f"annotation {each.key} is ignored: the Service has no port {each.port}"
    elif not each.attribute and each.key.startswith(_LATER):
        yield f"annotation {each.key} has no effect yet"
    elif not each.attribute:
        yield f"annotation {each.key} is unknown and has no effect; is it misspelt?"


def _tag_causes(service: Service, old: Service | None) -> Iterator[Cause]:
    """A Service admits clients either by service tag or by range."""
    if _has_tags_and_ranges(service) and not (old is not None and _has_tags_and_ranges(old)):
        yield forbidden(annotation_field(ALLOWED_TAGS), "use either service tags or spec.loadBalancerSourceRanges")


def _has_tags_and_ranges(service: Service) -> bool:
    return bool(service.spec.load_balancer_source_ranges and wish_of(service).allowed_tags)


def _probe_time_causes(wish: LoadBalancerWish, stored: Mapping[str, str]) -> Iterator[Cause]:
    """Each probe must notice a dead backend within two minutes."""
    probes: list[tuple[int | None, ProbeWish]] = [(None, wish.probe)]
    probes += [(number, port.probe) for number, port in sorted(wish.ports.items())]
    for number, probe in probes:
        changed = _changed_times(wish, number, stored)
        interval = _first(probe.interval, wish.probe.interval, _DEFAULT_INTERVAL)
        count = _first(probe.count, wish.probe.count, _DEFAULT_COUNT)
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
