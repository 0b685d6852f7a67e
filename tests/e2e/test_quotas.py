"""A quota is exact, whoever writes at the same time and whatever dies meanwhile."""

import asyncio
import itertools

import pytest

from tests.e2e.bodies import cluster_ip, service
from tests.e2e.client import Connection, LostError, UnreachableError
from tests.e2e.ensemble import NAMESPACE, Ensemble, create_database
from tests.e2e.waiting import eventually

CORE = f"/api/v1/namespaces/{NAMESPACE}"
SERVICES, QUOTA = f"{CORE}/services", f"{CORE}/resourcequotas/all"
CLIENTS = 48
ASKED, MOST = 1_000, 500


@pytest.fixture(scope="module")
def ensemble(postgres, tmp_path_factory):
    url = asyncio.run(create_database(postgres, "quotas"))
    with Ensemble(url, tmp_path_factory.mktemp("quotas"), apis=3, allocation_wait="30") as ensemble:
        yield ensemble


class Creator:
    """A client that creates Services until there are no names left, at whichever process answers."""

    def __init__(self, urls, names, answered):
        self._all = [Connection(url) for url in urls]
        self._connections = itertools.cycle(self._all)
        self._names = names
        self._answered = answered

    async def run(self):
        for name in self._names:
            self._answered[name] = await self._create(name)
        for connection in self._all:
            connection.close()

    async def _create(self, name):
        """The status of the answer; 201 also if a lost answer turns out to have been that."""
        lost = False
        while True:
            connection = next(self._connections)
            try:
                reply = await connection.request("POST", SERVICES, service(name, cluster_ip()))
            except (LostError, UnreachableError):
                lost = True
                await asyncio.sleep(0.02)
                continue
            if reply.status in (503, 504):
                lost = True
                continue
            return 201 if lost and await self._is_there(name) else reply.status

    async def _is_there(self, name):
        while True:
            try:
                reply = await next(self._connections).request("GET", f"{SERVICES}/{name}")
            except (LostError, UnreachableError):
                continue
            if reply.status in (200, 404):
                return reply.status == 200


async def used(connection):
    return (await connection.request("GET", QUOTA)).document["status"].get("used")


async def test_as_many_are_stored_as_the_quota_allows(ensemble):
    one = Connection(ensemble.urls[1])
    quota = {"metadata": {"name": "all"}, "spec": {"hard": {"services": str(MOST), "count/services": "10k"}}}
    assert (await one.request("POST", f"{CORE}/resourcequotas", quota)).status == 201
    answered, names = {}, iter([f"web-{number}" for number in range(ASKED)])
    creators = [Creator(ensemble.urls[n % 3 :] + ensemble.urls[: n % 3], names, answered) for n in range(CLIENTS)]
    running = asyncio.gather(*(creator.run() for creator in creators))

    async def under_way():
        return len(answered) > ASKED // 6

    await eventually(under_way, timeout=120)
    ensemble.apis[0].kill()
    ensemble.reconcilers[0].kill()
    ensemble.apis[0].start()
    ensemble.reconcilers[0].start()
    await running
    stored = {item["metadata"]["name"] for item in (await one.request("GET", SERVICES)).document["items"]}
    assert len(stored) == MOST
    assert stored == {name for name, status in answered.items() if status == 201}
    assert {status for name, status in answered.items() if name not in stored} == {403}
    told = {"services": str(MOST), "count/services": str(MOST)}

    async def is_told():
        return await used(one) == told

    await eventually(is_told)
    assert (await one.request("POST", SERVICES, service("more", cluster_ip()))).status == 403
    assert (await one.request("DELETE", SERVICES)).status == 200
    told = {"services": "0", "count/services": "0"}
    await eventually(is_told)
    assert (await one.request("DELETE", QUOTA)).status == 200
    one.close()


HARD = {
    "pods": "5",
    "services": "10",
    "services.nodeports": "1",
    "services.loadbalancers": "1",
    "replicationcontrollers": "10",
    "resourcequotas": "1",
    "cpu": "1",
    "memory": "500Mi",
    "configmaps": "10",
    "secrets": "10",
    "persistentvolumeclaims": "10",
    "requests.storage": "10Gi",
    "requests.ephemeral-storage": "50Gi",
    "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "10",
    "gold.storageclass.storage.k8s.io/requests.storage": "10Gi",
    "count/replicasets.apps": "5",
}
"""What Kubernetes' own tests limit."""

NONE = {name: "0" for name in HARD if name != "count/replicasets.apps"} | {"resourcequotas": "1", "configmaps": "1"}
"""What is used from the start: the quota, and the ConfigMap that every namespace has."""


async def is_used(connection, **more):
    """Wait until a quota of all that says that there is nothing but this."""
    wanted = NONE | {name.replace("_", "."): amount for name, amount in more.items()}

    async def is_told():
        status = (await connection.request("GET", QUOTA)).document["status"]
        return status == {"hard": HARD, "used": wanted}

    await eventually(is_told)


@pytest.fixture
async def limited(ensemble):
    connection = Connection(ensemble.urls[0])
    quota = {"metadata": {"name": "all"}, "spec": {"hard": HARD}}
    assert (await connection.request("POST", f"{CORE}/resourcequotas", quota)).status == 201
    yield connection
    assert (await connection.request("DELETE", QUOTA)).status == 200
    connection.close()


@pytest.mark.parametrize("resource", ["configmaps", "secrets"])
async def test_the_life_of_what_is_counted(limited, resource):
    await is_used(limited)
    assert (await limited.request("POST", f"{CORE}/{resource}", {"metadata": {"name": "it"}})).status == 201
    await is_used(limited, **{resource: str(int(NONE[resource]) + 1)})
    assert (await limited.request("DELETE", f"{CORE}/{resource}/it")).status == 200
    await is_used(limited)


async def test_the_life_of_a_service(limited):
    await is_used(limited)
    one_port = {"type": "NodePort", "ports": [{"port": 80}]}
    for name, spec in (("plain", cluster_ip()), ("ported", one_port)):
        assert (await limited.request("POST", SERVICES, service(name, spec))).status == 201
    balanced = {"type": "LoadBalancer", "ports": [{"port": 80}]}
    refused = await limited.request("POST", SERVICES, service("front", balanced))
    told = "requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1"
    assert (refused.status, told in refused.document["message"]) == (403, True)
    balanced["allocateLoadBalancerNodePorts"] = False
    assert (await limited.request("POST", SERVICES, service("front", balanced))).status == 201
    await is_used(limited, services="3", services_nodeports="1", services_loadbalancers="1")
    assert (await limited.request("DELETE", SERVICES)).status == 200
    await is_used(limited)
