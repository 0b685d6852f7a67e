"""kube-proxy and CoreDNS hold what is stored, whatever happened in between."""

import json
from datetime import UTC, datetime

import pytest
from kubernetes_asyncio import client, config

from tests.clients.informers import core_dns, kube_proxy
from tests.clients.random_changes import Changes
from tests.e2e import audit
from tests.e2e.waiting import eventually


@pytest.fixture
async def api(kubeconfig):
    made = await config.new_client_from_config(str(kubeconfig))
    async with made:
        yield made


async def stored(database_url, kind):
    """Every published object of a kind, as an item of a list, by SQL."""
    found = await audit.rows(
        database_url, "SELECT namespace, name, revision, body FROM objects WHERE kind = $1 AND published", kind
    )
    objects = {}
    for namespace, name, revision, body in found:
        document = json.loads(body)
        document["metadata"]["resourceVersion"] = str(revision)
        del document["apiVersion"], document["kind"]
        objects[namespace, name] = document
    return objects


async def agrees(product, agents):
    """Whether every informer holds exactly what is stored and selected."""
    for agent in agents:
        agent.check()
        for kind, informer in agent.informers.items():
            objects = await stored(product.database_url, kind)
            if informer.objects != {place: each for place, each in objects.items() if informer.selects(each)}:
                return False
    return True


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.soak)])
async def test_informers_hold_what_is_stored_after_random_changes(product, api, namespace, count):
    changes = Changes(product.url, namespace, seed=count)
    async with kube_proxy(api, changes.node) as proxy, core_dns(api) as dns:
        for _ in range(4):
            await changes.run(count // 4)
            assert not changes.unexpected
            await eventually(lambda: agrees(product, [proxy, dns]))
        await changes.clean()
        await eventually(lambda: agrees(product, [proxy, dns]), timeout=60)
        informers = [each for agent in (proxy, dns) for each in agent.informers.values()]
        assert all(each.events for each in informers)
        assert all(each.relists == 1 for each in informers), "a watch was not resumed"


async def test_a_proxy_tells_of_its_start(api, namespace):
    """As kube-proxy does; `kubectl get events` reads it through the older API."""
    node = client.V1ObjectReference(api_version="v1", kind="Node", name="n1", uid="n1")
    event = client.EventsV1Event(
        metadata=client.V1ObjectMeta(name="n1.17f", namespace="default"),
        event_time=datetime.now(UTC),
        reporting_controller="kube-proxy",
        reporting_instance="kube-proxy-n1",
        action="StartKubeProxy",
        reason=f"Starting-{namespace}",
        regarding=node,
        type="Normal",
    )
    await client.EventsV1Api(api).create_namespaced_event("default", event)
    core = client.CoreV1Api(api)
    found = await core.list_namespaced_event("default", field_selector=f"reason=Starting-{namespace}")
    assert [each.reporting_component for each in found.items] == ["kube-proxy"]
    await core.delete_namespaced_event("n1.17f", "default")
