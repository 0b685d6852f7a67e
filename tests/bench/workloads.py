"""What is measured, one coroutine a line of the table; each leaves the server as it found it."""

import asyncio
import json
import random
import time
from itertools import count, cycle

from tests.bench.bodies import NAMESPACE, ROOT, SERVICES, encoded, pod, pod_status, service
from tests.bench.client import drive
from tests.bench.report import Row
from tests.bench.watching import fan_out, opened

BULK = "/apis/fairlead.io/v1/apply"
_OWN = "/apis/fairlead.io/v1"
_MILLION = "20.0.0.0/12"
_CREATED = {200, 201}
_names = count()


class Bench:
    """Runs workloads against a server and keeps the rows.

    Args:
        server: Where.
        product: What was started for it; None measures a server that somebody else runs.
        seconds: How long each workload runs.
        tell: Called with each row.
    """

    def __init__(self, server, product, seconds, tell):
        self.server = server
        self.product = product
        self.seconds = seconds
        self.rows = []
        self.stored = []
        self._tell = tell

    def note(self, row, operations=0, used=0.0):
        if self.product is not None:
            row.memory = sum(self.product.memory().values()) / 2**20
            row.cpu = used / operations * 1e6 if operations else None
        self.rows.append(row)
        self._tell(row)

    async def load(self, work, scripts, *, expected=_CREATED, keep=False, seconds=None, note=""):
        """Drive scripts and note the row."""
        before = self.product.cpu_seconds() if self.product else 0.0
        load = await drive(self.server, scripts, seconds=seconds or self.seconds, keep_bodies=keep)
        used = self.product.cpu_seconds() - before if self.product else 0.0
        failed = sum(times for code, times in load.codes.items() if code not in expected) + load.lost
        row = Row(work, len(scripts), load.rate, load.centile(0.5), load.centile(0.99), failed, note=note)
        self.note(row, len(load.latencies), used)
        return load

    async def namespace(self):
        body = encoded({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        code, text = await self.server.send("POST", "/api/v1/namespaces", body)
        assert code in (201, 409), text

    async def posts(self, of_type, clients):
        """POST until allocated, then DELETE; every answer is checked: it has its address, and nobody else has it."""
        prefix = f"p{next(_names)}"
        made = []

        def script(client):
            for number in count():
                name = f"{prefix}-{client}-{number}"
                made.append(name)
                yield self.server.request("POST", SERVICES, encoded(service(name, of_type)))

        load = await self.load(f"POST {of_type}", [script(client) for client in range(clients)], keep=True)
        addresses = [json.loads(body)["spec"].get("clusterIP") for body in load.bodies]
        assert all(addresses), "a Service was answered without its ClusterIP"
        assert len(set(addresses)) == len(addresses), "a ClusterIP was given twice"
        requests = [self.server.request("DELETE", f"{SERVICES}/{name}") for name in made]
        scripts = [iter(requests[client::clients]) for client in range(clients)]
        await self.load(f"DELETE {of_type}", scripts, seconds=600)

    async def fill(self, services):
        """Store Services, in bulk where the server can; those that are read and changed from now on."""
        prefix = f"f{next(_names)}"
        names = [f"{prefix}-{number}" for number in range(services)]
        probe, _ = await self.server.send("GET", BULK)
        started = time.perf_counter()
        if probe == 405:
            for start in range(0, services, 10_000):
                items = [service(name) for name in names[start : start + 10_000]]
                body = encoded({"apiVersion": "v1", "kind": "List", "items": items})
                before = time.perf_counter()
                code, text = await self.server.send("POST", BULK, body)
                assert code == 200, text[:2000]
                took = time.perf_counter() - before
                self.note(Row(f"bulk, {len(items):,} a call", 1, len(items) / took, took * 1000))
        else:
            requests = [self.server.request("POST", SERVICES, encoded(service(name))) for name in names]
            await drive(self.server, [iter(requests[client::16]) for client in range(16)])
            self.note(Row("POST one by one", 16, services / (time.perf_counter() - started)))
        self.stored = names

    async def reads(self, clients=32):
        """GET of one, a page of 500, and the whole; none may be stale."""
        await self.gets(clients)
        page = self.server.request("GET", f"{SERVICES}?limit=500")
        await self.load("LIST, a page of 500", [cycle([page]) for _ in range(4)])
        whole = self.server.request("GET", SERVICES)
        await self.load(f"LIST, {len(self.stored):,} whole", [cycle([whole]) for _ in range(4)])

    async def gets(self, clients):
        """GET of one."""
        chance = random.Random(1)
        requests = [self.server.request("GET", f"{SERVICES}/{name}") for name in chance.sample(self.stored, 1000)]
        await self.load("GET", [cycle(requests[client:]) for client in range(clients)])

    async def load_balancers(self, clients=32, services=500):
        """GET of LoadBalancers whose addresses are of a pool of a million, and PUT of their Services."""
        prefix = f"b{next(_names)}"
        pool = {"metadata": {"name": prefix}, "spec": {"scope": "external", "addresses": [_MILLION], "priority": 1}}
        code, text = await self.server.send("POST", f"{_OWN}/addresspools", encoded(pool))
        assert code == 201, text
        names = [f"{prefix}-{number}" for number in range(services)]
        made = [self.server.request("POST", SERVICES, encoded(service(name, "LoadBalancer"))) for name in names]
        await drive(self.server, [iter(made[client::clients]) for client in range(clients)])
        balancers = f"{_OWN}/namespaces/{NAMESPACE}/loadbalancers"
        reads = [self.server.request("GET", f"{balancers}/{name}") for name in names]
        await self.load("GET LoadBalancer, pool of 1,000,000", [cycle(reads[client:]) for client in range(clients)])

        def changes(client):
            for turn in count():
                for name in names[client::clients]:
                    body = service(name, "LoadBalancer", labels={"turn": str(turn)})
                    yield self.server.request("PUT", f"{SERVICES}/{name}", encoded(body))

        await self.load("PUT LoadBalancer", [changes(client) for client in range(clients)])
        gone = [self.server.request("DELETE", f"{SERVICES}/{name}") for name in names]
        await drive(self.server, [iter(gone[client::clients]) for client in range(clients)])
        await self.server.send("DELETE", f"{_OWN}/addresspools/{prefix}")

    async def changes(self, clients=32):
        """PUT and PATCH, each client of its own objects."""
        code, text = await self.server.send("GET", f"{SERVICES}?limit=500")
        assert code == 200, text
        bodies = json.loads(text)["items"]
        for each in bodies:
            each.update(apiVersion="v1", kind="Service")
            del each["metadata"]["resourceVersion"]
            each["metadata"].pop("managedFields", None)

        def puts(own):
            for number in count():
                body = own[number % len(own)]
                body["metadata"]["labels"] = {"app": f"v{number}"}
                yield self.server.request("PUT", f"{SERVICES}/{body['metadata']['name']}", encoded(body))

        def patches(own):
            for number in count():
                body = encoded({"metadata": {"labels": {"app": f"w{number}"}}})
                path = f"{SERVICES}/{own[number % len(own)]}"
                yield self.server.request("PATCH", path, body, "application/merge-patch+json")

        await self.load("PUT", [puts(bodies[client::clients]) for client in range(clients)])
        await self.load("PATCH", [patches(self.stored[client::clients]) for client in range(clients)])

    async def watches(self, watchers, rate=100):
        """Changes at a steady rate to many watchers; the delay is from sending the change to its event's arrival."""
        prefix = f"w{next(_names)}"
        for number in range(rate):
            body = encoded(service(f"{prefix}-{number}", labels={"watched": prefix}))
            code, text = await self.server.send("POST", SERVICES, body)
            assert code == 201, text
        total = int(rate * self.seconds)

        async def send(number, now):
            body = encoded({"metadata": {"annotations": {"sent": repr(now)}}})
            path = f"{SERVICES}/{prefix}-{number % rate}"
            code, text = await self.server.send("PATCH", path, body, "application/merge-patch+json")
            assert code == 200, text

        selector = f"{SERVICES}?labelSelector=watched%3D{prefix}"
        async with opened(self.server, selector, watchers) as delays:
            before = self.product.cpu_seconds() if self.product else 0.0
            seconds = await fan_out(delays, watchers, total, rate, send)
            used = self.product.cpu_seconds() - before if self.product else 0.0
        delays.sort()
        median, late = (delays[int(len(delays) * part)] * 1000 if delays else None for part in (0.5, 0.99))
        row = Row(f"watch, {rate} changes/s", watchers, len(delays) / seconds, median, late,
                  total * watchers - len(delays))  # fmt: skip
        self.note(row, len(delays), used)
        await self.server.send("DELETE", f"{SERVICES}?labelSelector=watched%3D{prefix}")

    async def endpoints(self, services=20, pods=10):
        """A pod goes not ready, and back; the delay is until its Service's EndpointSlice says so."""
        prefix = f"e{next(_names)}"
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "bench-node"},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]}}  # fmt: skip
        assert (await self.server.send("POST", "/api/v1/nodes", encoded(node)))[0] in (201, 409)
        for number in range(services):
            labels = {"app": f"{prefix}-{number}"}
            body = encoded(service(f"{prefix}-{number}", selector=labels))
            assert (await self.server.send("POST", SERVICES, body))[0] == 201
            for each in range(pods):
                index = number * pods + each
                body = encoded(pod(f"{prefix}-{number}-{each}", index, labels))
                code, text = await self.server.send("POST", f"{ROOT}/pods", body)
                assert code == 201, text
                status = encoded({"status": pod_status(index, ready=True)})
                path = f"{ROOT}/pods/{prefix}-{number}-{each}/status"
                await self.server.send("PATCH", path, status, "application/merge-patch+json")
        total = int(self.seconds * 50)

        async def send(number, now):
            index = number % (services * pods)
            name = f"{prefix}-{index // pods}-{index % pods}"
            ready = bool(number // (services * pods) % 2)
            body = encoded({"status": pod_status(index, ready=ready)})
            sent[name] = now
            await self.server.send("PATCH", f"{ROOT}/pods/{name}/status", body, "application/merge-patch+json")

        sent, delays = {}, []
        watching = asyncio.ensure_future(self._slices(prefix, sent, delays))
        await asyncio.sleep(0.5)
        before = self.product.cpu_seconds() if self.product else 0.0
        started = time.perf_counter()
        for number in range(total):
            await asyncio.sleep(max(0.0, started + number / 50 - time.perf_counter()))
            await send(number, time.perf_counter())
        await asyncio.sleep(0.5)
        seconds = time.perf_counter() - started
        used = self.product.cpu_seconds() - before if self.product else 0.0
        watching.cancel()
        delays.sort()
        median, late = (delays[int(len(delays) * part)] * 1000 if delays else None for part in (0.5, 0.99))
        row = Row("endpoints, pods not ready", 1, len(delays) / seconds, median, late, len(sent))
        self.note(row, total, used)

    async def _slices(self, prefix, sent, delays):
        """Note when each pod's change shows in a slice."""
        known = {}
        path = f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices?watch=1"
        async for event in events(self.server, path):
            if not event["object"]["metadata"]["name"].startswith(prefix):
                continue
            for endpoint in event["object"].get("endpoints") or ():
                name, ready = endpoint["targetRef"]["name"], endpoint["conditions"]["ready"]
                if name in sent and known.get(name, True) != ready:
                    delays.append(time.perf_counter() - sent.pop(name))
                known[name] = ready


async def events(server, path):
    """The events of one watch, decoded."""
    queue = asyncio.Queue()

    class Lines(asyncio.Protocol):
        rest = b""

        def connection_made(self, transport):
            transport.write(server.request("GET", path))

        def data_received(self, data):
            *lines, self.rest = (self.rest + data).split(b"\n")
            for each in lines:
                if each.startswith(b'{"type"'):
                    queue.put_nowait(json.loads(each))

    transport, _ = await server.connect(Lines)
    try:
        while True:
            yield await queue.get()
    finally:
        transport.abort()
