"""What follows the DNS zones in a process, and what a reconciler does for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.cluster.dns_zones import DNSZones
from app.cluster.service_slices import ServiceSlices
from app.cluster.zone_journals import ZoneJournals
from app.controllers.controller import Controller, Targets
from app.controllers.initial_zones import InitialZones
from app.controllers.public_names import PublicNames
from app.controllers.zone_pushes import PushParts, ZonePushes
from app.controllers.zone_secondaries import ZoneParts, ZoneSecondaries
from app.controllers.zone_serials import ZoneSerials
from app.credentials.tsig_keys import TsigKeys
from app.main.parts import Parts
from app.providers.dns.rfc2136 import Rfc2136
from app.reloading import Source


@dataclass(frozen=True, slots=True)
class ZoneFollowers:
    """What follows the zones, each as current as the mirror."""

    slices: ServiceSlices
    journals: ZoneJournals
    zones: DNSZones


def zone_followers(parts: Parts, addresses: Sequence[str] = (), *, with_records: bool = True) -> ZoneFollowers:
    """What follows the zones.

    Args:
        parts: What it works with.
        addresses: At which others reach the DNS server.
        with_records: Whether the journals have what changed, for transfers, and not only the serials.
    """
    slices = ServiceSlices(parts.mirror)
    domain = parts.cluster().cluster_domain
    journals = ZoneJournals(parts.mirror, parts.reader, slices, domain, with_records=with_records)
    return ZoneFollowers(slices, journals, DNSZones(parts.mirror, journals, parts.cluster, addresses))


def zone_work(parts: Parts, keys: TsigKeys) -> tuple[list[Controller[Any]], list[Targets]]:
    """The controllers of zones: those that there are one of, and those of each server of a zone.

    Args:
        parts: What they work with.
        keys: With which messages to other servers are signed.
    """
    followers = zone_followers(parts, with_records=False)
    secondaries = ZoneParts(parts.writer, parts.mirror, parts.cluster, followers.journals, keys)
    pushes = PushParts(parts.writer, parts.mirror, parts.cluster, followers.slices, keys, Rfc2136)
    return (
        [
            InitialZones(parts.writer, parts.mirror, parts.cluster),
            PublicNames(parts.writer, parts.mirror, parts.cluster),
            ZoneSerials(parts.writer, parts.mirror, followers.journals, parts.cluster),
        ],
        [ZoneSecondaries(secondaries), ZonePushes(pushes)],
    )


def tsig_keys(keys: TsigKeys) -> Iterator[Source]:
    """The keys with which DNS messages are signed, where there are any."""
    if keys.path is not None:
        yield Source("TSIG keys", (keys.path,), keys.reload)
