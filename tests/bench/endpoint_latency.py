"""How long a pod that goes not ready stays in watchers' hands as ready, and what churn of many pods comes to.

Run with `python -m tests.bench.endpoint_latency [--pods 200] [--services 20] [--changes 200]`.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import uvloop

from tests.e2e.client import Connection, watching
from tests.e2e.serving import Serving

NAMESPACE = "/api/v1/namespaces/bench"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/bench/endpointslices"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pods", type=int, default=200)
    parser.add_argument("--services", type=int, default=20)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--server", help="URL of a running server; a fresh one is started without it")
    options = parser.parse_args()
    if options.server:
        uvloop.run(_measure(options.server, options))
        return
    with tempfile.TemporaryDirectory() as directory, Serving(Path(directory) / "data") as serving:
        uvloop.run(_measure(serving.url, options))


async def _measure(url: str, options: argparse.Namespace) -> None:
    connection = Connection(url)
    await _expect(connection, "POST", "/api/v1/namespaces", {"metadata": {"name": "bench"}})
    for number in range(options.services):
        spec = {"selector": {"app": f"a{number}"}, "ports": [{"port": 80, "targetPort": 8080}]}
        await _expect(connection, "POST", f"{NAMESPACE}/services", {"metadata": {"name": f"s{number}"}, "spec": spec})
    for number in range(options.pods):
        await _register(connection, number, options.services)
    watch = _Slices()
    async with watching(url, f"{SLICES}?watch=true&resourceVersion=0") as events:
        following = asyncio.create_task(watch.follow(events))
        await watch.settled({f"p{number}" for number in range(options.pods)})
        delays = []
        for number in range(options.changes):
            delays.append(
                await _change(connection, watch, f"p{number % options.pods}", ready=number // options.pods % 2)
            )
            await asyncio.sleep(0.02)
        following.cancel()
    delays.sort()
    print(
        f"pod not ready until a watcher has its slice, {options.pods} pods behind {options.services} Services: "
        f"p50 {statistics.median(delays) * 1000:.1f} ms, p99 {delays[int(len(delays) * 0.99)] * 1000:.1f} ms, "
        f"max {delays[-1] * 1000:.1f} ms"
    )


class _Slices:
    """The ready pods that a watcher of EndpointSlices knows of."""

    def __init__(self) -> None:
        self._ready: dict[str, set[str]] = {}
        self._changed = asyncio.Event()

    async def follow(self, events) -> None:
        async for event in events:
            slice_ = event["object"]
            name = slice_["metadata"]["name"]
            self._ready[name] = set()
            if event["type"] != "DELETED":
                endpoints = slice_["endpoints"] or []
                self._ready[name] = {each["targetRef"]["name"] for each in endpoints if each["conditions"]["ready"]}
            self._changed.set()

    async def settled(self, pods) -> None:
        while set().union(*self._ready.values()) != pods:
            await self._next()

    async def until(self, pod, *, ready) -> None:
        while any(pod in each for each in self._ready.values()) is not ready:
            await self._next()

    async def _next(self) -> None:
        self._changed.clear()
        async with asyncio.timeout(30):
            await self._changed.wait()


async def _register(connection, number, services) -> None:
    address = f"172.16.{number // 250}.{number % 250 + 1}"
    metadata = {"name": f"p{number}", "labels": {"app": f"a{number % services}"}}
    spec = {"containers": [{"name": "main", "ports": [{"containerPort": 8080}]}]}
    status = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": _condition(ready=True)}
    pod = {"metadata": metadata, "spec": spec}
    await _expect(connection, "POST", f"{NAMESPACE}/pods", pod)
    await _patch(connection, f"p{number}", status)


async def _change(connection, watch, name, *, ready) -> float:
    began = time.perf_counter()
    await _patch(connection, name, {"conditions": _condition(ready=bool(ready))})
    await watch.until(name, ready=bool(ready))
    return time.perf_counter() - began


async def _patch(connection, name, status) -> None:
    headers = {"Content-Type": "application/strategic-merge-patch+json"}
    await _expect(connection, "PATCH", f"{NAMESPACE}/pods/{name}/status", {"status": status}, headers)


async def _expect(connection, method, path, document, headers=None) -> None:
    reply = await connection.request(method, path, document, headers)
    assert reply.status in (200, 201), reply.body


def _condition(*, ready):
    return [{"type": "Ready", "status": "True" if ready else "False"}]


if __name__ == "__main__":
    main()
