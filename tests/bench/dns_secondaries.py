"""How soon a new Service is answered by a secondary, and how long it takes to transfer a whole zone.

    python -m tests.bench.dns_secondaries [--services 1000 10000] [--posts 40]

Needs Debian's package knot. Services are created some time apart: Knot puts off a transfer that follows others closely.
"""

import argparse
import socket
import statistics
import tempfile
import time
from pathlib import Path

import dns.message
import dns.rcode
import httpx

from tests.bench.bodies import NAMESPACE, SERVICES, service
from tests.bench.dns import DOMAIN, _fill
from tests.bench.product import Product
from tests.dns.secondaries import Knot
from tests.dns.transferring import KEY, write_keys
from tests.ports import free_port

_ZONE = f"/apis/fairlead.io/v1/dnszones/{DOMAIN}"
_MERGE = {"content-type": "application/merge-patch+json"}
_APART_SECONDS = 2.2


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--posts", type=int, default=40)
    options = parser.parse_args()
    for services in options.services:
        with tempfile.TemporaryDirectory() as temporary:
            _measure(Path(temporary), services, options.posts)


def _measure(directory, services, posts):
    keys, port = directory / "keys", free_port()
    secret = write_keys(keys, KEY)[KEY]
    knot = Knot(directory / "knot", port, [DOMAIN], (KEY, secret))
    with Product(directory / "data", "--dns-port", str(port), "--dns-tsig-key-file", str(keys)) as product:
        _fill(product, services)
        knot.start()
        try:
            started = time.monotonic()
            spec = {"secondaries": [{"address": knot.address, "tsigKeyName": KEY}]}
            httpx.patch(product.url + _ZONE, json={"spec": spec}, headers=_MERGE).raise_for_status()
            while not _is_synchronized(product):
                time.sleep(0.05)
            print(f"{services:,} Services: the zone is at Knot after {time.monotonic() - started:.2f} s", flush=True)
            delays = sorted(_delays(product, knot.port, posts))
            print(
                f"{services:,} Services: POST's answer to Knot's: median {statistics.median(delays):.1f} ms, "
                f"p90 {delays[int(len(delays) * 0.9)]:.1f} ms",
                flush=True,
            )
        finally:
            knot.stop()


def _is_synchronized(product):
    servers = httpx.get(product.url + _ZONE).json()["status"].get("servers") or []
    return [each["state"] for each in servers] == ["Current"]


def _delays(product, port, posts):
    """Milliseconds from the answer of each POST to the first right answer of the secondary."""
    with (
        httpx.Client(base_url=product.url, timeout=30) as client,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking,
    ):
        asking.connect(("127.0.0.1", port))
        asking.settimeout(5)
        for number in range(posts):
            name = f"n{number}"
            query = dns.message.make_query(f"{name}.{NAMESPACE}.svc.{DOMAIN}", "A", use_edns=False).to_wire()
            client.post(SERVICES, json=service(name)).raise_for_status()
            answered = time.perf_counter()
            while True:
                asking.send(query)
                if asking.recv(4096)[3] & 0xF == dns.rcode.NOERROR:
                    break
                time.sleep(0.001)
            yield (time.perf_counter() - answered) * 1000
            time.sleep(_APART_SECONDS)


if __name__ == "__main__":
    main()
