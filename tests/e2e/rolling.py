"""Pods behind Services, replaced a part at a time, as rollouts do."""

import asyncio
import itertools
import json
from collections import Counter, defaultdict

from tests.e2e import audit
from tests.e2e.client import Connection

SLICES = "endpointslices.discovery.k8s.io"
LIMIT = 100
"""Endpoints that a slice holds at most."""


class Rollout:
    """A number of pods behind a number of Services of one namespace, each start of one at an address of its own.

    Attributes:
        changes: Writes to pods that the server acknowledged.
    """

    def __init__(self, url, namespace, *, pods, services, clients=16):
        self.namespace = namespace
        self.changes = 0
        self._size = pods
        self._services = services
        self._connections = [Connection(url) for _ in range(clients)]
        self._numbers, self._starts = itertools.count(), itertools.count()
        self._alive = []

    async def start(self):
        """Create the Services and the first pods."""
        await self._all(range(self._services), self._create_service)
        await self._all(range(self._size), self._register)

    async def roll(self, share):
        """Restart a part of the pods, those first that were started first; one in five is replaced by another."""
        count = int(self._size * share)
        leaving, self._alive = self._alive[:count], self._alive[count:]
        await self._all(leaving, self._restart)

    async def settled(self, database_url):
        """Whether the slices show exactly the pods that are there, of each Service."""
        wanted = defaultdict(set)
        for number, started in self._alive:
            wanted[f"s{number % self._services}"].add(address_of(started))
        return await shown(database_url, self.namespace) == {
            name: dict.fromkeys(each, 1) for name, each in wanted.items()
        }

    def close(self):
        for connection in self._connections:
            connection.close()

    async def _all(self, items, work):
        items = iter(list(items))

        async def client(connection):
            for item in items:
                await work(connection, item)

        await asyncio.gather(*map(client, self._connections))

    async def _create_service(self, connection, number):
        spec = {"selector": {"app": f"a{number}"}, "ports": [{"port": 80, "targetPort": 8080}]}
        document = {"metadata": {"name": f"s{number}"}, "spec": spec}
        await self._send(connection, "POST", "services", document)

    async def _register(self, connection, _):
        number = next(self._numbers)
        metadata = {"name": f"p{number}", "labels": {"app": f"a{number % self._services}"}}
        await self._change(connection, "POST", "pods", {"metadata": metadata, "spec": {"containers": [{"name": "m"}]}})
        await self._start(connection, number)

    async def _start(self, connection, number):
        started = next(self._starts)
        await self._report(connection, number, {"phase": "Running", "podIP": address_of(started)}, ready="True")
        self._alive.append((number, started))

    async def _restart(self, connection, pod):
        number, started = pod
        await self._report(connection, number, {}, ready="False")
        if started % 5:
            await self._start(connection, number)
        else:
            await self._change(connection, "DELETE", f"pods/p{number}", None)
            await self._register(connection, None)

    async def _report(self, connection, number, status, *, ready):
        status = {"status": {**status, "conditions": [{"type": "Ready", "status": ready}]}}
        await self._change(connection, "PATCH", f"pods/p{number}/status", status)

    async def _change(self, connection, method, path, document):
        await self._send(connection, method, path, document)
        self.changes += 1

    async def _send(self, connection, method, path, document):
        headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else None
        reply = await connection.request(method, f"/api/v1/namespaces/{self.namespace}/{path}", document, headers)
        assert reply.status in (200, 201), reply.body


def address_of(number):
    return f"10.{128 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


async def shown(database_url, namespace):
    """How often each ready address is in the slices of each Service, by SQL."""
    found = await audit.rows(
        database_url, "SELECT body FROM objects WHERE kind = $1 AND namespace = $2", SLICES, namespace
    )
    addresses = defaultdict(Counter)
    for (body,) in found:
        slice_ = json.loads(body)
        for endpoint in slice_["endpoints"] or []:
            if endpoint["conditions"]["ready"]:
                addresses[slice_["metadata"]["labels"]["kubernetes.io/service-name"]].update(endpoint["addresses"])
    return {name: dict(counted) for name, counted in addresses.items()}


async def writes(database_url, namespace, kind):
    """How many changes of a kind the log has."""
    statement = "SELECT count(*) FROM changes WHERE kind = $1 AND namespace = $2"
    return (await audit.rows(database_url, statement, kind, namespace))[0][0]


async def largest_slice(database_url, namespace):
    """The most endpoints that a slice ever had, as far as the log tells."""
    statement = "SELECT body FROM changes WHERE kind = $1 AND namespace = $2"
    found = await audit.rows(database_url, statement, SLICES, namespace)
    return max(len(json.loads(body)["endpoints"] or []) for (body,) in found)
