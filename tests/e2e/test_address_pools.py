"""Pools are added, grown, shrunk, drained and deleted while Services come and go and processes are killed."""

import asyncio
import random
from ipaddress import ip_network

import pytest

from tests.e2e import audit
from tests.e2e.bodies import PORT, service
from tests.e2e.ensemble import NAMESPACE, Ensemble, create_database
from tests.e2e.pool_users import POOLS, Client, Operator, address, havoc, pool
from tests.e2e.waiting import eventually

SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
SPEC = {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False, "ports": [PORT]}
SETTINGS = {"external_pool": "198.18.0.0/29", "internal_pool": "10.224.0.0/29", "allocation_wait": "1"}
NETWORKS = (ip_network("198.18.0.0/15"),)


@pytest.fixture
def ensemble(postgres, tmp_path):
    url = asyncio.run(create_database(postgres, "address_pools"))
    with Ensemble(url, tmp_path, apis=2, reconcilers=2, **SETTINGS) as ensemble:
        yield ensemble


class Tenant:
    """Creates and deletes Services of its own, and remembers what addresses it was shown."""

    def __init__(self, number, client, chance):
        self._client = client
        self._chance = chance
        self._names = (f"web-{number}-{index}" for index in range(10**6))
        self.shown = {}

    async def run(self, stopping):
        while not stopping.is_set():
            if len(self.shown) < 12 or self._chance.random() < 0.5:
                name = next(self._names)
                reply = await self._client.ask("POST", SERVICES, service(name, SPEC))
                document = reply.document if reply is not None else await self._client.read(f"{SERVICES}/{name}")
                if document is not None and document["kind"] == "Service":
                    self.shown[name] = address(document)
            else:
                await self.drop(self._chance.choice(list(self.shown)))

    async def drop(self, name):
        del self.shown[name]
        while await self._client.read(f"{SERVICES}/{name}") is not None:
            await self._client.ask("DELETE", f"{SERVICES}/{name}")

    async def check(self):
        """Whoever was shown an address has it still; whoever waited has one by now."""
        for name, before in self.shown.items():
            now = address(await self._client.read(f"{SERVICES}/{name}"))
            assert now is not None
            assert before in (None, now)


async def held(url):
    return await audit.rows(url, "SELECT host(address) AS address, owner::text FROM lb_addresses")


@pytest.mark.parametrize(("edits", "kills"), [(60, 4), pytest.param(600, 40, marks=pytest.mark.soak)])
async def test_no_address_is_given_twice_moved_or_leaked(ensemble, edits, kills):
    chance = random.Random(edits)
    clients = [Client(ensemble, chance) for _ in range(5)]
    client, *others = clients
    tenants = [Tenant(number, each, chance) for number, each in enumerate(others)]
    operator, stopping = Operator(client, chance), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for tenant in tenants:
            group.create_task(tenant.run(stopping))
        await asyncio.gather(operator.run(edits), havoc(ensemble, chance, kills))
        stopping.set()
    await asyncio.to_thread(ensemble.wait)
    assert {status for _, status in operator.answers} <= {200, 201, 202, 404, 409, 422}
    assert {("add", 201), ("drain", 200), ("delete", 200)} <= operator.answers
    await client.ask("POST", POOLS, pool("rest", "198.19.255.0/24"))
    await eventually(lambda: audit.finished(ensemble.database_url))
    for tenant in tenants:
        await tenant.check()
    await audit.check_claims(ensemble.database_url, NAMESPACE, pools=NETWORKS)
    rows = await held(ensemble.database_url)
    assert len({row["address"] for row in rows}) == len(rows) > 0
    await eventually(lambda: counted(client, len(rows)))
    # Also those whose creation was answered to nobody.
    while services := (await client.read(SERVICES))["items"]:
        for each in services:
            await client.ask("DELETE", f"{SERVICES}/{each['metadata']['name']}")
    assert await held(ensemble.database_url) == []
    await eventually(lambda: counted(client, 0))
    for each in (await client.read(POOLS))["items"]:
        await client.ask("DELETE", f"{POOLS}/{each['metadata']['name']}")
    await eventually(lambda: nobody_left(client))
    for each in clients:
        each.close()


async def counted(client, number):
    """Whether the pools say that so many addresses are held."""
    pools = (await client.read(POOLS))["items"]
    return sum(family["used"] for each in pools for family in each["status"].get("families", [])) == number


async def nobody_left(client):
    return (await client.read(POOLS))["items"] == []
