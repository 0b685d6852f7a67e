"""The rules of a DNSZone."""

from collections.abc import Iterable, Iterator

from app.domain.errors import (
    Cause,
    duplicate,
    forbidden,
    immutable,
    invalid,
    invalid_for,
    not_supported,
    required,
    too_many,
)
from app.domain.kinds.dns_zone import DNSZone, DNSZoneSpec, DNSZoneStatus
from app.domain.rules.addresses import network_causes
from app.domain.rules.claim import Claim
from app.domain.rules.cluster import Cluster
from app.domain.rules.dns_servers import key_name_causes, server_causes
from app.domain.rules.label_selectors import selector_causes
from app.domain.rules.names import dns_label_problems, dns_subdomain_problems
from app.domain.rules.strategy import Strategy
from app.domain.rules.zone_description import CLUSTER, PUBLIC, REVERSE, ZONE_KINDS, ZoneDescription, is_within

READY, SYNCHRONIZED = "Ready", "Synchronized"
"""Types of conditions."""

CURRENT, BEHIND, UNREACHABLE, REFUSED = "Current", "Behind", "Unreachable", "Refused"
"""States of a server of a zone."""

REVERSE_DOMAINS = ("in-addr.arpa", "ip6.arpa")

APEX = "@"
"""What stands for the name of the zone itself where labels stand; no label is written so (RFC 1035, section 5.1)."""

_MAX_SERVERS, _MAX_NAME_SERVERS, _MAX_PERMISSIONS = 32, 13, 64
_PUBLIC_ONLY = "only a public zone has it"


def described_zone(zone: DNSZone, namespaces: frozenset[str] | None) -> ZoneDescription:
    """A zone as the rules see it.

    Args:
        zone: The object.
        namespaces: Those that its selector chooses; None without one.
    """
    spec = zone.spec
    return ZoneDescription(
        spec.name,
        spec.kind,
        zone.metadata.name,
        spec.location,
        namespaces,
        is_pushed=spec.primary is not None,
        name_servers=tuple(spec.name_servers or ()),
        copies=tuple(each.address for each in ([spec.primary] if spec.primary else spec.secondaries or [])),
    )


def canonical_name(name: str) -> str:
    """A domain name in lower case, without the dot at the end."""
    return name.lower().removesuffix(".")


