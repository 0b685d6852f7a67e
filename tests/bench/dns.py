"""How many DNS queries a second are answered, beside BIND and Knot in turn; and how soon a new Service is.

    python -m tests.bench.dns [--services 1000 10000] [--rounds 3] [--seconds 5]

Needs Debian's packages dnsperf, bind9 and knot. Each server runs on one core, dnsperf on another; cookies, rate
limiting and the shuffling of answers are on in all of them. dnsperf itself sends neither cookies nor EDNS.
"""

import argparse
import os
import random
import re
import socket
import statistics
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import dns.message
import dns.rcode
import httpx
import psutil

from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object
from app.domain.wanted.dns_records import dns_records
from tests.bench.bodies import NAMESPACE, SERVICES, service
from tests.bench.name_servers import SERVERS, name_server
from tests.bench.product import Product
from tests.bench.report import Row, head, line
from tests.ports import free_port

DOMAIN = "cluster.local"
_BULK = "/apis/fairlead.io/v1/apply"
_OURS = "Fairlead"


def main():
    options = _options()
    print(head(), flush=True)
    for services in options.services:
        with tempfile.TemporaryDirectory() as temporary:
            directory = Path(temporary)
            directory.chmod(0o755)
            with _product(directory) as (product, port):
                filled = _fill(product, services)
                _write_files(product, directory)
                _note(f"bulk, {services:,} Services", filled)
                _compare(directory, port, services, options)
                _latency(product, port, options.posts)
                _memory(product, services)
            _start(directory, services)


def _options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3, help="of all servers in turn")
    parser.add_argument("--seconds", type=int, default=5, help="for each server in a round")
    parser.add_argument("--posts", type=int, default=200, help="Services that are made one by one and asked for")
    parser.add_argument(
        "--queries", choices=["A", "mixed"], default="A", help="mixed: A, AAAA, SRV, PTR and no such name"
    )
    return parser.parse_args()


def _note(work, rate, **more):
    print(line(Row(work, 1, rate, **more)), flush=True)


@contextmanager
def _product(directory):
    port = free_port()
    with Product(directory / "data", "--dns-port", str(port)) as product:
        _pin(product)
        yield product, port


def _pin(product):
    if _core() is not None:
        for each in product.children("dns"):
            each.cpu_affinity([_core()])


def _core():
    """The core for servers; None where there is only one."""
    return 0 if (os.cpu_count() or 1) > 1 else None


def _fill(product, services):
    started = time.monotonic()
    with httpx.Client(base_url=product.url, timeout=300) as client:
        assert client.post("/api/v1/namespaces", json={"metadata": {"name": NAMESPACE}}).status_code == 201
        for first in range(0, services, 10_000):
            items = [service(f"s{number}") for number in range(first, min(services, first + 10_000))]
            for each in items:
                each["spec"]["ports"][0]["name"] = "http"
            reply = client.post(_BULK, json={"apiVersion": "v1", "kind": "List", "items": items})
            assert reply.status_code == 200, reply.text[:2000]
    return services / (time.monotonic() - started)


def _write_files(product, directory):
    """The cluster's zone for the other servers, and the queries for all."""
    records = []
    with httpx.Client(base_url=product.url, timeout=300) as client:
        after = ""
        while True:
            page = client.get(SERVICES, params={"limit": 5000, "continue": after}).json()
            for item in page["items"]:
                found = decode_object(SERVICE, _encoded(item))
                records += dns_records(found, (), DOMAIN)
            after = page["metadata"].get("continue", "")
            if not after:
                break
    inside = [each for each in records if each.name.endswith(f".{DOMAIN}.")]
    head_lines = [
        f"{DOMAIN}. 5 SOA ns.dns.{DOMAIN}. hostmaster.{DOMAIN}. 1 300 60 604800 5",
        f"{DOMAIN}. 3600 NS ns.dns.{DOMAIN}.",
        f"ns.dns.{DOMAIN}. 3600 A 127.0.0.1",
    ]
    body = [f"{each.name} {each.ttl} {each.type} {value}" for each in inside for value in each.values]
    (directory / "zone").write_text("\n".join([*head_lines, *body]) + "\n")
    names = [each.name for each in inside if each.type == "A"]
    chance = random.Random(1)
    chance.shuffle(names)
    (directory / "A").write_text("".join(f"{name} A\n" for name in names))
    mixed = [f"{each.name} {each.type}" for each in inside] + [f"{name} AAAA" for name in names]
    mixed += [f"{name.partition('.')[0]}.default.svc.{DOMAIN}. A" for name in names]
    chance.shuffle(mixed)
    (directory / "mixed").write_text("\n".join(mixed) + "\n")


