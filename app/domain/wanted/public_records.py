"""The records of the public names of a Service, and the names of its load balancer addresses."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from app.domain.kinds.endpoint_slice import EndpointSlice
from app.domain.kinds.service import Service
from app.domain.kinds.static_address import StaticAddress
from app.domain.rules.addresses import family_of, reverse_name
from app.domain.rules.service.name_wish import DEFAULT_TTL, NameWish, name_wish, shown_names
from app.domain.rules.service.needs import ingress_addresses, is_headless
from app.domain.rules.service.public_names import external_targets
from app.domain.wanted.dns_records import Records, dashed, ready_addresses

_LONGEST_LABEL = 180
"""Characters. With the name of the Service it makes the name of an object, which has 253 at most."""

_TYPES = {"IPv4": "A", "IPv6": "AAAA", "": "CNAME"}


def public_records(service: Service, slices: Iterable[EndpointSlice]) -> Iterator[Records]:
    """The records of the public names of a Service.

    Args:
        service: Its annotation decides that shows which names it has, not what it asks for.
        slices: Only a headless Service needs them.
    """
    names = shown_names(service)
    if not names:
        return
    wish = name_wish(service)
    external = external_targets(service, wish) or ()
    if is_headless(service.spec) and not wish.targets:
        external = ready_addresses(service, slices)
    own = [each for each in service.spec.cluster_ips or [] if family_of(each)]
    for name in names:
        values = own if name in wish.internal_hostnames else []
        if name not in wish.internal_hostnames or name in wish.hostnames:
            values = [*values, *external]
        yield from _sets(name, values, wish.ttl)
    yield from _pointers(service, names, wish)


def _sets(name: str, values: Iterable[str], ttl: int) -> Iterator[Records]:
    """One set for each type of values. An alias stands alone (RFC 1034, section 3.6.2)."""
    by_type: dict[str, dict[str, None]] = defaultdict(dict)
    for value in values:
        kind = _TYPES[family_of(value)]
        by_type[kind][f"{value}." if kind == "CNAME" else value] = None
    if "CNAME" in by_type and len(by_type) > 1:
        del by_type["CNAME"]
    for kind, found in by_type.items():
        yield Records(_label(kind, name), f"{name}.", kind, tuple(found), ttl)


def _pointers(service: Service, names: Sequence[str], wish: NameWish) -> Iterator[Records]:
    """The names of the load balancer addresses, unless the names stand for something else."""
    if service.spec.type != "LoadBalancer" or wish.targets:
        return
    external = [f"{name}." for name in names if name not in wish.internal_hostnames or name in wish.hostnames]
    for address in dict.fromkeys(ingress_addresses(service)) if external else ():
        yield Records(f"public.ptr.{dashed(address)}", reverse_name(address), "PTR", tuple(external), DEFAULT_TTL)


def static_records(address: StaticAddress) -> Iterator[Records]:
    """The records of the public name that a StaticAddress shows."""
    name, value = address.status.fqdn, address.status.address
    if name and value:
        yield from _sets(name, [value], DEFAULT_TTL)
        yield Records(f"public.ptr.{dashed(value)}", reverse_name(value), "PTR", (f"{name}.",), DEFAULT_TTL)


def _label(kind: str, name: str) -> str:
    """The name of a set within its Service."""
    if len(name) > _LONGEST_LABEL:
        name = hashlib.sha256(name.encode()).hexdigest()[:32]
    return f"public.{kind.lower()}.{name}"
