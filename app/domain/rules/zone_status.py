"""The status of a DNSZone: its checkpoint, and what is said of its servers."""

from collections.abc import Sequence

from app.domain.kinds.dns_zone import DNSZone, DNSZoneCheckpoint, DNSZoneServer
from app.domain.rules.conditions import with_condition
from app.domain.rules.dns_zone import CURRENT, READY, SYNCHRONIZED
from app.domain.rules.zone_serial import next_offset, serial_of

_SHOWN = 3


def renewed_checkpoint(checkpoint: DNSZoneCheckpoint | None, revision: int) -> DNSZoneCheckpoint:
    """A checkpoint as of now, where it is not known what changed since the one before: the zone counts as changed."""
    offset = 0
    if checkpoint is not None:
        offset = next_offset(revision, checkpoint.revision, checkpoint.serial, checkpoint.offset)
    return DNSZoneCheckpoint(revision, serial_of(revision, offset), offset)


def note_servers(zone: DNSZone, *servers: DNSZoneServer) -> None:
    """Write the states of some servers, in place; those that the zone does not have any more go."""
    found = {each.address: each for each in (*(zone.status.servers or []), *servers)}
    zone.status.servers = [found[address] for address in server_addresses(zone) if address in found] or None


def server_addresses(zone: DNSZone) -> list[str]:
    """The servers of the zone, by their addresses as the spec has them."""
    primary = [] if zone.spec.primary is None else [zone.spec.primary]
    return [each.address for each in (*primary, *(zone.spec.secondaries or []))]


def tell_ready(zone: DNSZone, now: str) -> None:
    """Write the condition Ready, in place, of a zone that is answered here and whose serial is known."""
    message = "names of the zone are answered, and it can be transferred"
    zone.status.conditions = with_condition(
        zone.status.conditions, READY, "True", reason="Served", message=message, now=now
    )


def tell_pushed(zone: DNSZone, server: DNSZoneServer, now: str) -> None:
    """Write the status, in place, of a zone that another server has, whose state this is."""
    note_servers(zone, server)
    zone.status.checkpoint = None
    zone.status.serial = server.serial or zone.status.serial
    status, reason, message = "True", "Pushed", f"names of the zone are sent to {server.address}"
    if server.state != CURRENT:
        status, reason, message = "False", server.state, server.message
    zone.status.conditions = with_condition(
        zone.status.conditions, READY, status, reason=reason, message=message, now=now
    )
    tell_synchronized(zone, now)


def tell_synchronized(zone: DNSZone, now: str) -> None:
    """Write the condition Synchronized, in place: whether all secondaries have the zone as it is."""
    states = {each.address: each for each in zone.status.servers or []}
    wanted = server_addresses(zone)
    status, reason, message = "True", "AllCurrent", "all servers have the present serial"
    behind = [states.get(address) or DNSZoneServer(address) for address in wanted]
    behind = [each for each in behind if each.state != CURRENT]
    if not wanted:
        reason, message = "NoSecondaries", "the zone has no secondaries"
    elif behind:
        status, reason, message = "False", behind[0].state or "Unknown", _told(behind)
        status = "Unknown" if reason == "Unknown" else status
    zone.status.conditions = with_condition(
        zone.status.conditions, SYNCHRONIZED, status, reason=reason, message=message, now=now
    )


def _told(servers: Sequence[DNSZoneServer]) -> str:
    told = [each.message or f"{each.address} has not been asked yet" for each in servers[:_SHOWN]]
    more = [f"and {len(servers) - _SHOWN} more"] if len(servers) > _SHOWN else []
    return "; ".join([*told, *more])
