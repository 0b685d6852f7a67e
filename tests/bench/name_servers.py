"""BIND and Knot as yardsticks: each with the same zone, with cookies and rate limiting on, on one core."""

import os
import shutil
import subprocess
import time
from contextlib import contextmanager

import dns.exception
import dns.message
import dns.query

from tests.ports import free_port

_BIND = """
options {{
    directory "{directory}"; pid-file "named.pid"; session-keyfile "session.key";
    listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; minimal-responses yes;
    rrset-order {{ order random; }};
    cookie-secret "000102030405060708090a0b0c0d0e0f";
    rate-limit {{ responses-per-second 1000; exempt-clients {{ 127.0.0.1; }}; }};
}};
controls {{ }};
zone "{zone}" {{ type primary; file "zone"; }};
"""
_KNOT = """
server:
    rundir: {directory}
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    answer-rotation: on
mod-rrl:
  - id: default
    rate-limit: 100000000
mod-cookies:
  - id: default
    secret-lifetime: 1h
template:
  - id: default
    storage: {directory}
    global-module: [mod-cookies/default, mod-rrl/default]
zone:
  - domain: {zone}
    file: zone
"""
SERVERS = {"BIND": ("named", _BIND, ["-g", "-n", "1", "-c"]), "Knot": ("knotd", _KNOT, ["-c"])}


@contextmanager
def name_server(name, directory, zone, core):
    """Run one of `SERVERS` on a core; answers its port once it answers.

    Args:
        name: Of the server.
        directory: Has the file `zone`.
        zone: The name of the zone.
        core: The number of the core, None for any.
    """
    program, configuration, flags = SERVERS[name]
    assert shutil.which(program), f"{name} is missing: install Debian's package"
    port = free_port()
    file = directory / f"{program}.conf"
    file.write_text(configuration.format(directory=directory, port=port, zone=zone))
    with (directory / f"{program}.log").open("ab") as log:
        process = subprocess.Popen([program, *flags, file], stdout=log, stderr=log)
    if core is not None:
        os.sched_setaffinity(process.pid, {core})
    try:
        _wait(process, port, zone, directory / f"{program}.log")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait(process, port, zone, log):
    query, deadline = dns.message.make_query(zone, "SOA"), time.monotonic() + 120
    while True:
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        try:
            if dns.query.udp(query, "127.0.0.1", timeout=0.5, port=port).answer:
                return
        except (OSError, dns.exception.DNSException):
            time.sleep(0.05)
