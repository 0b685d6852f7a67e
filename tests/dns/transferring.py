"""A client that transfers zones, and DNSZones that let it."""

import base64
import secrets

import dns.asyncquery
import dns.name
import dns.rdatatype
import dns.xfr
import dns.zone

from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.kinds.dns_zone import DNSServer, DNSTransferPermission

TIMEOUT = 60
KEY = "transfer.example"


def write_keys(path, *names):
    """A file with new keys; answers their secrets in base64, by name."""
    found = {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in names}
    path.write_text("".join(f"hmac-sha256:{name}:{secret}\n" for name, secret in found.items()))
    path.chmod(0o600)
    return found


async def configure(world, zone, *secondaries, key="", anybody=False):
    """Give a zone secondaries, by their addresses; with `anybody` whoever is on this machine may transfer it."""

    def change(found):
        found.spec.secondaries = [DNSServer(address, key) for address in secondaries] or None
        found.spec.allow_transfer = [DNSTransferPermission("127.0.0.0/8", key)] if anybody else None

    await world.becomes(DNS_ZONE, zone, lambda found: found.status.checkpoint)
    await world.change(DNS_ZONE, zone, change)


async def transferred(server, zone, have=None, key=None):
    """The zone as a secondary has it after a transfer; `have` is what it had before."""
    have = have if have is not None else dns.zone.Zone(zone)
    query, _ = dns.xfr.make_query(have, keyring=None if key is None else {key.name: key})
    await dns.asyncquery.inbound_xfr(server.host, have, query, port=server.port, timeout=TIMEOUT)
    return have


def records(zone):
    """The records of a zone: name, type, TTL and data; the SOA is left out."""
    return {
        (
            name.derelativize(zone.origin).to_text(),
            dns.rdatatype.to_text(found.rdtype),
            found.ttl,
            value.to_text(zone.origin, relativize=False),
        )
        for name, found in zone.iterate_rdatasets()
        for value in found
        if found.rdtype != dns.rdatatype.SOA
    }


def serial(zone):
    """The serial of a copy."""
    return zone.get_rdataset(dns.name.empty if zone.relativize else zone.origin, "SOA")[0].serial
