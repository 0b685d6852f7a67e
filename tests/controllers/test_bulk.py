"""Bulk apply: everything or nothing, allocation included."""

import asyncio

import msgspec
import pytest

from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service import SERVICE
from app.domain.documents.decoding import Strictness
from app.domain.errors import Invalid
from app.domain.kinds.bulk_apply import BULK_APPLY_KEY
from app.domain.user import ITSELF
from app.registry.bulk_preparation import BulkOptions, RawItem
from app.registry.options import WriteOptions
from tests.controllers.world import running

OPTIONS = BulkOptions(WriteOptions(field_manager="tests", user=ITSELF), Strictness.STRICT)


@pytest.fixture
async def bulk(database_url):
    # Five ClusterIPs, of which the range's own take none.
    async with running(database_url, service_cidrs="10.77.0.0/29") as world:
        yield world


def service(name, **spec):
    spec = {"ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


async def apply(world, *documents, options=OPTIONS):
    return await world.registry.apply([RawItem(msgspec.json.encode(each)) for each in documents], options)


async def addresses(world):
    return {claim.key async for claim in world.parts.reader.claimed("cluster_ips")}


async def unpublished(world):
    return await world.parts.reader.unpublished(10)


async def test_all_are_allocated_in_one_answer(bulk):
    async with bulk.allocating():
        results = await apply(bulk, service("a"), service("b", type="NodePort"), service("c", clusterIP="10.77.0.3"))
    objects = [msgspec.json.decode(each.entry.wire) for each in results]
    assert [each.result for each in results] == ["created"] * 3
    assert len({each["spec"]["clusterIP"] for each in objects}) == 3
    assert objects[1]["spec"]["ports"][0]["nodePort"]
    assert objects[2]["spec"]["clusterIP"] == "10.77.0.3"
    assert all(int(each["metadata"]["resourceVersion"]) for each in objects)


async def test_an_exhausted_pool_refuses_the_whole_and_nothing_stays_claimed(bulk):
    before = await addresses(bulk)
    async with bulk.allocating():
        with pytest.raises(Invalid) as refused:
            await apply(bulk, *(service(f"s-{number}") for number in range(8)))
        assert "items[" in refused.value.causes[0].field
        assert "ClusterIP" in refused.value.message
        assert await bulk.names(SERVICE) == set()
        assert await addresses(bulk) == before
        # What had been picked in vain is free again.
        results = await apply(bulk, *(service(f"s-{number}") for number in range(4)))
    assert [each.result for each in results] == ["created"] * 4


async def test_an_address_that_is_taken_names_the_item_that_wants_it(bulk):
    async with bulk.allocating():
        await apply(bulk, service("holder", clusterIP="10.77.0.3"))
        with pytest.raises(Invalid) as refused:
            await apply(bulk, service("other"), service("late", clusterIP="10.77.0.3"))
    assert refused.value.causes[0].field == "items[1].spec.clusterIPs"
    assert "services/holder" in refused.value.message
    assert await bulk.names(SERVICE) == {"holder"}


KEPT = {
    "apiVersion": "fairlead.io/v1",
    "kind": "StaticAddress",
    "metadata": {"name": "front"},
    "spec": {"pool": "external"},
}


def balancer(name, **annotations):
    found = service(name, type="LoadBalancer")
    keyed = {f"service.beta.kubernetes.io/azure-{key}": text for key, text in annotations.items()}
    return {**found, "metadata": {"name": name, "annotations": keyed}}


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_service_can_name_a_static_address_of_the_same_apply(bulk, dry_run):
    named = balancer("web", **{"pip-name": "front"})
    other = {**balancer("dns", **{"pip-name": "front"}), "spec": {"type": "LoadBalancer", "ports": [{"port": 53}]}}
    asking = balancer("asking", **{"load-balancer-ipv4": "198.18.0.9"})
    given = {**KEPT, "metadata": {"name": "given"}, "spec": {"address": "198.18.0.9"}}
    options = BulkOptions(WriteOptions(field_manager="tests", dry_run=dry_run, user=ITSELF), Strictness.STRICT)
    async with bulk.allocating():
        results = await apply(bulk, named, KEPT, asking, other, given, options=options)
    web, front, third, dns, _ = (msgspec.json.decode(each.entry.wire) for each in results)
    points = [each["status"]["loadBalancer"]["ingress"][0]["ip"] for each in (web, dns, third)]
    assert points == [front["status"]["address"]] * 2 + ["198.18.0.9"]
    assert all(each["status"]["conditions"][-1]["status"] == "True" for each in (web, dns, third))
    held = {claim.key.partition("/")[0] async for claim in bulk.parts.reader.claimed("lb_addresses")}
    assert held == (set() if dry_run else {front["status"]["address"], "198.18.0.9"})


async def test_a_service_that_names_no_address_is_refused_with_the_static_addresses_beside_it(bulk):
    async with bulk.allocating():
        with pytest.raises(Invalid) as caught:
            await apply(bulk, KEPT, balancer("web", **{"pip-name": "fron"}))
    assert [cause.field for cause in caught.value.causes] == ["items[1]"]
    assert "no StaticAddress of this name" in caught.value.causes[0].message
    assert [claim async for claim in bulk.parts.reader.claimed("lb_addresses")] == []


async def test_applying_again_changes_nothing_and_a_change_is_allocated_for(bulk):
    async with bulk.allocating():
        first = await apply(bulk, service("a"), service("b"))
        again = await apply(bulk, service("a"), service("b"))
        changed = await apply(bulk, service("a"), service("b", type="NodePort"))
    assert [each.result for each in again] == ["unchanged"] * 2
    assert [each.entry.revision for each in again] == [each.entry.revision for each in first]
    assert [each.result for each in changed] == ["unchanged", "configured"]
    assert msgspec.json.decode(changed[1].entry.wire)["spec"]["ports"][0]["nodePort"]


async def test_a_namespace_comes_with_its_content(bulk):
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "fresh"}}
    inside = service("inside")
    inside["metadata"]["namespace"] = "fresh"
    async with bulk.allocating():
        await apply(bulk, inside, namespace)
    assert await bulk.get(NAMESPACE, "fresh")
    assert (await bulk.get(SERVICE, "inside", "fresh")).spec.cluster_ip


