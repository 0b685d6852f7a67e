"""How soon traffic flows: from the answer to a POST until the first byte, alone, in a burst, and with many Services.

Run with `python -m tests.bench.traffic [--alone 100] [--burst 1000] [--services 5000] [--changes 100]`. Each load
balancer has a client that connects until a byte of a member comes. The members are in this process, which also takes
its share of the machine.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

import psutil
import uvloop

from tests.dataplane.backends import Backend
from tests.dataplane.envoys import traffic
from tests.dataplane.haproxies import HAProxyProcess
from tests.e2e.client import Connection
from tests.e2e.serving import Serving

NAMESPACE = "/api/v1/namespaces/bench"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/bench/endpointslices"
_CONNECTIONS = 32
_SECONDS = 3.0
_PATIENCE = 120.0
_LONGEST_PAUSE = 0.025
"""Between two attempts of a client: many that never rest would only measure themselves."""
_NODE_PORTS = "10000-32767"
"""None that this process, or another one, may have for a connection: Envoy would try again and again to bind it."""
_PAUSE_OF_MANY = 2.0
"""Where thousands of clients wait, and are not timed."""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alone", type=int, default=100)
    parser.add_argument("--burst", type=int, default=1000)
    parser.add_argument("--services", type=int, default=5000)
    parser.add_argument("--changes", type=int, default=100)
    options = parser.parse_args()
    pools = ("--external-pool", "127.64.0.0/14", "--service-cidrs", "10.0.0.0/12", "--node-port-range", _NODE_PORTS)
    with tempfile.TemporaryDirectory() as directory:
        with Serving(Path(directory) / "data", *pools, data_plane="envoy") as serving:
            uvloop.run(_measure(serving, options))
        uvloop.run(_through_haproxy(Path(directory)))


async def _measure(serving, options):
    connection = Connection(serving.url)
    await _expect(connection, "POST", "/api/v1/namespaces", {"metadata": {"name": "bench"}})
    async with Backend("one") as one, Backend("two", host="127.1.0.2", port=one.port):
        await _register(connection, one.port)
        rate = await _round_trips("127.0.0.1", one.port)
        print(f"round trips/s on {_CONNECTIONS} connections, without a load balancer: {rate:,.0f}")
        found = [await _first_byte(connection, f"alone-{number}", one.port) for number in range(options.alone)]
        _say(f"POST's answer to the first byte, alone ({options.alone} times)", found)
        address = await _address(connection, "alone-0")
        print(f"round trips/s through Envoy: {await _round_trips(address, 80):,.0f}")
        connections = [Connection(serving.url) for _ in range(_CONNECTIONS)]
        _say(f"the same in a burst of {options.burst}", await _burst(connections, "burst", options.burst, one.port))
        before = _used(serving)
        # One more is made for the changes, and an Envoy has 5,000 at most.
        more = max(0, options.services - options.burst - options.alone - 1)
        await _burst(connections, "more", more, one.port, _PAUSE_OF_MANY)
        after = _used(serving)
        for role in ("xds", "envoy"):
            memory, cpu = ((after[role][each] - before[role][each]) / max(more, 1) for each in (0, 1))
            print(f"{role}: {memory / 1024:.1f} KiB and {cpu * 1000:.2f} ms of CPU a Service; "
                  f"{after[role][0] / 2**20:.0f} MiB with {options.services}", flush=True)  # fmt: skip
        changes = await _changes(connection, options.changes, one.port)
        _say(f"a member's change to the other member's byte, with {options.services} Services", changes)


async def _through_haproxy(directory):
    async with Backend("one") as one, HAProxyProcess(directory) as haproxy:
        await haproxy.put(traffic([("127.22.0.1", 20_080)], [one]))
        print(f"round trips/s through HAProxy: {await _round_trips('127.22.0.1', 20_080):,.0f}")


async def _register(connection, port):
    """One Pod, which all Services select."""
    pod = {"metadata": {"name": "one", "labels": {"app": "bench"}}, "spec": {"containers": [{"name": "main"}]}}
    await _expect(connection, "POST", f"{NAMESPACE}/pods", pod)
    ready = {"phase": "Running", "podIP": "127.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]}
    found = await _expect(connection, "GET", f"{NAMESPACE}/pods/one")
    await _expect(connection, "PUT", f"{NAMESPACE}/pods/one/status", {**found, "status": ready})
    del port


def _service(name, port, **spec):
    ports = [{"port": 80, "targetPort": port}]
    return {"metadata": {"name": name}, "spec": {"type": "LoadBalancer", "ports": ports, **spec}}


async def _first_byte(connection, name, port):
    """Milliseconds from the answer until a byte came."""
    made = await _expect(connection, "POST", f"{NAMESPACE}/services", _service(name, port, selector={"app": "bench"}))
    answered = time.perf_counter()
    await _until_byte(made["status"]["loadBalancer"]["ingress"][0]["ip"], b"one")
    return (time.perf_counter() - answered) * 1000


async def _until_byte(address, by, longest_pause=0.001):
    deadline, pause = time.perf_counter() + _PATIENCE, 0.001
    while True:
        try:
            reader, writer = await asyncio.open_connection(address, 80)
            try:
                if (await reader.readline()).strip() == by:
                    return
            finally:
                writer.close()
        except OSError:
            pass
        assert time.perf_counter() < deadline, f"{address} does not answer"
        await asyncio.sleep(pause)
        pause = min(pause * 1.3, longest_pause)


async def _burst(connections, prefix, count, port, longest_pause=_LONGEST_PAUSE):
    names = iter([f"{prefix}-{number}" for number in range(count)])
    waiting = []

    async def create(connection):
        for name in names:
            service = _service(name, port, selector={"app": "bench"})
            made = await _expect(connection, "POST", f"{NAMESPACE}/services", service)
            address = made["status"]["loadBalancer"]["ingress"][0]["ip"]
            waiting.append(asyncio.create_task(_timed(address, time.perf_counter(), longest_pause)))

    await asyncio.gather(*(create(each) for each in connections))
    return list(await asyncio.gather(*waiting))


async def _timed(address, since, longest_pause):
    await _until_byte(address, b"one", longest_pause)
    return (time.perf_counter() - since) * 1000


async def _changes(connection, count, port):
    made = await _expect(connection, "POST", f"{NAMESPACE}/services", _service("changing", port))
    address = made["status"]["loadBalancer"]["ingress"][0]["ip"]
    found = []
    for number in range(count):
        host, by = (("127.0.0.1", b"one"), ("127.1.0.2", b"two"))[number % 2]
        slice_ = {
            "metadata": {"name": "changing", "labels": {"kubernetes.io/service-name": "changing"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [host]}],
            "ports": [{"name": "", "port": port}],
        }
        method, path = ("PUT", f"{SLICES}/changing") if number else ("POST", SLICES)
        await _expect(connection, method, path, slice_)
        answered = time.perf_counter()
        await _until_byte(address, by)
        found.append((time.perf_counter() - answered) * 1000)
    return found


async def _round_trips(address, port):
    done, deadline = 0, time.perf_counter() + _SECONDS

    async def client():
        nonlocal done
        reader, writer = await asyncio.open_connection(address, port)
        await reader.readline()
        while time.perf_counter() < deadline:
            writer.write(b"ping\n")
            await reader.readline()
            done += 1
        writer.close()

    await asyncio.gather(*(client() for _ in range(_CONNECTIONS)))
    return done / _SECONDS


async def _address(connection, name):
    return (await _expect(connection, "GET", f"{NAMESPACE}/services/{name}"))["status"]["loadBalancer"]["ingress"][0][
        "ip"
    ]


def _used(serving):
    """Memory and CPU seconds by role."""
    found = {}
    for role in ("xds", "envoy"):
        process = psutil.Process(serving.child(role).pid)
        found[role] = (process.memory_info().rss, sum(process.cpu_times()[:2]))
    return found


async def _expect(connection, method, path, document=None):
    reply = await connection.request(method, path, document)
    assert reply.status in (200, 201), f"{method} {path}: {reply.status} {json.dumps(reply.document)[:300]}"
    return reply.document


def _say(what, milliseconds):
    found = sorted(milliseconds)
    if found:
        print(f"{what}: p50 {statistics.median(found):.1f} ms, p99 {found[int(len(found) * 0.99)]:.1f} ms, "
              f"max {found[-1]:.1f} ms", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
