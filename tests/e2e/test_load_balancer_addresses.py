"""LoadBalancer Services on own, static and shared addresses, while pools are edited and processes are killed."""

import asyncio
import random
from collections import defaultdict
from ipaddress import ip_network
from itertools import pairwise

import pytest

from tests.e2e import audit
from tests.e2e.bodies import service
from tests.e2e.ensemble import NAMESPACE, Ensemble, create_database
from tests.e2e.pool_users import POOLS, Client, Operator, address, havoc, pool
from tests.e2e.waiting import eventually

SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
STATICS = f"/apis/fairlead.io/v1/namespaces/{NAMESPACE}/staticaddresses"
SETTINGS = {"external_pool": "198.18.0.0/25", "internal_pool": "10.224.0.0/25", "allocation_wait": "1"}
NETWORKS = tuple(map(ip_network, ("198.18.0.0/15", "198.20.0.0/20", "10.224.0.0/16")))
PREFIX = "service.beta.kubernetes.io/azure-"
INTERNAL, NAME, IPV4 = f"{PREFIX}load-balancer-internal", f"{PREFIX}pip-name", f"{PREFIX}load-balancer-ipv4"
FRONTS = 8


@pytest.fixture
def ensemble(postgres, tmp_path):
    url = asyncio.run(create_database(postgres, "load_balancer_addresses"))
    with Ensemble(url, tmp_path, apis=2, reconcilers=2, **SETTINGS) as ensemble:
        yield ensemble


class Tenant:
    """Makes Services of each sort, changes some between private and public, and remembers what it was shown."""

    def __init__(self, number, client, chance):
        self._client = client
        self._chance = chance
        self._number = number
        self._made = 0
        # By name: what was sent last, and the address that was shown since.
        self.sent = {}
        self.shown = {}
        self.seen = set()

    async def run(self, services):
        while self._made < services:
            if len(self.sent) < services // 2 or self._chance.random() < 0.7:
                await self._create()
            elif self._chance.random() < 0.5:
                await self._switch()
            else:
                await self.drop(self._chance.choice(list(self.sent)))

    async def _create(self):
        self._made += 1
        name = f"web-{self._number}-{self._made}"
        # Each has a port of its own, so that all may meet at one address.
        port = 1024 + self._number * 10_000 + self._made
        spec = {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False, "ports": [{"name": "a", "port": port}]}
        sort = self._chance.choice(["own", "own", "internal", "named", "by address", "another's"])
        await self._send("POST", SERVICES, name, self._annotations(sort), spec)

    def _annotations(self, sort):
        if sort == "internal":
            return {INTERNAL: "true"}
        if sort == "named":
            return {NAME: f"front-{self._chance.randrange(FRONTS)}"}
        if sort == "by address":
            return {IPV4: f"198.18.0.{1 + self._chance.randrange(FRONTS)}"}
        public = [text for name, text in self.shown.items() if text and not self.sent[name]["metadata"]["annotations"]]
        return {IPV4: self._chance.choice(public)} if sort == "another's" and public else {}

    async def _switch(self):
        name = self._chance.choice(list(self.sent))
        annotations = self.sent[name]["metadata"]["annotations"]
        spec = self.sent[name]["spec"]
        await self._send("PUT", f"{SERVICES}/{name}", name, {} if annotations else {INTERNAL: "true"}, spec)

    async def _send(self, method, path, name, annotations, spec):
        document = service(name, spec)
        document["metadata"]["annotations"] = annotations
        reply = await self._client.ask(method, path, document)
        if reply is not None and reply.status >= 400:
            # Refused, as another's address that was let go may be somebody else's by now.
            assert reply.status in (404, 409, 422), reply.document
            return
        found = reply.document if reply is not None else await self._client.read(f"{SERVICES}/{name}")
        if found is not None and found["metadata"].get("annotations", {}) == annotations:
            self.sent[name] = document
            self.shown[name] = self._settled(found)

    def _settled(self, document):
        """The address that a Service has and shall have, if it is not about to have another."""
        conditions = {each["type"] for each in document.get("status", {}).get("conditions", [])}
        text = None if "AddressChanging" in conditions else address(document)
        if text is not None:
            self.seen.add((document["metadata"]["uid"], text))
        return text

    async def drop(self, name):
        del self.sent[name], self.shown[name]
        while await self._client.read(f"{SERVICES}/{name}") is not None:
            await self._client.ask("DELETE", f"{SERVICES}/{name}")

    async def check(self):
        """No address has moved that was shown."""
        for name, before in self.shown.items():
            found = await self._client.read(f"{SERVICES}/{name}")
            now = self._settled(found)
            assert before in (None, now), (before, found)


