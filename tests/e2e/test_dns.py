"""The DNS server inside `serve`, and as processes of its own."""

import re
import socket
import subprocess
import sys

import dns.exception
import dns.message
import dns.query
import dns.rcode
import httpx
import pytest

from app.commands import dns as command
from app.settings.processes import DNSProcessSettings
from app.supervisor.errors import CannotListenError
from app.supervisor.listening import check_dns, reserve_dns
from tests.e2e.serving import Serving
from tests.e2e.waiting import until
from tests.ports import free_port

WITHIN = 60
"""Seconds for processes to start, on a machine that has other things to do."""

DEFAULT_PORT = 5353

SERVICES = "/api/v1/namespaces/default/services"


def ask(port, name, kind="A", **options):
    """The response, None if there is none."""
    query = dns.message.make_query(f"{name}.default.svc.cluster.local", kind, **options)
    try:
        return dns.query.udp(query, "127.0.0.1", timeout=5, port=port)
    except (OSError, dns.exception.Timeout):
        return None


def addresses(port, name):
    """Those of a Service's name; None if there is no answer or no such name."""
    response = ask(port, name)
    if response is None or response.rcode() != dns.rcode.NOERROR:
        return None
    return [each.to_text() for rrset in response.answer for each in rrset]


def create(serving, name):
    reply = httpx.post(serving.url + SERVICES, json={"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}})
    assert reply.status_code == 201, reply.text
    return [reply.json()["spec"]["clusterIP"]]


def attempt(serving, name):
    """The addresses of a Service that may be there already; None if nothing is answered."""
    try:
        httpx.post(serving.url + SERVICES, json={"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}})
        reply = httpx.get(f"{serving.url}{SERVICES}/{name}")
    except httpx.TransportError:
        return None
    return [reply.json()["spec"]["clusterIP"]] if reply.status_code == 200 else None


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    port = free_port()
    with Serving(tmp_path_factory.mktemp("dns") / "data", "--dns-port", str(port), "--dns-workers", "2") as serving:
        serving.dns_port = port
        yield serving


def test_what_is_said_at_the_start_is_so(serving):
    told = re.search(r"dig @127.0.0.1 -p (\d+) (\S+)", serving.said)
    assert (int(told[1]), told[2]) == (serving.dns_port, "hello.default.svc.cluster.local")
    hello = create(serving, "hello")
    until(lambda: addresses(serving.dns_port, "hello") == hello, WITHIN)


def test_a_process_that_dies_is_replaced(serving):
    known = create(serving, "known")
    until(lambda: addresses(serving.dns_port, "known") == known, WITHIN)
    killed = serving.children("dns")
    assert len(killed) == 2
    for each in killed:
        each.kill()
    until(lambda: addresses(serving.dns_port, "known") == known, WITHIN)
    until(lambda: len(serving.children("dns")) == 2, WITHIN)
    assert not {each.pid for each in killed} & {each.pid for each in serving.children("dns")}


def test_answers_go_on_while_postgres_is_away(serving):
    known = create(serving, "lasting")
    # Each of the processes knows it: a query goes to any of them.
    until(lambda: all(addresses(serving.dns_port, "lasting") == known for _ in range(20)), WITHIN)
    server = serving.child("postgres")
    processes = [server, *server.children()]
    try:
        for each in processes:
            each.suspend()
        for _ in range(20):
            assert addresses(serving.dns_port, "lasting") == known
    finally:
        for each in processes:
            each.kill()
    for _ in range(20):
        assert addresses(serving.dns_port, "lasting") == known
    # Until it is back, what the answers to writes say is tested elsewhere.
    later = until(lambda: attempt(serving, "later"), WITHIN)
    until(lambda: addresses(serving.dns_port, "later") == later, WITHIN)


def test_queries_are_counted(serving):
    create(serving, "counted")
    until(lambda: addresses(serving.dns_port, "counted"), WITHIN)
    assert ask(serving.dns_port, "counted", "SRV").rcode() == dns.rcode.NOERROR
    assert ask(serving.dns_port, "missing", "TXT").rcode() == dns.rcode.NXDOMAIN

    def counted(*wanted):
        text = httpx.get(f"{serving.url}/metrics").text
        return all(re.search(rf"^{re.escape(each)} [1-9]", text, re.MULTILINE) for each in wanted)

    until(lambda: counted(
        'fairlead_dns_queries_total{rcode="NOERROR",type="A"}',
        'fairlead_dns_queries_total{rcode="NXDOMAIN",type="TXT"}',
        'fairlead_dns_answer_duration_seconds_count{transport="udp"}',
        'fairlead_dns_zone_serial{zone="cluster.local"}',
    ), WITHIN)  # fmt: skip


def test_a_port_that_is_asked_for_has_to_be_free(serving, tmp_path):
    flags = ["--data-dir", tmp_path / "data", "--port", "0", "--dns-port", str(serving.dns_port)]
    refused = subprocess.run(
        [sys.executable, "-m", "app.cli", "serve", *flags], capture_output=True, text=True, check=False, timeout=60
    )
    assert refused.returncode == 1
    assert f"cannot answer DNS queries on 127.0.0.1 port {serving.dns_port}: Address already in use" in refused.stderr
    assert "another --dns-port" in refused.stderr


def test_without_the_default_port_everything_else_is_served(tmp_path):
    """Multicast DNS (avahi) has port 5353 on many machines."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        until(lambda: is_bound(taken, DEFAULT_PORT), WITHIN)
        with Serving(tmp_path / "data", dns_port=None) as serving:
            assert "dig @" not in serving.said
            told = serving.errors.read_text()
            assert "DNS queries are not answered" in told
            assert f"127.0.0.1 port {DEFAULT_PORT}: Address already in use" in told
            assert create(serving, "web")
            assert serving.children("dns") == []


def is_bound(taken, port):
    """Bind a socket, unless another program has the port just now."""
    try:
        taken.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def test_processes_of_a_user_share_a_port_that_no_other_program_has():
    port = free_port()
    one, other = reserve_dns("127.0.0.1", port), reserve_dns("127.0.0.1", port)
    with pytest.raises(CannotListenError, match="another --dns-port"):
        check_dns("127.0.0.1", port)
    for each in (*one, *other):
        each.close()
    check_dns("127.0.0.1", port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", port))
        settings = DNSProcessSettings(database_url="postgresql://nobody@/none", dns_port=port)
        with pytest.raises(CannotListenError, match=f"DNS queries on 127.0.0.1 port {port}"):
            command.run(settings)
