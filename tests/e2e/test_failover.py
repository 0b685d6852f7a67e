"""Three Postgres under Patroni: whatever becomes of a primary, no acknowledged write is lost, and nothing stops.

Reads, watches, answers of DNS and traffic through a load balancer go on all the time.
"""

import asyncio
import itertools
import logging
import os
import random
import secrets
import time
from contextlib import AsyncExitStack

import asyncpg
import httpx
import pytest

from tests.dataplane.backends import Backend, greeting
from tests.dataplane.envoys import EnvoyProcess
from tests.dns.answering import Asked
from tests.e2e import audit
from tests.e2e.bodies import cluster_ip, service
from tests.e2e.client import Connection
from tests.e2e.ensemble import NAMESPACE, Ensemble
from tests.e2e.follower import Follower
from tests.e2e.onlookers import Reader, Resolver, Talker, Visitor
from tests.e2e.patroni import Cluster, needed
from tests.e2e.subject import is_allocated
from tests.e2e.waiting import eventually
from tests.e2e.workload import Load, storm

_log = logging.getLogger(__name__)

pytestmark = needed

ADDRESSES = {"traffic-0": "127.83.0.0/24", "traffic-1": "127.83.1.0/24"}
"""Pools of the Envoys, each of which has a server of its own. In a pool is one Service, of the pool's name."""
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
_numbers = itertools.count()

FAILOVER_SECONDS = 90.0
"""Longer than Patroni takes for another primary on a busy machine."""
WHOLE_SECONDS = 300.0
"""Longer than it takes for a node to come back."""


@pytest.fixture
def cluster():
    with Cluster() as cluster:
        yield cluster


@pytest.fixture
def ensemble(cluster, tmp_path):
    xds = len(ADDRESSES)
    with Ensemble(cluster.url, tmp_path, apis=2, reconcilers=2, xds=xds, dns=2, loopback_data_plane="true") as ensemble:
        yield ensemble


async def kill_postgres(cluster):
    cluster.primary().kill_postgres()


async def kill_node(cluster):
    cluster.primary().kill()


async def pause_node(cluster):
    cluster.primary().pause()


async def cut_off(cluster):
    cluster.cut_off(cluster.primary())


async def switch_over(cluster):
    await asyncio.to_thread(cluster.switch_over)


async def lose_etcd(cluster):
    cluster.kill_etcd()


async def lose_a_standby(cluster):
    """The one that commits wait for; Patroni chooses the other one."""
    next(node for node in cluster.nodes if node.is_synchronous).kill()


QUICK = (kill_postgres, switch_over, lose_etcd)
EVERY = (*QUICK, kill_node, pause_node, cut_off, lose_a_standby)
ROUNDS = int(os.environ.get("FAIRLEAD_SOAK_ROUNDS", "43"))
"""Of every fault."""


def heal(cluster, fault, primary):
    """Undo a fault."""
    if fault is kill_node:
        primary.start()
    elif fault is pause_node:
        primary.resume()
    elif fault is cut_off:
        cluster.reconnect(primary)
    elif fault is lose_etcd:
        cluster.start_etcd()
    elif fault is lose_a_standby:
        for node in cluster.nodes:
            node.start_if_dead()


@pytest.fixture
async def member():
    async with Backend("one") as backend:
        yield backend


@pytest.fixture
async def envoys(ensemble, tmp_path):
    async with AsyncExitStack() as stack:
        for pool, server in zip(ADDRESSES, ensemble.xds_sockets, strict=True):
            directory = tmp_path / pool
            directory.mkdir()
            await stack.enter_async_context(EnvoyProcess(directory, server, metadata={"pools": [pool]}))
        yield


@pytest.fixture
async def onlookers(ensemble, envoys, member):
    """They read, send traffic and ask for a name; everything was well before anything is broken."""
    del envoys
    async with httpx.AsyncClient(base_url=ensemble.urls[0], timeout=30) as api:
        # From now on nobody else's Service is told of the first data planes, which changes it.
        services = [await traffic_service(api, pool, member.port) for pool in ADDRESSES]
    addresses = [service["status"]["loadBalancer"]["ingress"][0]["ip"] for service in services]
    for address in addresses:
        await eventually(lambda address=address: is_led_to(member, address), timeout=60)
    name, cluster_address = "traffic-0.default.svc.cluster.local.", services[0]["spec"]["clusterIP"]
    for port in ensemble.dns_ports:
        await Asked("127.0.0.1", port).becomes(name, "A", [cluster_address])
    return [
        *(Reader(url, SERVICES) for url in ensemble.urls),
        *(Resolver(port, name, cluster_address) for port in ensemble.dns_ports),
        *(Visitor(address, 80, member.name) for address in addresses),
        *(Talker(address, 80) for address in addresses),
    ]


async def is_led_to(member, address):
    return await greeting(address, 80) == member.name


async def traffic_service(api, name, port):
    """Make a Service with one member, in a pool of its own: nobody else's comes to the Envoy. Answers it, served."""
    pool = {"scope": "external", "addresses": [ADDRESSES[name]], "autoAssign": False}
    metadata = {"name": name, "annotations": {"metallb.io/address-pool": name}}
    slice_of_member = {
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"]}],
        "ports": [{"name": "", "port": port}],
    }
    services = "/api/v1/namespaces/default/services"
    for path, document in (
        ("/apis/fairlead.io/v1/addresspools", {"metadata": {"name": name}, "spec": pool}),
        ("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", slice_of_member),
        (services, {"metadata": metadata, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}),
    ):
        made = await api.post(path, json=document)
        assert made.status_code == 201, made.text

    async def is_served():
        service = (await api.get(f"{services}/{name}")).json()
        states = {each["type"]: each["status"] for each in service["status"]["conditions"]}
        return service if states.get("Programmed") == "True" else None

    return await eventually(is_served, timeout=60)


