"""Resolvers of others in front of a server, each set up by its example in docs/dns.md."""

import shutil
import subprocess

import dns.exception
import pytest

from tests.dns.answering import Asked
from tests.dns.documented import example
from tests.ports import free_port

PAGE = "dns.md"
ROOT = "20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
"""The trust anchor of the DNS: a resolver that has it takes no unsigned answer unless it is told to."""


class Resolver(Asked):
    """A resolver that sends the queries for the cluster's zones on.

    Attributes:
        program: What runs.
        package: Debian's, that has it.
        heading: Of the example.
    """

    program = package = heading = ""

    def __init__(self, directory, port):
        """Prepare.

        Args:
            directory: For its files.
            port: Of the server behind it.
        """
        super().__init__("127.0.0.1", free_port())
        self.directory = directory
        self.example = example(PAGE, self.heading, **{"5353": str(port)})
        self._process = None

    def __enter__(self):
        if shutil.which(self.program) is None:
            pytest.skip(f"{self.program} is missing: apt-get install {self.package}")
        path = self.directory / "conf"
        path.write_text(self.configuration())
        with (self.directory / "log").open("wb") as log:
            self._process = subprocess.Popen([self.program, *self.flags(path)], stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(10)

    async def values(self, name, kind="A", **options):
        """As of any server; a text that is no answer while this one does not run yet."""
        try:
            return await super().values(name, kind, **options)
        except (OSError, dns.exception.DNSException, AssertionError) as error:
            said = (self.directory / "log").read_text()[-500:]
            return f"no answer: {error} {said}"


class Dnsmasq(Resolver):
    """dnsmasq, which refuses private addresses from elsewhere."""

    program, package, heading = "dnsmasq", "dnsmasq-base", "**dnsmasq**"

    def configuration(self):
        return self.example + (
            f"port={self.port}\nlisten-address=127.0.0.1\nbind-interfaces\nstop-dns-rebind\n"
            "no-resolv\nno-hosts\ncache-size=0\npid-file=\nuser=root\ngroup=root\n"
        )

    def flags(self, path):
        return ["--keep-in-foreground", f"--conf-file={path}"]


class Unbound(Resolver):
    """Unbound, which refuses private addresses from elsewhere, and validates."""

    program, package, heading = "unbound", "unbound", "**Unbound**"

    def configuration(self):
        return self.example + (
            f'server:\n  interface: 127.0.0.1@{self.port}\n  directory: "{self.directory}"\n  chroot: ""\n'
            '  username: ""\n  pidfile: ""\n  use-syslog: no\n  do-daemonize: no\n  private-address: 10.0.0.0/8\n'
            f'  trust-anchor: ". DS {ROOT}"\nremote-control:\n  control-enable: no\n'
        )

    def flags(self, path):
        return ["-d", "-c", str(path)]


class BindResolver(Resolver):
    """BIND, which validates."""

    program, package, heading = "named", "bind9", "**BIND**"

    def configuration(self):
        # There can be but one `options`.
        own = f"""options {{
            directory "{self.directory}"; pid-file "{self.directory}/pid"; session-keyfile "{self.directory}/session";
            managed-keys-directory "{self.directory}"; listen-on port {self.port} {{ 127.0.0.1; }};
            listen-on-v6 {{ none; }}; recursion yes; dnssec-validation yes;
        """
        anchor = ROOT.rpartition(" ")
        return (
            f"controls {{ }};\nlogging {{ channel said {{ stderr; }}; category default {{ said; }}; }};\n"
            f'trust-anchors {{ . static-ds {anchor[0]} "{anchor[2]}"; }};\n{self.example.replace("options {", own, 1)}'
        )

    def flags(self, path):
        return ["-f", "-c", str(path)]


EVERY_RESOLVER = (Dnsmasq, Unbound, BindResolver)
