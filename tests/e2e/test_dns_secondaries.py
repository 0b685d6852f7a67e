"""A secondary of `serve`: it follows whatever dies, and its serials go on after `bump-revision`."""

import subprocess
import sys

import dns.exception
import dns.message
import dns.query
import dns.rcode
import httpx
import pytest

from tests.dns.secondaries import Knot
from tests.dns.transferring import KEY, write_keys
from tests.e2e.serving import Serving
from tests.e2e.waiting import until
from tests.ports import free_port

ZONES = "/apis/fairlead.io/v1/dnszones"
SERVICES = "/api/v1/namespaces/default/services"
MERGE = {"content-type": "application/merge-patch+json"}


@pytest.fixture
def serving(tmp_path):
    keys = tmp_path / "keys"
    secrets = write_keys(keys, KEY)
    port = free_port()
    with Serving(tmp_path / "data", "--dns-port", str(port), "--dns-tsig-key-file", str(keys)) as serving:
        serving.knot = Knot(tmp_path / "knot", port, ["cluster.local"], (KEY, secrets[KEY]))
        serving.knot.start()
        try:
            secondary = {"address": serving.knot.address, "tsigKeyName": KEY}
            until(lambda: patched(serving, {"spec": {"secondaries": [secondary]}}))
            yield serving
        finally:
            serving.knot.stop()


def patched(serving, body):
    reply = httpx.patch(f"{serving.url}{ZONES}/cluster.local", json=body, headers=MERGE)
    return reply.status_code == 200


def create(serving, name):
    """Create a Service as soon as that is possible; answers its address."""
    body = {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}}

    def made():
        try:
            httpx.post(serving.url + SERVICES, json=body, timeout=5)
            reply = httpx.get(f"{serving.url}{SERVICES}/{name}", timeout=5)
        except httpx.TransportError:
            return None
        return reply.json()["spec"].get("clusterIP") if reply.status_code == 200 else None

    return until(made, timeout=60)


def at_secondary(serving, name, kind="A"):
    """What the secondary answers, None if it does not, or has no such name."""
    try:
        response = dns.query.udp(dns.message.make_query(name, kind), "127.0.0.1", timeout=1, port=serving.knot.port)
    except (OSError, dns.exception.Timeout):
        return None
    return [each.to_text() for rrset in response.answer for each in rrset] or None


def follows(serving, name):
    address = create(serving, name)
    until(lambda: at_secondary(serving, f"{name}.default.svc.cluster.local.") == [address], timeout=60)


def serial(serving):
    return int(at_secondary(serving, "cluster.local.", "SOA")[0].split()[2])


def test_a_secondary_follows_whatever_dies(serving):
    follows(serving, "first")
    for word in ("reconciler", "dns"):
        serving.child(word).kill()
        follows(serving, f"after-{word}")
    for each in (server := serving.child("postgres"), *server.children()):
        each.kill()
    # The secondary answers meanwhile.
    assert at_secondary(serving, "first.default.svc.cluster.local.")
    follows(serving, "after-postgres")
    before = serial(serving)
    environment = {"FAIRLEAD_DATABASE_URL": serving.database_url}
    subprocess.run([sys.executable, "-m", "app.cli", "bump-revision"], env=environment, check=True, timeout=60)
    follows(serving, "after-bump")
    assert 0 < serial(serving) - before < 2**31
    until(lambda: is_current(serving), timeout=60)


def is_current(serving):
    """Whether the zone and the metrics say that the secondary has everything."""
    zone = httpx.get(f"{serving.url}{ZONES}/cluster.local").json()
    (server,) = zone["status"]["servers"]
    told = {each["type"]: each["status"] for each in zone["status"]["conditions"]}
    labels = f'{{server="{serving.knot.address}",zone="cluster.local"}}'
    measured = dict(line.rsplit(" ", 1) for line in httpx.get(f"{serving.url}/metrics").text.splitlines())
    return (
        (server["state"], server["serial"], told["Synchronized"]) == ("Current", zone["status"]["serial"], "True")
        and float(measured[f"fairlead_dns_secondary_serial{labels}"]) == server["serial"]
        and float(measured[f"fairlead_dns_secondary_lag_seconds{labels}"]) == 0
        and float(measured['fairlead_dns_transfers_total{outcome="sent",type="IXFR"}']) > 0
    )