async def keep_static_addresses(client):
    """Some that Services name, and ask for by themselves."""
    for number in range(FRONTS):
        spec = {"pool": "external", "address": f"198.18.0.{number + 1}"}
        body = {"apiVersion": "fairlead.io/v1", "kind": "StaticAddress", "metadata": {"name": f"front-{number}"}}
        reply = await client.ask("POST", STATICS, {**body, "spec": spec})
        assert reply.status == 201, reply.document


async def check_holders(url):
    """An address has one home, and was given to one of its holders at most; each port at it is one object's."""
    held = await audit.rows(url, "SELECT host(address) AS address, home, role, owner::text FROM lb_addresses")
    by_address = defaultdict(list)
    for row in held:
        by_address[row["address"]].append(row)
    for text, holders in by_address.items():
        assert len({row["home"] for row in holders}) == 1, text
        for roles in (("own", "alone"), ("static",)):
            assert sum(row["role"] in roles for row in holders) <= 1, text
    shown = {
        (item["ip"], uid)
        for uid, document in (await audit.services(url, NAMESPACE)).items()
        for item in document.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    }
    of_services = {(row["address"], row["owner"]) for row in held if row["role"] != "static"}
    assert of_services == shown, "held and not shown, or shown and not held"
    assert all(any(ip_network(text).subnet_of(network) for network in NETWORKS) for text in by_address)


_LEDGER = """
    SELECT number, 'lb_addresses' AS claims, host(address) AS address, NULL AS protocol, NULL::integer AS port,
        owner::text, since, NULL::timestamptz AS until FROM lb_addresses
    UNION ALL SELECT number, 'lb_ports', host(address), protocol, port, owner::text, since, NULL FROM lb_ports
    UNION ALL SELECT number, 'cluster_ips', host(address), NULL, NULL, owner::text, since, NULL FROM cluster_ips
    UNION ALL SELECT number, claims, host(address), protocol, port, owner::text, since, until FROM address_history
    ORDER BY number
"""


async def check_ledger(url, seen):
    """Each claim is in it once, all that was seen is in it, and no two holders had at once what only one can have."""
    ledger = await audit.rows(url, _LEDGER)
    assert len({row["number"] for row in ledger}) == len(ledger)
    holders = {(row["owner"], row["address"]) for row in ledger if row["claims"] == "lb_addresses"}
    assert seen <= holders
    stays = defaultdict(list)
    for row in ledger:
        owner = row["owner"] if row["claims"] == "lb_addresses" else None
        stays[row["claims"], row["address"], row["protocol"], row["port"], owner].append(row)
    for thing, rows in stays.items():
        assert all(row["until"] is None or row["since"] <= row["until"] for row in rows), thing
        assert all(one["until"] and one["until"] <= other["since"] for one, other in pairwise(rows)), thing
    return ledger


@pytest.mark.parametrize(
    ("services", "edits", "kills"), [(25, 25, 2), pytest.param(500, 300, 30, marks=pytest.mark.soak)]
)
async def test_no_address_is_given_twice_moved_or_leaked(ensemble, services, edits, kills):
    url, chance = ensemble.database_url, random.Random(services)
    clients = [Client(ensemble, chance) for _ in range(5)]
    client, *others = clients
    await keep_static_addresses(client)
    tenants = [Tenant(number, each, chance) for number, each in enumerate(others)]
    operator = Operator(client, chance)
    await asyncio.gather(
        *(tenant.run(services) for tenant in tenants), operator.run(edits), havoc(ensemble, chance, kills)
    )
    await asyncio.to_thread(ensemble.wait)
    for rest in (pool("rest", "198.20.0.0/20"), pool("inner-rest", "10.224.128.0/20", scope="internal")):
        assert (await client.ask("POST", POOLS, rest)).status == 201
    await eventually(lambda: settled(client))
    for tenant in tenants:
        await tenant.check()
    await check_holders(url)
    seen = set().union(*(tenant.seen for tenant in tenants))
    assert seen
    await check_ledger(url, seen)
    while found := (await client.read(SERVICES))["items"]:
        for each in found:
            await client.ask("DELETE", f"{SERVICES}/{each['metadata']['name']}")
    for number in range(FRONTS):
        while await client.read(f"{STATICS}/front-{number}") is not None:
            await client.ask("DELETE", f"{STATICS}/front-{number}")
    assert await audit.rows(url, "SELECT FROM lb_addresses") == await audit.rows(url, "SELECT FROM lb_ports") == []
    ledger = await check_ledger(url, seen)
    assert all(row["until"] is not None for row in ledger if row["claims"].startswith("lb_"))
    for each in clients:
        each.close()


async def settled(client):
    """Whether nothing waits but for addresses that nobody has."""
    for each in (await client.read(SERVICES))["items"]:
        told = {item["type"]: item for item in each["status"].get("conditions", [])}
        allocated = told["Allocated"]
        if allocated["status"] != "True" and allocated["reason"] not in ("AddressNotFound", "AddressInUse"):
            return False
    return True
