"""The configuration that a LoadBalancer Service asks for, read once from its annotations and spec."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from app.domain.kinds.service import Service
from app.domain.rules.addresses import strict_address
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.annotations import (
    ADDRESS_KEYS,
    NAME_KEYS,
    Annotation,
    annotation_field,
    concerns_load_balancer,
    read_annotations,
)
from app.domain.rules.service.families import FAMILIES
from app.domain.rules.service.foreign_annotations import LISTED, SHARING
from app.domain.rules.service.needs import LOAD_BALANCER

DEFAULT_IDLE_TIMEOUT = 4
"""Minutes after which an idle connection ends, where the Service does not say it."""

DEFAULT_PROBE_INTERVAL, DEFAULT_PROBE_COUNT = 5, 2
"""Seconds from one probe to the next, and failed probes after which a backend gets no traffic."""

_REMEMBERED = 64
"""How many wishes are remembered: about as many as there are writes at a time. The annotations of an object have at
most 256 KiB."""


class AskedAddress(msgspec.Struct, frozen=True):
    """An address that a Service asks for, by value or by name.

    Attributes:
        address: Canonical text, or "" if only the name is known.
        name: Name of a StaticAddress or of a Service's address, or "".
        field: The field path with which the client asks for it.
        namespace: The namespace of what is named; "" for the Service's own.
        must_exist: Whether a public address must be held by a StaticAddress or another Service already, as in Azure.
            Else any free address of a pool will do.
    """

    address: str
    name: str
    field: str
    namespace: str = ""
    must_exist: bool = True


class ProbeWish(msgspec.Struct, frozen=True, kw_only=True):
    """The probe of backends that a Service asks for; None where it says nothing.

    Attributes:
        protocol: `tcp`, `http` or `https`.
        interval: Seconds from one probe to the next.
        count: Failed probes after which a backend gets no traffic.
        path: Path of an HTTP request.
        port: Number of a port, or name or number of a Service port; only in the settings of one port.
    """

    protocol: str | None = None
    interval: int | None = None
    count: int | None = None
    path: str | None = None
    port: int | str | None = None


class PortWish(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one port number, for all protocols.

    Attributes:
        rule_disabled: Whether the port gets no rule.
        probe_disabled: Whether the backends of the port are not probed.
        probe: The probe of this port, instead of that of the Service.
    """

    rule_disabled: bool = False
    probe_disabled: bool = False
    probe: ProbeWish = ProbeWish()