async def written(cluster):
    """Whether the database takes writes, as anybody's client would find: then Patroni has done its part."""
    for node in cluster.nodes:
        try:
            async with asyncio.timeout(1):
                connection = await asyncpg.connect(cluster.url_of(node), target_session_attrs="primary")
                try:
                    await connection.execute("SELECT pg_logical_emit_message(true, 'probe', '')")
                finally:
                    connection.terminate()
        except (OSError, asyncpg.PostgresError, asyncpg.InternalClientError, asyncpg.InterfaceError):
            continue
        return True
    return False


async def first_of_many(url):
    """Wait until a new write is stored: every tenth of a second somebody comes with one."""
    done, waiting = set(), set()
    while not any(task.result() for task in done):
        waiting.add(asyncio.create_task(stores(url)))
        done, waiting = await asyncio.wait(waiting, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def stores(url):
    """Whether a Service of the default namespace is created, whole, at once."""
    connection = Connection(url)
    try:
        name = f"probe-{next(_numbers)}"
        reply = await connection.request("POST", "/api/v1/namespaces/default/services", service(name, cluster_ip()))
        return reply.status == 201 and is_allocated(reply.document)
    finally:
        connection.close()


class Failovers:
    """Faults, one after the other, under a load.

    Attributes:
        seconds: For each fault, how long after Patroni the next write of a client was stored.
    """

    def __init__(self, cluster, load, chance):
        self._cluster = cluster
        self._load = load
        self._chance = chance
        self.seconds = []

    async def run(self, faults):
        for fault, another in zip(faults, (*faults[1:], None), strict=True):
            await self._load.progress(self._chance.randrange(40, 120), within=FAILOVER_SECONDS)
            primary = await asyncio.to_thread(self._cluster.primary)
            await fault(self._cluster)
            await self._recovered(fault, primary)
            heal(self._cluster, fault, primary)
            if another is not None:
                await self._whole()
        await self._load.progress(100, within=FAILOVER_SECONDS)

    async def _whole(self):
        """Wait until all nodes are there again: one that was lost is rewound, or copied anew.

        A Patroni that starts while etcd is gone ends, and is started again, as its unit has systemd do.
        """

        def is_whole():
            for node in self._cluster.nodes:
                node.start_if_dead()
            return self._cluster.is_whole()

        try:
            await eventually(lambda: asyncio.to_thread(is_whole), WHOLE_SECONDS, pause=0.2)
        except AssertionError:
            raise AssertionError(f"a node did not come back:\n{self._cluster.latest()}") from None

    async def _recovered(self, fault, primary):
        begin = time.monotonic()
        await eventually(lambda: written(self._cluster), timeout=FAILOVER_SECONDS)
        patroni = time.monotonic()
        async with asyncio.timeout(FAILOVER_SECONDS):
            await first_of_many(self._load.urls[0])
        self.seconds.append(time.monotonic() - patroni)
        _log.info(
            "%s of %s: Patroni took %.2f s, the writes %.2f s more",
            *(fault.__name__, primary.name, patroni - begin, self.seconds[-1]),
        )


@pytest.mark.parametrize(
    ("faults", "size", "clients"),
    [
        pytest.param(QUICK, 60, 8, id="quick"),
        pytest.param(EVERY * ROUNDS, 400, 16, id="every", marks=pytest.mark.soak),
    ],
)
async def test_nothing_acknowledged_is_lost_and_nothing_stops(cluster, ensemble, onlookers, faults, size, clients):
    seed = secrets.randbits(32)
    _log.info("the faults come in the order of seed %d", seed)
    chance = random.Random(seed)
    load = Load(ensemble.urls, NAMESPACE, range(size), clients=clients, pressed=True)
    failovers = Failovers(cluster, load, chance)
    followers = [Follower(api_url(url), NAMESPACE) for url in ensemble.urls]
    async with asyncio.TaskGroup() as group:
        others = [group.create_task(each.run()) for each in [*followers, *onlookers]]
        await storm([load], failovers.run(chance.sample(faults, len(faults))))
        await eventually(lambda: audit.finished(ensemble.database_url))
        # In a thread: histories of an hour take longer than onlookers wait for an answer.
        await asyncio.to_thread(asyncio.run, audit.check_everything(ensemble.database_url, load))
        load.pressed = False
        await load.run(lambda worker: worker.delete_all())
        for follower in followers:
            await eventually(
                lambda events=follower.events: audit.has_seen_all(ensemble.database_url, NAMESPACE, events)
            )
        for each in others:
            each.cancel()
    assert [follower.interruptions for follower in followers] == [0] * len(followers), "a watch was ended"
    assert all(onlooker.looks for onlooker in onlookers)
    assert not any(process.has_ended for process in ensemble.processes), "a process did not outlive its database"
    assert set((await audit.check_claims(ensemble.database_url, NAMESPACE)).values()) == {0}
    await audit.check_everything(ensemble.database_url, load)
    _log.info(
        "%d faults, %d writes acknowledged, none lost; the next write after %.2f s (median), %.2f s (longest); "
        "%d reads, answers of DNS and connections, none failed",
        *(len(faults), len(load.record.writes), sorted(failovers.seconds)[len(faults) // 2], max(failovers.seconds)),
        sum(onlooker.looks for onlooker in onlookers),
    )


def api_url(url):
    return lambda: url
