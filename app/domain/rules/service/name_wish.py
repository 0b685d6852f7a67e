"""The public DNS names that a Service asks for, read once from its annotations."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec

from app.domain.kinds.service import Service
from app.domain.rules.addresses import canonical, strict_address
from app.domain.rules.dns_zone import canonical_name
from app.domain.rules.names import MAX_LABEL, dns_subdomain_problems

EXTERNAL_DNS = "external-dns.alpha.kubernetes.io/"
HOSTNAME = EXTERNAL_DNS + "hostname"
INTERNAL_HOSTNAME = EXTERNAL_DNS + "internal-hostname"
TARGET = EXTERNAL_DNS + "target"
TIME_TO_LIVE = EXTERNAL_DNS + "ttl"

NAMES = "fairlead.io/fqdn"
"""The annotation in which the server shows the names that a Service has, separated by commas."""

LABEL = "fairlead.io/dns-label"
"""The annotation in which the server shows the label that a Service has in its location."""

SHOWN = (NAMES, LABEL)

DEFAULT_TTL = 60
"""Seconds that a resolver may keep the records of public names, unless the Service says something else."""

_MAX_NAMES = 50
_MAX_TTL = 2**31 - 1  # RFC 2181, section 8
_REMEMBERED = 256
_DURATION = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})(?:\.\d{1,9})?s)?")


class NameWish(msgspec.Struct, frozen=True, kw_only=True):
    """The names that a Service asks for with the annotations of ExternalDNS.

    Attributes:
        hostnames: For the addresses at which it is reached from outside; canonical.
        internal_hostnames: For its ClusterIPs; canonical.
        targets: What the hostnames stand for, instead of the addresses: addresses, or one domain name.
        ttl: Seconds.
        problems: What cannot be done, in words.
    """

    hostnames: tuple[str, ...] = ()
    internal_hostnames: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    ttl: int = DEFAULT_TTL
    problems: tuple[str, ...] = ()


_NOTHING = NameWish()


def name_wish(service: Service) -> NameWish:
    """What a Service asks for. A value that cannot be used is a problem, and has no effect."""
    annotations = service.metadata.annotations or {}
    pairs = tuple(pair for pair in annotations.items() if pair[0].startswith(EXTERNAL_DNS))
    return _read(pairs) if pairs else _NOTHING


def shown_names(service: Service) -> tuple[str, ...]:
    """The names that the Service has."""
    return tuple(filter(None, (service.metadata.annotations or {}).get(NAMES, "").split(",")))


def shown_label(service: Service) -> str:
    """The label that the Service has in its location, or ""."""
    return (service.metadata.annotations or {}).get(LABEL, "")


def show(annotations: Mapping[str, str] | None, names: Sequence[str], label: str) -> dict[str, str] | None:
    """Annotations that show these names and this label."""
    shown = {NAMES: ",".join(names), LABEL: label}
    rest = {key: value for key, value in (annotations or {}).items() if key not in SHOWN}
    return rest | {key: value for key, value in shown.items() if value} or None


@lru_cache(maxsize=_REMEMBERED)
def _read(pairs: tuple[tuple[str, str], ...]) -> NameWish:
    texts = dict(pairs)
    problems: list[str] = []
    names = {key: tuple(_names(key, texts.get(key, ""), problems)) for key in (HOSTNAME, INTERNAL_HOSTNAME)}
    targets = tuple(dict.fromkeys(_targets(texts.get(TARGET, ""), problems)))
    if len(targets) > 1 and not all(map(strict_address, targets)):
        problems.append(f"{TARGET} must be addresses, or one domain name: a name has one alias only")
        targets = ()
    ttl = _ttl(texts[TIME_TO_LIVE]) if TIME_TO_LIVE in texts else DEFAULT_TTL
    if ttl is None:
        problems.append(f"{TIME_TO_LIVE} must be from 1 to {_MAX_TTL} seconds, such as 60 or 1m")
    return NameWish(
        hostnames=names[HOSTNAME],
        internal_hostnames=names[INTERNAL_HOSTNAME],
        targets=targets,
        ttl=ttl or DEFAULT_TTL,
        problems=tuple(problems),
    )


def _names(key: str, text: str, problems: list[str]) -> Iterator[str]:
    names = list(dict.fromkeys(canonical_name(part.strip()) for part in text.split(",") if part.strip()))
    if len(names) > _MAX_NAMES:
        problems.append(f"{key} has {len(names)} names, and {_MAX_NAMES} are possible")
    for name in names[:_MAX_NAMES]:
        if is_domain_name(name):
            yield name
        else:
            problems.append(f"{key}: {name[:MAX_LABEL]!r} is no name that can be served, such as shop.example.org")


def _targets(text: str, problems: list[str]) -> Iterator[str]:
    for part in (part.strip() for part in text.split(",")):
        if not part:
            continue
        if strict_address(part) is not None:
            yield canonical(part)
        elif is_domain_name(canonical_name(part)):
            yield canonical_name(part)
        else:
            problems.append(f"{TARGET}: {part[:MAX_LABEL]!r} is neither an address nor a domain name")


def is_domain_name(name: str) -> bool:
    """Whether a canonical name can stand in the DNS as a host's: labels of 63 bytes at most, 253 in all."""
    return not dns_subdomain_problems(name) and all(len(label) <= MAX_LABEL for label in name.split("."))


def _ttl(text: str) -> int | None:
    """Seconds from a number or a duration of Go, such as 90, 90s or 1m30s; None if it is neither, or out of bounds."""
    if text.isascii() and text.isdigit():
        seconds = int(text[: len(str(_MAX_TTL)) + 1])
    else:
        found = _DURATION.fullmatch(text)
        if not text or found is None:
            return None
        hours, minutes, rest = (int(part or 0) for part in found.groups())
        seconds = hours * 3600 + minutes * 60 + rest
    return seconds if 1 <= seconds <= _MAX_TTL else None
