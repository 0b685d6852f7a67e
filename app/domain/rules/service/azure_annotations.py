"""The annotations by which AKS users say what their load balancer is to be like: one table, and what follows from it.

Azure ignores a misspelt key or value without a word; here a bad value is refused and an unknown key is warned of. They
matter only to LoadBalancer Services that our own controller serves.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from app.domain.errors import Cause, forbidden, invalid
from app.domain.kinds.service import Service
from app.domain.rules.addresses import strict_address, strict_network
from app.domain.rules.names import dns_label_problem, port_name_problem, port_number_problem
from app.domain.rules.service.load_balancer_wish import HIGH_AVAILABILITY_PORTS, PREFIX, annotation_field, is_internal

Check = Callable[[str], str | None]
"""What is wrong with a value and what would be valid; None when nothing is."""

SERVICE_TAGS = ("AzureLoadBalancer", "Internet", "VirtualNetwork")
"""Named ranges whose meaning does not depend on a list that Azure publishes."""

MAX_PROBE_SECONDS = 120
"""Interval times number of probes stays below."""

_DIGITS = re.compile(r"[0-9]{1,9}")
_RESOURCE_NAME = re.compile(r"[A-Za-z0-9_]([-A-Za-z0-9_.]{0,78}[A-Za-z0-9_])?")
_PROBE_PROTOCOLS = ("tcp", "http", "https")
_ALLOWED_TAGS = PREFIX + "azure-allowed-service-tags"
_DEFAULT_INTERVAL, _DEFAULT_PROBES = 5, 2


def _boolean(value: str) -> str | None:
    return None if value in ("true", "false") else "must be true or false, in lower case"


def _number(lowest: int, highest: int, unit: str, value: str) -> str | None:
    number = _whole_number(value)
    valid = number is not None and lowest <= number <= highest
    return None if valid else f"must be a number from {lowest} to {highest}{unit}"


def _whole_number(text: str) -> int | None:
    return int(text) if _DIGITS.fullmatch(text) else None


def _one_of(values: tuple[str, ...], value: str) -> str | None:
    return None if value.lower() in values else f"must be one of {', '.join(values)}"


def _address(version: int, value: str) -> str | None:
    address = strict_address(value)
    return None if address is not None and address.version == version else f"must be an IPv{version} address"


def _each(problem: Check, value: str) -> str | None:
    return next((found for part in value.split(",") if (found := problem(part.strip()))), None)


def _resource_name(value: str) -> str | None:
    if _RESOURCE_NAME.fullmatch(value):
        return None
    return (
        "must be a name of at most 80 letters, digits, '-', '_' and '.', beginning and ending with none of '-' and '.'"
    )


def _dns_label(value: str) -> str | None:
    return dns_label_problem(value) if value else None


def _cidr(value: str) -> str | None:
    return None if strict_network(value) is not None else f"must be CIDRs such as 10.9.8.0/24, not {value!r}"


def _any_address(value: str) -> str | None:
    return None if strict_address(value) is not None else f"must be IP addresses, not {value!r}"


def _service_tag(value: str) -> str | None:
    return None if value in SERVICE_TAGS else f"must be of {', '.join(SERVICE_TAGS)}, not {value!r}"


def _path(value: str) -> str | None:
    return None if value.startswith("/") and value.isprintable() else "must be a path, such as /healthz"


def _port(value: str) -> str | None:
    number = _whole_number(value)
    return port_name_problem(value) if number is None or port_number_problem(number) else None


_PROBE_CHECKS: Mapping[str, Check] = {
    "protocol": partial(_one_of, _PROBE_PROTOCOLS),
    "interval": partial(_number, 5, MAX_PROBE_SECONDS - 1, " seconds"),
    "num-of-probe": partial(_number, 2, MAX_PROBE_SECONDS - 1, " probes"),
    "request-path": _path,
}

KNOWN: Mapping[str, Check] = {
    "azure-load-balancer-internal": _boolean,
    "azure-load-balancer-internal-subnet": _resource_name,
    "azure-load-balancer-ipv4": partial(_address, 4),
    "azure-load-balancer-ipv6": partial(_address, 6),
    "azure-pip-name": _resource_name,
    "azure-pip-name-ipv6": _resource_name,
    "azure-dns-label-name": _dns_label,
    "azure-allowed-ip-ranges": partial(_each, _cidr),
    "azure-allowed-service-tags": partial(_each, _service_tag),
    "azure-deny-all-except-load-balancer-source-ranges": _boolean,
    "azure-load-balancer-tcp-idle-timeout": partial(_number, 4, 100, " minutes"),
    "azure-load-balancer-disable-tcp-reset": _boolean,
    **{f"azure-load-balancer-health-probe-{name}": check for name, check in _PROBE_CHECKS.items()},
    "azure-additional-public-ips": partial(_each, _any_address),
    "azure-load-balancer-enable-high-availability-ports": _boolean,
    "azure-disable-load-balancer-floating-ip": _boolean,
}
"""Keys after the prefix, with what their values must be."""

PER_PORT: Mapping[str, Check] = {
    "no_lb_rule": _boolean,
    "no_probe_rule": _boolean,
    **{f"health-probe_{name}": check for name, check in _PROBE_CHECKS.items()},
    "health-probe_port": _port,
}
"""Keys after `port_<port>_`."""

LATER = ("azure-pls-", "azure-pip-prefix-id", "azure-pip-tags", "azure-load-balancer-configurations")
"""Beginnings of keys that Azure knows and this project does not act on."""

_PER_PORT_KEY = re.compile(r"port_([0-9]{1,5})_(.+)")


@dataclass(frozen=True, slots=True)
class _Reading:
    """One annotation that may concern a load balancer: its key after the prefix, and what checks its value."""

    key: str
    short: str
    value: str
    check: Check | None
    port: int | None = None


def annotation_causes(service: Service, old: Service | None) -> list[Cause]:
    """Refuse bad values.

    Args:
        service: A LoadBalancer that our own controller serves.
        old: What is stored, if it was such a LoadBalancer too: what it had already is tolerated.
    """
    stored = (old.metadata.annotations if old is not None else None) or {}
    causes = []
    for each in _readings(service.metadata.annotations or {}):
        problem = each.check(each.value) if each.check is not None and stored.get(each.key) != each.value else None
        if problem:
            causes.append(invalid(annotation_field(each.key), each.value, problem))
    return causes or [*_tag_causes(service, old), *_probe_time_causes(service.metadata.annotations or {}, stored)]


def annotation_warnings(service: Service) -> list[str]:
    """Point out keys that mean nothing here."""
    annotations = service.metadata.annotations or {}
    warnings = [text for each in _readings(annotations) for text in _warnings_of(each, service)]
    if annotations.get(HIGH_AVAILABILITY_PORTS) == "true" and not is_internal(service):
        warnings.append(
            f"annotation {HIGH_AVAILABILITY_PORTS} is ignored: only an internal load balancer has one rule for all"
        )
    return warnings


def _readings(annotations: Mapping[str, str]) -> Iterator[_Reading]:
    for key, value in annotations.items():
        short = key.removeprefix(PREFIX)
        per_port = _PER_PORT_KEY.fullmatch(short)
        if short == key:
            continue
        if per_port:
            yield _Reading(key, short, value, PER_PORT.get(per_port[2]), int(per_port[1]))
        elif short.startswith("azure-"):
            yield _Reading(key, short, value, KNOWN.get(short))


def _warnings_of(each: _Reading, service: Service) -> Iterator[str]:
    if each.port is not None and each.port not in {port.port for port in service.spec.ports or []}:
        yield f"annotation {each.key} is ignored: the Service has no port {each.port}"
    elif each.check is None and each.short.startswith(LATER):
        yield f"annotation {each.key} has no effect yet"
    elif each.check is None:
        yield f"annotation {each.key} is unknown and has no effect; is it misspelt?"


def _tag_causes(service: Service, old: Service | None) -> Iterator[Cause]:
    """Clients are admitted by tag or by range, not by both."""
    if not (service.metadata.annotations or {}).get(_ALLOWED_TAGS) or not service.spec.load_balancer_source_ranges:
        return
    if old is None or not (
        (old.metadata.annotations or {}).get(_ALLOWED_TAGS) and old.spec.load_balancer_source_ranges
    ):
        yield forbidden(annotation_field(_ALLOWED_TAGS), "use either service tags or spec.loadBalancerSourceRanges")


def _probe_time_causes(annotations: Mapping[str, str], stored: Mapping[str, str]) -> Iterator[Cause]:
    """A backend must be found out within two minutes, by the probe of all ports and by that of each."""
    whole = f"{PREFIX}azure-load-balancer-health-probe-"
    ports = {match[1] for key in annotations if (match := _PER_PORT_KEY.fullmatch(key.removeprefix(PREFIX)))}
    for prefix in (whole, *(f"{PREFIX}port_{port}_health-probe_" for port in sorted(ports))):
        keys = (f"{prefix}interval", f"{prefix}num-of-probe")
        changed = [key for key in keys if key in annotations and annotations[key] != stored.get(key)]
        interval = _first_number(annotations, (keys[0], f"{whole}interval"), _DEFAULT_INTERVAL)
        probes = _first_number(annotations, (keys[1], f"{whole}num-of-probe"), _DEFAULT_PROBES)
        if changed and interval * probes >= MAX_PROBE_SECONDS:
            problem = f"{interval} s times {probes} probes must be less than {MAX_PROBE_SECONDS} s"
            yield invalid(annotation_field(changed[0]), annotations[changed[0]], problem)


def _first_number(annotations: Mapping[str, str], keys: tuple[str, str], default: int) -> int:
    numbers = (_whole_number(annotations.get(key, "")) for key in keys)
    return next((number for number in numbers if number is not None), default)