class DNSZoneStrategy(Strategy[DNSZone]):
    """A name is the name of one zone."""

    def default(self, new: DNSZone) -> None:
        """Write names in lower case, without the dot at the end."""
        spec = new.spec
        spec.name = canonical_name(spec.name)
        spec.location = spec.location.lower()
        if spec.name_servers:
            spec.name_servers = list(map(canonical_name, spec.name_servers))
        for server in (*(spec.secondaries or []), *([spec.primary] if spec.primary else [])):
            server.tsig_key_name = canonical_name(server.tsig_key_name)
        for permission in spec.allow_transfer or []:
            permission.tsig_key_name = canonical_name(permission.tsig_key_name)

    def asks_of_cluster(self, new: DNSZone) -> bool:
        """Yes: another zone may have been created a moment ago."""
        del new
        return True

    def prepare_create(self, new: DNSZone, cluster: Cluster) -> None:
        """Drop the status, which the server sets."""
        del cluster
        new.status = DNSZoneStatus()
        new.metadata.generation = 1

    def prepare_update(self, new: DNSZone, old: DNSZone, cluster: Cluster) -> None:
        """Keep the status. Increase the generation if the spec changed."""
        del cluster
        new.status = old.status
        if new.spec != old.spec:
            new.metadata.generation = (old.metadata.generation or 0) + 1

    def prepare_status(self, new: DNSZone, old: DNSZone, cluster: Cluster) -> None:
        """Keep the spec, and the checkpoint: serials must never go back."""
        del cluster
        new.spec = old.spec
        new.status.checkpoint = old.status.checkpoint

    def validate_create(self, new: DNSZone, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        causes = [*_name_causes(new.spec, cluster), *_server_causes(new.spec), *_public_causes(new.spec)]
        return causes or _neighbour_causes(new, cluster)

    def validate_update(self, new: DNSZone, old: DNSZone, cluster: Cluster) -> list[Cause]:
        """As on create, and the name and the kind cannot change."""
        causes = [
            immutable(f"spec.{field}", value, stored)
            for field, value, stored in (
                ("name", new.spec.name, old.spec.name),
                ("kind", new.spec.kind, old.spec.kind),
            )
            if value != stored
        ]
        return causes or self.validate_create(new, cluster)

    def warnings(self, new: DNSZone, old: DNSZone | None, cluster: Cluster) -> list[str]:
        """Point out what lets strangers read the whole zone."""
        del old, cluster
        return [
            f"spec.allowTransfer[{index}]: everybody at {each.network} can read the whole zone: give a tsigKeyName"
            for index, each in enumerate(new.spec.allow_transfer or [])
            if not each.tsig_key_name and each.network.endswith("/0")
        ]

    def claims(self, obj: DNSZone, cluster: Cluster) -> tuple[Claim, ...]:
        """Its name, so that two zones that are created at the same time cannot have the same."""
        del cluster
        return (Claim("dns_labels", f"{obj.spec.name}/{APEX}", "spec.name"),)


def _name_causes(spec: DNSZoneSpec, cluster: Cluster) -> Iterator[Cause]:
    if not spec.name:
        yield required("spec.name", "the name of the zone, such as example.org")
        return
    yield from invalid_for("spec.name", spec.name, dns_subdomain_problems(spec.name))
    if not spec.kind:
        yield required("spec.kind", f"one of {', '.join(ZONE_KINDS)}")
    elif spec.kind not in ZONE_KINDS:
        yield not_supported("spec.kind", spec.kind, ZONE_KINDS)
    domain = cluster.cluster_domain.rstrip(".")
    is_reverse = any(is_within(spec.name, each) for each in REVERSE_DOMAINS)
    if spec.kind == CLUSTER and spec.name != domain:
        yield invalid("spec.name", spec.name, f"the zone of kind cluster is {domain}, as --cluster-domain says")
    if spec.kind == REVERSE and not is_reverse:
        yield invalid("spec.name", spec.name, f"a reverse zone is in {' or '.join(REVERSE_DOMAINS)}")
    if spec.kind == PUBLIC and is_reverse:
        yield invalid("spec.kind", spec.kind, f"a zone in {' or '.join(REVERSE_DOMAINS)} is of kind reverse")
    if spec.kind == PUBLIC and is_within(spec.name, domain):
        yield invalid("spec.name", spec.name, f"is in {domain}, which is the zone of kind cluster")


def _server_causes(spec: DNSZoneSpec) -> Iterator[Cause]:
    lists = (
        ("nameServers", spec.name_servers, _MAX_NAME_SERVERS),
        ("secondaries", spec.secondaries, _MAX_SERVERS),
        ("allowTransfer", spec.allow_transfer, _MAX_PERMISSIONS),
    )
    for field, items, limit in lists:
        if len(items or []) > limit:
            yield too_many(f"spec.{field}", len(items or []), limit)
    for index, name in enumerate(spec.name_servers or []):
        yield from invalid_for(f"spec.nameServers[{index}]", name, dns_subdomain_problems(name))
    yield from _repeated("spec.nameServers[{}]", spec.name_servers or [])
    secondaries = spec.secondaries or []
    for index, server in enumerate(secondaries):
        yield from server_causes(f"spec.secondaries[{index}]", server)
    yield from _repeated("spec.secondaries[{}].address", [each.address for each in secondaries])
    for index, permission in enumerate(spec.allow_transfer or []):
        field = f"spec.allowTransfer[{index}]"
        yield from network_causes(f"{field}.network", permission.network)
        yield from key_name_causes(f"{field}.tsigKeyName", permission.tsig_key_name)
    if spec.primary is not None:
        yield from server_causes("spec.primary", spec.primary)


def _repeated(field: str, values: Iterable[str]) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield duplicate(field.format(index), value)
        seen.add(value)


def _public_causes(spec: DNSZoneSpec) -> Iterator[Cause]:
    """What only a public zone has, and what contradicts itself."""
    yield from selector_causes("spec.namespaceSelector", spec.namespace_selector)
    if spec.location:
        yield from invalid_for("spec.location", spec.location, dns_label_problems(spec.location))
    if spec.kind != PUBLIC:
        given = (
            ("primary", spec.primary is not None),
            ("namespaceSelector", spec.namespace_selector is not None),
            ("location", bool(spec.location)),
        )
        yield from (forbidden(f"spec.{field}", _PUBLIC_ONLY) for field, is_given in given if is_given)
    if spec.primary is not None:
        given = (
            ("nameServers", bool(spec.name_servers)),
            ("secondaries", bool(spec.secondaries)),
            ("allowTransfer", bool(spec.allow_transfer)),
        )
        why = "the zone is another server's, which spec.primary names: configure it there"
        yield from (forbidden(f"spec.{field}", why) for field, is_given in given if is_given)


def _neighbour_causes(zone: DNSZone, cluster: Cluster) -> list[Cause]:
    """No two zones have the same name, and none lies in the names that another gives out by label."""
    for other in cluster.zones:
        if other.object_name == zone.metadata.name:
            continue
        if other.name == zone.spec.name:
            return [duplicate("spec.name", zone.spec.name, f'the DNSZone "{other.object_name}" has this name')]
    return []
