"""Name servers of others as secondaries: Debian's BIND, Knot, NSD and PowerDNS, each with a whole configuration."""

import contextlib
import shutil
import signal
import sqlite3
import subprocess
from pathlib import Path

import dns.exception
import pytest

from tests.dns.answering import Asked
from tests.ports import free_port

_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
_STOP_SECONDS = 20

PACKAGES = {
    "named": "bind9",
    "knotd": "knot",
    "nsd": "nsd",
    "pdns_server": "pdns-server and pdns-backend-sqlite3",
}


class Secondary(Asked):
    """A server that has copies of zones.

    Attributes:
        program: What runs.
        address: As a DNSZone has it.
    """

    program = ""

    def __init__(self, directory, primary, zones, key=None):
        """Prepare.

        Args:
            directory: For its files.
            primary: The port of the primary on this machine.
            zones: Names of the zones.
            key: Name and secret, in base64, of the key with which transfers and NOTIFY are signed.
        """
        super().__init__("127.0.0.1", free_port())
        self.address = f"127.0.0.1:{self.port}"
        self.directory, self.primary, self.zones, self.key = directory, primary, zones, key
        self._process = None

    def start(self):
        """Start, with what it had before."""
        if shutil.which(self.program) is None:
            pytest.skip(f"{self.program} is missing: apt-get install {PACKAGES[self.program]}")
        self.directory.mkdir(exist_ok=True)
        self.configure()
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), cwd=self.directory, stdout=log, stderr=log)

    def stop(self, signum=signal.SIGTERM):
        """End it, and wait until it has ended."""
        if self._process is not None:
            self._process.send_signal(signum)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def forget(self):
        """Lose all that it had."""
        shutil.rmtree(self.directory)

    def log(self):
        """What it said."""
        return (self.directory / "log").read_text(errors="replace")

    def configure(self):
        """Write its files."""
        (self.directory / "conf").write_text(self.configuration())

    def configuration(self):
        """What the test needs, and the zones."""
        return self.frame() + self.zones_to_have()

    async def values(self, name, kind="A", **options):
        """As of any server; a text that is no answer while this one does not run, or has no copy of the zone."""
        try:
            return await super().values(name, kind, **{"tcp": True, **options})
        except (OSError, EOFError, dns.exception.DNSException, AssertionError) as error:
            return f"no answer: {error}"

    async def serial(self, zone):
        """The serial that it has; None while it has no copy, or does not run."""
        try:
            answer = await self.ask(zone, "SOA", tcp=True)
        except (OSError, EOFError):
            return None
        return answer.answer[0][0].serial if answer.answer else None


class Bind(Secondary):
    """BIND 9."""

    program = "named"

    def command(self):
        return ["named", "-f", "-c", str(self.directory / "conf")]

    def frame(self):
        return f"""
            options {{
                directory "{self.directory}"; pid-file "{self.directory}/pid";
                session-keyfile "{self.directory}/session";
                listen-on port {self.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
                recursion no; notify no; dnssec-validation no; empty-zones-enable no;
                managed-keys-directory "{self.directory}";
            }};
            controls {{ }};
            logging {{ channel said {{ stderr; severity info; }}; category default {{ said; }}; }};
        """

    def zones_to_have(self):
        key = ""
        with_key = ""
        if self.key:
            key = f'key "{self.key[0]}" {{ algorithm hmac-sha256; secret "{self.key[1]}"; }};'
            with_key = f' key "{self.key[0]}"'
        zones = "\n".join(
            f'zone "{zone}" {{ type secondary; primaries {{ 127.0.0.1 port {self.primary}{with_key}; }}; '
            f'file "{zone}.db"; allow-notify {{ 127.0.0.1; }}; allow-transfer {{ 127.0.0.1; }}; min-retry-time 1; }};'
            for zone in self.zones
        )
        return key + zones


