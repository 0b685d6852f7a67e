"""Ranges so small that they run out: who finds nothing waits, is told why, and is served when something is free."""

import asyncio

import pytest

from tests.e2e import audit
from tests.e2e.bodies import INTERNAL, PORT, cluster_ip, external_name, node_port, service
from tests.e2e.client import Connection
from tests.e2e.ensemble import NAMESPACE, Ensemble, create_database
from tests.e2e.subject import is_allocated
from tests.e2e.waiting import eventually

SERVICES = "/api/v1/namespaces/load/services"
EVENTS = "/api/v1/namespaces/load/events"
RANGES = {
    "service_cidrs": "10.96.0.0/28",
    "node_port_range": "30000-30009",
    "internal_pool": "10.224.0.0/29",
    "external_pool": "198.18.0.0/29",
}
# So long that whoever has to wait for it fails: every answer here has to come from the reconciler.
ALLOCATION_WAIT = "60"


def load_balancer():
    return {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False, "ports": [PORT]}


POOLS = {
    "ClusterIPs": (cluster_ip, {}),
    "node ports": (node_port, {}),
    "external": (load_balancer, {}),
    "internal": (load_balancer, INTERNAL),
}


@pytest.fixture(scope="module")
def ensemble(postgres, tmp_path_factory):
    url = asyncio.run(create_database(postgres, "exhaustion"))
    directory = tmp_path_factory.mktemp("exhaustion")
    with Ensemble(url, directory, apis=1, reconcilers=1, allocation_wait=ALLOCATION_WAIT, **RANGES) as ensemble:
        yield ensemble


@pytest.fixture
async def api(ensemble):
    """A connection; the Services that a test leaves go."""
    connection = Connection(ensemble.urls[0])
    yield connection
    for item in (await connection.request("GET", SERVICES)).document["items"]:
        await connection.request("DELETE", f"{SERVICES}/{item['metadata']['name']}")
    left = await audit.check_claims(ensemble.database_url, NAMESPACE)
    assert set(left.values()) == {0}
    connection.close()


async def post(api, name, spec, annotations=None):
    reply = await api.request("POST", SERVICES, service(name, spec, annotations=annotations))
    assert reply.status == 201, reply.document
    return reply.document


async def fill(api, make, annotations):
    """Create Services until one has to wait; answers those that have everything, and that one."""
    holders = []
    while is_allocated(created := await post(api, f"holder-{len(holders)}", make(), annotations)):
        holders.append(created)
    return holders, created


def allocated_condition(document):
    return next(each for each in document["status"]["conditions"] if each["type"] == "Allocated")


async def allocated(api):
    """How many Services have everything."""
    return sum(is_allocated(item) for item in (await api.request("GET", SERVICES)).document["items"])


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("within", [10.0, pytest.param(1.0, marks=pytest.mark.soak)])
async def test_who_waits_is_told_why_and_served_at_a_release(api, pool, within):
    make, annotations = POOLS[pool]
    holders, first = await fill(api, make, annotations)
    capacity = len(holders)
    waiting = [first, *[await post(api, f"waiting-{number}", make(), annotations) for number in range(2)]]
    for each in waiting:
        condition = allocated_condition(each)
        assert (condition["status"], condition["reason"]) == ("False", "PoolExhausted")
        assert "0 of" in condition["message"]
        await eventually(lambda name=each["metadata"]["name"]: told(api, name, "PoolExhausted"))
    for holder in holders[: len(waiting)]:
        assert await allocated(api) == capacity
        await api.request("DELETE", f"{SERVICES}/{holder['metadata']['name']}")
        await eventually(lambda: is_full_again(api, capacity), timeout=within)
    for each in waiting:
        now = (await api.request("GET", f"{SERVICES}/{each['metadata']['name']}")).document
        assert is_allocated(now)
        await eventually(lambda name=each["metadata"]["name"]: told(api, name, "Allocated"))


async def is_full_again(api, capacity):
    return await allocated(api) == capacity


async def told(api, name, reason):
    """Whether an Event says so of a Service."""
    events = (await api.request("GET", EVENTS)).document["items"]
    return any(event["involvedObject"]["name"] == name and event["reason"] == reason for event in events)