async def test_everything_wrong_is_told_at_once_and_nothing_is_stored(bulk):
    nowhere = service("nowhere")
    nowhere["metadata"]["namespace"] = "absent"
    wrong = [
        service("ok", type="ExternalName", externalName="example.com"),
        service("Bad_Name"),
        service("port", ports=[{"port": 0, "targetPort": 80}]),
        {"apiVersion": "v1", "kind": "Ingress", "metadata": {"name": "x"}},
        nowhere,
        service("twice", type="ExternalName", externalName="example.com"),
        service("twice", type="ExternalName", externalName="example.com"),
        {"apiVersion": "v1", "kind": "Service", "metadata": {}},
        service("unknown", colour="red"),
    ]
    with pytest.raises(Invalid) as refused:
        await apply(bulk, *wrong)
    fields = [cause.field for cause in refused.value.causes]
    assert fields == [
        "items[1].metadata.name",
        "items[2].spec.ports[0].port",
        "items[3].kind",
        "items[4]",
        "items[6].metadata.name",
        "items[7].metadata.name",
        "items[8]",
    ]
    assert await bulk.names(SERVICE) == set()


async def test_a_dry_run_stores_nothing(bulk):
    options = BulkOptions(WriteOptions(field_manager="tests", dry_run=True, user=ITSELF), Strictness.STRICT)
    results = await apply(bulk, service("a"), options=options)
    assert results[0].result == "created"
    assert await bulk.names(SERVICE) == set()
    assert not await unpublished(bulk)


async def test_it_waits_for_a_reconciler_and_leaves_no_trace(bulk):
    waiting = asyncio.create_task(apply(bulk, service("a")))
    while not await unpublished(bulk):
        await asyncio.sleep(0.01)
    async with bulk.allocating():
        assert [each.result for each in await waiting] == ["created"]
        while bulk.parts.mirror.list(BULK_APPLY_KEY, None):
            await asyncio.sleep(0.01)
    assert not await unpublished(bulk)


async def test_a_name_taken_meanwhile_is_applied_to(bulk):
    labelled = service("a")
    labelled["metadata"]["labels"] = {"app": "x"}
    waiting = asyncio.create_task(apply(bulk, labelled, service("b")))
    while not await unpublished(bulk):
        await asyncio.sleep(0.01)
    await bulk.create(SERVICE, service("a", clusterIP="None"))
    async with bulk.allocating():
        results = await waiting
    assert [each.result for each in results] == ["configured", "created"]
    stored = await bulk.get(SERVICE, "a")
    assert (stored.spec.cluster_ip, stored.metadata.labels) == ("None", {"app": "x"})
    assert not await unpublished(bulk)