class LoadBalancerWish(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of a load balancer that a Service asks for, except ports and policies.

    Attributes:
        internal: Whether the frontends are private.
        subnet: The pool of a private frontend; "" for the default and for a public frontend.
        pool: The pool of the frontends, by name or alias: the subnet, else the pool that an annotation of MetalLB
            names; "" for the default.
        asked: The address that the client asks for, by IP family: by name, else by annotation, else by
            `spec.loadBalancerIP`.
        additional_addresses: Addresses that status shows after the frontends, in canonical form. An address that the
            client also asks for as a frontend is not among them.
        dns_label: Label of a DNS name for the address; "" removes it, None leaves it alone.
        allowed_ranges: CIDRs whose clients are admitted (`azure-allowed-ip-ranges`).
        source_ranges: CIDRs whose clients are admitted (`load-balancer-source-ranges`).
        allowed_tags: Service tags whose clients are admitted.
        denies_all_else: Whether clients in the private network need a range that admits them, too.
        idle_timeout: Minutes after which an idle connection ends; None for the default.
        tcp_reset_disabled: Whether idle connections end without a TCP reset.
        probe: The probe of backends.
        high_availability_ports: Whether one rule covers all ports.
        floating_ip_disabled: Whether backends are reached at the nodePort.
        proxy_protocol: `v1` or `v2` if members want the PROXY protocol before the traffic, else "".
        ports: Settings for single ports, by number.
        annotations: The annotations themselves, for errors and warnings.
    """

    internal: bool = False
    subnet: str = ""
    pool: str = ""
    asked: Mapping[str, AskedAddress] = {}
    additional_addresses: Sequence[str] = ()
    dns_label: str | None = None
    allowed_ranges: Sequence[str] = ()
    source_ranges: Sequence[str] = ()
    allowed_tags: Sequence[str] = ()
    denies_all_else: bool = False
    idle_timeout: int | None = None
    tcp_reset_disabled: bool = False
    probe: ProbeWish = ProbeWish()
    high_availability_ports: bool = False
    floating_ip_disabled: bool = False
    proxy_protocol: str = ""
    ports: Mapping[int, PortWish] = {}
    annotations: Sequence[Annotation] = ()


_NOTHING = LoadBalancerWish()


def is_ours(service: Service, cluster: Cluster) -> bool:
    """Whether our own controller serves a Service: a LoadBalancer without `loadBalancerClass` (KEP-1959)."""
    return (
        cluster.manages_load_balancers and service.spec.type == LOAD_BALANCER and not service.spec.load_balancer_class
    )


def wish_of(service: Service) -> LoadBalancerWish:
    """The settings that a Service asks for. They have an effect only if our controller serves the Service."""
    annotations, asked = service.metadata.annotations, service.spec.load_balancer_ip
    pairs = tuple(pair for pair in annotations.items() if concerns_load_balancer(pair[0])) if annotations else ()
    if not pairs and not asked:
        return _NOTHING
    return _read(pairs, asked, tuple(service.spec.ip_families or ()))


@lru_cache(maxsize=_REMEMBERED)
def _read(pairs: tuple[tuple[str, str], ...], load_balancer_ip: str, families: tuple[str, ...]) -> LoadBalancerWish:
    """The result is remembered, since each step of a write needs the wish of the same annotations."""
    annotations = tuple(read_annotations(pairs))
    known = [each for each in annotations if each.attribute]
    values = _values(each for each in known if each.port is None)
    names = values.pop("names", {})
    if families == ("IPv6",) and not names.get("IPv6") and names.get("IPv4"):
        # Azure has one name for a Service of one family.
        names = {"IPv6": names["IPv4"]}
    asked = _asked(names, values.pop("addresses", {}), list(_listed(known)), load_balancer_ip)
    frontends = {asked[family].address for family in families if family in asked}
    listed = values.pop("additional_addresses", ())
    given = values.pop("subnet", "")
    subnet = given if values.get("internal") else ""
    pools = values.pop("pools", {})
    values.pop(LISTED, None)
    values.pop(SHARING, None)
    values["proxy_protocol"] = values.get("proxy_protocol") or ""
    ports = dict.fromkeys(each.port for each in known if each.port is not None)
    return LoadBalancerWish(
        subnet=subnet,
        pool=subnet or next((pools[number] for number in sorted(pools)), ""),
        asked=asked,
        additional_addresses=tuple(address for address in listed if address not in frontends),
        probe=msgspec.convert(values.pop("probe", {}), ProbeWish),
        ports={port: msgspec.convert(_values(e for e in known if e.port == port), PortWish) for port in ports},
        annotations=annotations,
        **values,
    )


def _values(annotations: Iterable[Annotation]) -> dict[str, Any]:
    """Attributes with their values; `probe.interval` is an entry of the value of `probe`."""
    values: dict[str, Any] = {}
    for each in annotations:
        outer, _, name = each.attribute.rpartition(".")
        (values.setdefault(outer, {}) if outer else values)[name] = each.value
    return values


def _listed(known: Sequence[Annotation]) -> Iterator[AskedAddress]:
    """The addresses that annotations of other load balancers ask for. There, no StaticAddress must be made before."""
    for each in sorted(known, key=lambda each: each.attribute):
        if each.attribute.startswith(f"{LISTED}."):
            yield from (AskedAddress(address, "", each.field, must_exist=False) for address in each.value)


def _asked(
    names: Mapping[str, str], addresses: Mapping[str, str], listed: Sequence[AskedAddress], load_balancer_ip: str
) -> dict[str, AskedAddress]:
    found = {}
    given = strict_address(load_balancer_ip) if load_balancer_ip else None
    for family in FAMILIES:
        if text := names.get(family):
            namespace, _, name = text.rpartition("/")
            found[family] = AskedAddress("", name, annotation_field(NAME_KEYS[family]), namespace)
        elif address := addresses.get(family):
            found[family] = AskedAddress(address, "", annotation_field(ADDRESS_KEYS[family]))
        elif of_family := [each for each in listed if (":" in each.address) is (family == "IPv6")]:
            found[family] = of_family[0]
        elif given is not None and f"IPv{given.version}" == family:
            found[family] = AskedAddress(str(given), "", "spec.loadBalancerIP")
    return found