@pytest.mark.parametrize("pool", ["node ports", "external"])
async def test_a_change_of_type_is_a_release_too(api, pool):
    holders, _ = await fill(api, *POOLS[pool])
    changed = await api.request("PUT", f"{SERVICES}/holder-0", holders[0] | {"spec": external_name()})
    assert changed.status == 200, changed.document
    await eventually(lambda: is_full_again(api, len(holders) + 1))


async def test_a_namespace_that_goes_is_a_release_too(api):
    await api.request("POST", "/api/v1/namespaces", {"metadata": {"name": "leaving"}})
    reply = await api.request("POST", "/api/v1/namespaces/leaving/services", service("leaver", cluster_ip()))
    assert is_allocated(reply.document)
    holders, _ = await fill(api, *POOLS["ClusterIPs"])
    await api.request("DELETE", "/api/v1/namespaces/leaving")
    await eventually(lambda: is_full_again(api, len(holders) + 1))


async def test_what_is_short_does_not_hold_up_other_changes(api):
    """The wait for an allocation is far longer than this client's patience."""
    _, waiting = await fill(api, *POOLS["ClusterIPs"])
    path = f"{SERVICES}/{waiting['metadata']['name']}"
    waiting["metadata"]["labels"] = {"app": "renamed"}
    changed = await api.request("PUT", path, waiting)
    assert changed.status == 200, changed.document
    assert changed.document["metadata"]["labels"] == {"app": "renamed"}
    assert allocated_condition(changed.document)["reason"] == "PoolExhausted"
    # What is to be had is given although the rest is short.
    more = await api.request("PUT", path, changed.document | {"spec": node_port()})
    assert more.status == 200, more.document
    assert all(port["nodePort"] for port in more.document["spec"]["ports"])
    assert allocated_condition(more.document)["reason"] == "PoolExhausted"


async def test_who_waits_may_name_an_address(ensemble, api):
    (first, second, *_), waiting = await fill(api, *POOLS["ClusterIPs"])
    path = f"{SERVICES}/{waiting['metadata']['name']}"
    named = waiting | {"spec": waiting["spec"] | {"clusterIP": second["spec"]["clusterIP"]}}
    refused = await api.request("PUT", path, named)
    assert (refused.status, refused.document["details"]["causes"][0]["field"]) == (422, "spec.clusterIPs")
    assert "holder-1" in refused.document["message"]

    # Nobody but the client can be the one who gives it the address.
    (reconciler,) = ensemble.reconcilers
    reconciler.pause()
    try:
        await api.request("DELETE", f"{SERVICES}/holder-0")
        address = first["spec"]["clusterIP"]
        given = await api.request("PUT", path, waiting | {"spec": waiting["spec"] | {"clusterIP": address}})
    finally:
        reconciler.resume()
    assert given.status == 200, given.document
    assert given.document["spec"]["clusterIPs"] == [address]
    assert is_allocated(given.document)


async def test_who_does_not_want_to_wait_is_answered_at_once_and_served_later(ensemble, api):
    (reconciler,) = ensemble.reconcilers
    reconciler.pause()
    try:
        reply = await api.request("POST", SERVICES, service("later", cluster_ip()), {"Prefer": "respond-async"})
    finally:
        reconciler.resume()
    assert reply.status == 201
    assert reply.headers["preference-applied"] == "respond-async"
    assert allocated_condition(reply.document)["reason"] == "Pending"
    await eventually(lambda: is_full_again(api, 1))


async def test_a_claim_that_is_held_is_refused_even_where_the_name_is_taken(api):
    holder = await post(api, "holder", cluster_ip())
    asked = cluster_ip() | {"clusterIP": holder["spec"]["clusterIP"]}
    for name in ("holder", "other"):
        reply = await api.request("POST", SERVICES, service(name, asked))
        assert (reply.status, reply.reason) == (422, "Invalid")
        assert reply.document["details"]["causes"][0]["field"] == "spec.clusterIPs"
    reply = await api.request("POST", SERVICES, service("holder", cluster_ip()))
    assert (reply.status, reply.reason) == (409, "AlreadyExists")
