"""The declaration of DNSZone."""

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import Column, Kind
from app.domain.kinds.dns_zone import DNSZone
from app.domain.rules.dns_zone import CURRENT, READY, SYNCHRONIZED, DNSZoneStrategy


def _servers(zone: DNSZone, _now: str) -> str:
    """How many of the servers of the zone have its serial, of how many."""
    wanted = len(zone.spec.secondaries or []) + (zone.spec.primary is not None)
    return f"{sum(each.state == CURRENT for each in zone.status.servers or [])}/{wanted}"


def _condition(type_: str) -> Column[DNSZone]:
    def cell(zone: DNSZone, _now: str) -> str:
        return next((each.status for each in zone.status.conditions or [] if each.type == type_), "Unknown")

    return Column(type_, cell, description=f"Status of the condition {type_}.")


DNS_ZONE = Kind(
    group="fairlead.io",
    version="v1",
    name="DNSZone",
    plural="dnszones",
    singular="dnszone",
    namespaced=False,
    model=DNSZone,
    schema="io.fairlead.v1.DNSZone",
    columns=(
        NAME,
        Column("Zone", lambda obj, _now: obj.spec.name, description="Name of the zone."),
        Column("Kind", lambda obj, _now: obj.spec.kind, description="cluster, reverse or public."),
        Column("Serial", lambda obj, _now: obj.status.serial, type="integer", description="Serial of the SOA record."),
        Column("Current", _servers, description="How many of the servers of the zone have this serial."),
        _condition(READY),
        _condition(SYNCHRONIZED),
        AGE,
        Column(
            "Primary",
            lambda obj, _now: obj.spec.primary.address if obj.spec.primary else "<none>",
            priority=1,
            description="The server that has the zone, if it is another one.",
        ),
    ),
    strategy=DNSZoneStrategy(),
    short_names=("dnsz",),
    selectable={"spec.name": lambda obj: obj.spec.name, "spec.kind": lambda obj: obj.spec.kind},
    has_status=True,
)
