"""The records that belong to a zone and to no Service, and the names that records make."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile

from app.domain.rules.zone_description import CLUSTER, ZoneDescription, ancestors
from app.domain.wanted.dns_records import Records

SPECIFICATION_VERSION = "1.1.0"
"""The version of Kubernetes' DNS specification, which `dns-version` tells."""

NEGATIVE_TTL = 5
"""Seconds that a resolver may keep that something is not there (RFC 2308): as long as it may keep what is."""

_STABLE_TTL = 3600
"""Seconds that a resolver may keep what seldom changes: the servers of a zone and their addresses."""

_REFRESH, _RETRY, _EXPIRE = 300, 60, 604_800
"""Seconds: secondaries ask for the serial without being told, ask again after a failure, and stop answering."""

_SERIALS = 2**32

Node = Mapping[str, Sequence[Records]]
"""The records of one name, by type. A name that is there only for the names below it has none."""


def nodes_of(records: Iterable[Records], domain: str) -> dict[str, dict[str, list[Records]]]:
    """The names of some records, with those of a domain that are there for the names below them (RFC 8020)."""
    nodes: dict[str, dict[str, list[Records]]] = {}
    within = f".{domain}"
    for each in records:
        nodes.setdefault(each.name, {}).setdefault(each.type, []).append(each)
        if each.name.endswith(within):
            for parent in takewhile(lambda parent: len(parent) >= len(domain), ancestors(each.name)):
                nodes.setdefault(parent, {})
    return nodes


def soa_record(zone: ZoneDescription, serial: int) -> Records:
    """The SOA record of a zone with a serial, of which only the lower 32 bits are shown (RFC 1982)."""
    timers = f"{_REFRESH} {_RETRY} {_EXPIRE} {NEGATIVE_TTL}"
    value = f"{zone.servers[0]} hostmaster.{zone.fqdn} {serial % _SERIALS} {timers}"
    return Records("soa", zone.fqdn, "SOA", (value,), NEGATIVE_TTL)


def apex_records(zone: ZoneDescription, serial: int, addresses: Sequence[str]) -> list[Records]:
    """The records that belong to the zone itself.

    Args:
        zone: The zone.
        serial: Of its present state.
        addresses: Addresses at which others reach the server that has its name in the zone.
    """
    name, servers = zone.fqdn, zone.servers
    found = [soa_record(zone, serial), Records("ns", name, "NS", servers, _STABLE_TTL)]
    if zone.kind == CLUSTER:
        found.append(Records("txt", f"dns-version.{name}", "TXT", (f'"{SPECIFICATION_VERSION}"',)))
    for kind in () if zone.name_servers else ("A", "AAAA"):
        values = tuple(each for each in addresses if (":" in each) is (kind == "AAAA"))
        if values:
            found.append(Records(kind.lower(), servers[0], kind, values, _STABLE_TTL))
    return found


def delegation_records(zone: ZoneDescription, addresses: Sequence[str]) -> list[Records]:
    """The records of a zone that the zone around it has, too: its servers, and their addresses (RFC 1034, 4.2.1).

    Args:
        zone: The zone that is delegated.
        addresses: Addresses at which others reach the server that has its name in the zone.
    """
    apex = apex_records(zone, 0, addresses)
    return [each for each in apex if each.type in {"NS", "A", "AAAA"}]