class Knot(Secondary):
    """Knot DNS."""

    program = "knotd"

    def command(self):
        return ["knotd", "-c", str(self.directory / "conf")]

    def frame(self):
        return (
            f"server:\n  listen: 127.0.0.1@{self.port}\n  rundir: {self.directory}\n"
            f"database:\n  storage: {self.directory}\n"
            "log:\n  - target: stdout\n    any: info\n"
            f"template:\n  - id: default\n    storage: {self.directory}\n    retry-max-interval: 1\n"
        )

    def zones_to_have(self):
        key = with_key = ""
        if self.key:
            key = f"key:\n  - id: {self.key[0]}\n    algorithm: hmac-sha256\n    secret: {self.key[1]}\n"
            with_key = f"    key: {self.key[0]}\n"
        zones = "".join(f"  - domain: {zone}\n    master: primary\n    acl: [told, anybody]\n" for zone in self.zones)
        return (
            f"{key}"
            f"remote:\n  - id: primary\n    address: 127.0.0.1@{self.primary}\n{with_key}"
            f"acl:\n  - id: told\n    address: 127.0.0.1\n    action: notify\n{with_key}"
            "  - id: anybody\n    address: 127.0.0.1\n    action: transfer\n"
            f"zone:\n{zones}"
        )


class Nsd(Secondary):
    """NSD."""

    program = "nsd"

    def command(self):
        return ["nsd", "-d", "-c", str(self.directory / "conf")]

    def frame(self):
        return (
            f'server:\n  ip-address: 127.0.0.1@{self.port}\n  zonesdir: "{self.directory}"\n  database: ""\n'
            f'  pidfile: "{self.directory}/pid"\n  username: ""\n  xfrdfile: "{self.directory}/xfrd.state"\n'
            f'  xfrdir: "{self.directory}"\n  zonelistfile: "{self.directory}/zone.list"\n  server-count: 1\n'
            "remote-control:\n  control-enable: no\n"
        )

    def zones_to_have(self):
        name = self.key[0] if self.key else "NOKEY"
        key = ""
        if self.key:
            key = f'key:\n  name: "{name}"\n  algorithm: hmac-sha256\n  secret: "{self.key[1]}"\n'
        return key + "".join(
            f'zone:\n  name: "{zone}"\n  zonefile: "{zone}.zone"\n  request-xfr: 127.0.0.1@{self.primary} {name}\n'
            f"  allow-notify: 127.0.0.1 {name}\n  provide-xfr: 127.0.0.1 NOKEY\n  max-retry-time: 1\n"
            for zone in self.zones
        )


class PowerDNS(Secondary):
    """PowerDNS with the backend for SQLite."""

    program = "pdns_server"

    def command(self):
        return ["pdns_server", f"--config-dir={self.directory}"]

    def configure(self):
        if not _SCHEMA.exists():
            pytest.skip(f"{_SCHEMA} is missing: apt-get install pdns-backend-sqlite3")
        (self.directory / "pdns.conf").write_text(self.frame())
        path = self.directory / "zones.db"
        if path.exists():
            return
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            database.executescript(_SCHEMA.read_text())
            self.fill(database)

    def fill(self, database):
        """Put the zones into the database."""
        if self.key:
            row = (self.key[0], "hmac-sha256", self.key[1])
            database.execute("INSERT INTO tsigkeys (name, algorithm, secret) VALUES (?, ?, ?)", row)
        for number, zone in enumerate(self.zones, start=1):
            row = (number, zone, "SLAVE", f"127.0.0.1:{self.primary}")
            database.execute("INSERT INTO domains (id, name, type, master) VALUES (?, ?, ?, ?)", row)
            # Without IXFR: of that, PowerDNS does not take over which names are there for those below them.
            if self.key:
                row = (number, "AXFR-MASTER-TSIG", self.key[0])
                database.execute("INSERT INTO domainmetadata (domain_id, kind, content) VALUES (?, ?, ?)", row)

    def frame(self):
        return (
            f"launch=gsqlite3\ngsqlite3-database={self.directory}/zones.db\nsecondary=yes\nslave-cycle-interval=1\n"
            f"local-address=127.0.0.1\nlocal-port={self.port}\nsocket-dir={self.directory}\ndaemon=no\nguardian=no\n"
            "disable-syslog=yes\nallow-notify-from=127.0.0.0/8\ncache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\n"
        )


EVERY = (Bind, Knot, Nsd, PowerDNS)
