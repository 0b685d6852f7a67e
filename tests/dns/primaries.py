"""Name servers of others as primaries of a zone that takes updates (RFC 2136): Debian's BIND and Knot."""

from tests.dns.documented import UPDATE_KEY, example
from tests.dns.secondaries import Bind, Knot

ZONE_FILE = """\
$ORIGIN {zone}.
$TTL 300
@ SOA ns hostmaster 1 300 60 604800 5
@ NS ns
ns A 127.0.0.1
theirs A 192.0.2.99
mail MX 10 theirs
"""


class Primary:
    """What both have in common: a zone file, of which each updates its own copy."""

    def configure(self):
        """Write its files; the zone as it was stays."""
        for zone in self.zones:
            path = self.directory / f"{zone}.zone"
            if not path.exists():
                path.write_text(ZONE_FILE.format(zone=zone))
        super().configure()


class BindPrimary(Primary, Bind):
    """BIND 9."""

    def zones_to_have(self):
        name, secret = self.key
        key = f'key "{name}" {{ algorithm hmac-sha256; secret "{secret}"; }};\n'
        # As documented, for each of the zones.
        places = {UPDATE_KEY: name}
        found = example("dns-zones.md", "The server has to let the key update", **places)
        return key + "".join(found.replace("example.org", zone) for zone in self.zones)


class KnotPrimary(Primary, Knot):
    """Knot DNS."""

    def configuration(self):
        name, secret = self.key
        zones = "".join(f"  - domain: {zone}\n    acl: ours\n" for zone in self.zones)
        return (
            f"server:\n  listen: 127.0.0.1@{self.port}\n  rundir: {self.directory}\n"
            f"database:\n  storage: {self.directory}\n"
            "log:\n  - target: stdout\n    any: info\n"
            f"key:\n  - id: {name}\n    algorithm: hmac-sha256\n    secret: {secret}\n"
            f"acl:\n  - id: ours\n    key: {name}\n    action: [transfer, update]\n"
            f'template:\n  - id: default\n    storage: {self.directory}\n    file: "%s.zone"\n'
            "    zonefile-sync: -1\n    zonefile-load: difference\n    journal-content: all\n"
            f"zone:\n{zones}"
        )


EVERY_PRIMARY = (BindPrimary, KnotPrimary)