def _encoded(item):
    return httpx.Request("POST", "http://x", json={"apiVersion": "v1", "kind": "Service", **item}).content


def _compare(directory, port, services, options):
    """The servers in turn, so that what disturbs the machine disturbs all."""
    rates = {name: [] for name in (_OURS, *SERVERS)}
    for _ in range(options.rounds):
        for name, found in rates.items():
            if name == _OURS:
                found.append(_dnsperf(directory / options.queries, port, options.seconds))
                continue
            with name_server(name, directory, DOMAIN, _core()) as other:
                found.append(_dnsperf(directory / options.queries, other, options.seconds))
    against = statistics.median(rate for rate, _ in rates["BIND"])
    for name, found in rates.items():
        rate = statistics.median(rate for rate, _ in found)
        lost = sum(lost for _, lost in found)
        note = f"{rate / against:.2f} of BIND; {', '.join(f'{each:,.0f}' for each, _ in found)}"
        _note(f"{name}, {services:,} Services, {options.queries}", rate, failed=lost, note=note)


def _dnsperf(queries, port, seconds):
    """Queries answered a second, and those that were not; what is not asked for the first time counts."""
    command = ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", queries, "-c", "4", "-q", "200"]
    if _core() is not None:
        command = ["taskset", "-c", str(1 - _core()), *command]
    subprocess.run([*command, "-n", "1"], capture_output=True, check=True)
    told = subprocess.run([*command, "-l", str(seconds)], capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Queries per second:\s+([\d.]+)", told)
    lost = re.search(r"Queries lost:\s+(\d+)", told)
    assert rate, told
    assert lost, told
    return float(rate[1]), int(lost[1])


def _latency(product, port, posts):
    """Milliseconds from the answer of a POST to the first right answer of the DNS server."""
    delays = []
    with (
        httpx.Client(base_url=product.url, timeout=30) as client,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking,
    ):
        asking.connect(("127.0.0.1", port))
        asking.settimeout(5)
        for number in range(posts):
            name = f"n{number}"
            query = dns.message.make_query(f"{name}.{NAMESPACE}.svc.{DOMAIN}", "A", use_edns=False).to_wire()
            reply = client.post(SERVICES, json=service(name))
            answered = time.perf_counter()
            assert reply.status_code == 201, reply.text
            while True:
                asking.send(query)
                if asking.recv(4096)[3] & 0xF == dns.rcode.NOERROR:
                    break
            delays.append((time.perf_counter() - answered) * 1000)
    delays.sort()
    _note("POST's answer to DNS", 1, p50=statistics.median(delays), p99=delays[int(len(delays) * 0.99)])


def _memory(product, services):
    (process, *_) = product.children("dns")
    used = psutil.Process(process.pid).memory_full_info().uss
    records = 3 * services  # A, SRV and PTR
    note = f"{used / 2**20:,.0f} MB in the DNS process, {used / records:,.0f} bytes a record"
    _note(f"memory, {services:,} Services", 0, memory=used / 2**20, note=note)


def _start(directory, services):
    """Seconds from the start of the product to its first answers, with everything stored."""
    started = time.monotonic()
    with _product(directory):
        _note(f"start, {services:,} Services", 0, p50=(time.monotonic() - started) * 1000)


if __name__ == "__main__":
    main()
