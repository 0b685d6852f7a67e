"""The ledger: who held which address or port, from when to when."""

import itertools

import pytest

from app.controllers.history_retention import HistoryRetention
from app.domain.declarations.address_history import ADDRESS_HISTORY
from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.service import SERVICE
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.documents.encoding import decode_object
from app.domain.errors import BadRequest, NotFound
from app.main.reconciler import controllers_of
from app.registry.options import ListOptions
from app.registry.target import Target
from app.settings.values import Age
from app.store.address_ledger import AddressLedger
from app.store.writes import LeaseGuard
from tests.controllers.load_balancing import INTERNAL, IPV4, NAME, annotate, given, kept, pool
from tests.controllers.world import running
from tests.e2e.waiting import eventually

SMALL = {"internal_pool": "10.224.0.0/29", "external_pool": "198.18.0.0/29", "service_cidrs": "10.96.0.0/16"}
ALL = Target(ADDRESS_HISTORY)


@pytest.fixture
async def world(database_url):
    async with running(database_url, **SMALL) as world, world.reconciling_everything():
        yield world


async def history(world, selector="", limit=0):
    """Everything that a selector chooses, read page by page."""
    found, token = [], ""
    while True:
        options = ListOptions(field_selector=selector, limit=limit, continue_token=token)
        page = await world.registry.list(ALL, options)
        found += [decode_object(ADDRESS_HISTORY, entry.wire).spec for entry in page.entries]
        token = page.continue_token
        if not token:
            return found


def told(items):
    return [(each.resource, each.name, each.until is None) for each in items]


async def test_who_had_an_address(world):
    text = await given(world, "first")
    await world.delete(SERVICE, "first")
    assert await kept(world, "front", address=text) == text
    assert await given(world, "second", {NAME: "front"}) == text
    found = await history(world, f"address={text}")
    assert told(found) == [
        ("LoadBalancerAddress", "first", False),
        ("LoadBalancerPort", "first", False),
        ("LoadBalancerAddress", "front", True),
        ("LoadBalancerAddress", "second", True),
        ("LoadBalancerPort", "second", True),
    ]
    first, port, front, *_ = found
    assert (first.kind, first.namespace, front.kind) == ("Service", "default", "StaticAddress")
    assert (port.port, port.protocol) == (80, "TCP")
    assert first.since <= first.until <= front.since


async def test_every_selector(world):
    text = await given(world, "web")
    await given(world, "other")
    service = await world.get(SERVICE, "web")
    resources = {"ClusterIP", "NodePort", "LoadBalancerAddress", "LoadBalancerPort"}
    assert {each.resource for each in await history(world, "name=web,namespace=default,kind=Service")} == resources
    assert {each.uid for each in await history(world, "name=web")} == {service.metadata.uid}
    assert told(await history(world, f"address={text},name=web,port=80")) == [("LoadBalancerPort", "web", True)]
    assert told(await history(world, f"address={service.spec.cluster_ip}")) == [("ClusterIP", "web", True)]
    number = service.spec.ports[0].node_port
    assert told(await history(world, f"port={number}")) == [("NodePort", "web", True)]
    assert {each.name for each in await history(world, "namespace=default,resource!=ClusterIP")} == {"web", "other"}
    for nothing in ("address=x", "address=203.0.113.1", "kind=Wombat", "namespace=none", "name=web,namespace=none"):
        assert await history(world, nothing) == []
    with pytest.raises(BadRequest, match=r"supported are: .*address, namespace, name, kind"):
        await history(world, "uid=x")


async def test_pages_miss_nothing_that_ends_meanwhile(world):
    names = [f"web-{number}" for number in range(5)]
    for name in names:
        await given(world, name)
    whole = await history(world, "resource=LoadBalancerAddress")
    assert [each.name for each in whole] == names
    found, token = [], ""
    for name in names:
        options = ListOptions(field_selector="resource=LoadBalancerAddress", limit=1, continue_token=token)
        page = await world.registry.list(ALL, options)
        found += [decode_object(ADDRESS_HISTORY, entry.wire).spec.name for entry in page.entries]
        token = page.continue_token
        await world.delete(SERVICE, name)
    assert found == names
    assert told(await history(world, limit=3)) == told(await history(world))


async def test_one_by_its_name(world):
    await given(world, "web")
    page = await world.registry.list(ALL, ListOptions(limit=1))
    (entry,) = page.entries
    found = await world.registry.get(Target(ADDRESS_HISTORY, name=entry.name))
    shown = [decode_object(ADDRESS_HISTORY, each.wire).spec for each in (found, entry)]
    assert shown[0] == shown[1]
    for name in ("0", "x", "9" * 40):
        with pytest.raises(NotFound):
            await world.registry.get(Target(ADDRESS_HISTORY, name=name))


async def test_a_change_of_role_is_one_claim(world):
    text = await given(world, "web")
    await annotate(world, "web", {IPV4: text})
    await annotate(world, "web", {})
    assert told(await history(world, f"address={text},resource=LoadBalancerAddress")) == [
        ("LoadBalancerAddress", "web", True)
    ]


async def test_a_switch_claims_the_new_side_before_it_releases_the_old_one(world):
    await given(world, "web")
    await annotate(world, "web", {INTERNAL: "true"})
    old, new = await history(world, "resource=LoadBalancerAddress")
    assert (old.until, new.until) == (new.since, None)


async def test_no_port_is_two_objects_at_once(world):
    text = await kept(world, "front")
    for number in range(3):
        await given(world, f"web-{number}", {NAME: "front"})
        await world.delete(SERVICE, f"web-{number}")
    found = await history(world, f"address={text},resource=LoadBalancerPort")
    assert [each.name for each in found] == ["web-0", "web-1", "web-2"]
    assert all(one.until <= other.since for one, other in itertools.pairwise(found))
    await world.delete(STATIC_ADDRESS, "front")
    await world.gone(STATIC_ADDRESS, "front")
    assert all(each.until for each in await history(world, f"address={text}"))


async def test_what_ended_long_ago_is_forgotten(world):
    await given(world, "gone")
    await given(world, "here")
    await world.delete(SERVICE, "gone")
    ledger = AddressLedger(world.parts.database)
    await ledger.forget(Age.parse("1h").length)
    assert {each.name for each in await history(world)} == {"gone", "here"}

    async def forgotten():
        await ledger.forget(Age.parse("1s").length)
        return {each.name for each in await history(world)} == {"here"}

    await eventually(forgotten)


async def test_a_reconciler_forgets_what_is_older_than_it_keeps(database_url):
    async with (
        running(database_url, **SMALL) as world,
        world.reconciling(*controllers_of(world.parts, history=Age.parse("1s").length)),
    ):
        await given(world, "gone")
        await given(world, "here")
        await world.delete(SERVICE, "gone")

        async def forgotten():
            return {each.name for each in await history(world)} == {"here"}

        await eventually(forgotten)


async def test_the_controller_keeps_what_is_not_as_old(world):
    await given(world, "gone")
    await world.delete(SERVICE, "gone")
    controller = HistoryRetention(AddressLedger(world.parts.database), Age.parse("1h").length)
    assert await controller.reconcile([controller.name], LeaseGuard("history-retention", 1)) == {}
    assert {each.name for each in await history(world)} == {"gone"}


async def test_an_address_rests_whatever_is_restarted(database_url):
    slow = pool("slow", "10.3.0.1-10.3.0.2", scope="internal", reuseAfterSeconds=3600, priority=9)
    async with running(database_url, **SMALL) as world:
        async with world.reconciling_everything():
            await world.create(ADDRESS_POOL, slow)
            text = await given(world, "first", {INTERNAL: "true"})
            assert text.startswith("10.3.0.")
        await world.delete(SERVICE, "first")
    async with running(database_url, **SMALL) as again, again.reconciling_everything():
        rested = await again.becomes(
            ADDRESS_POOL, "slow", lambda obj: [each.reserved for each in obj.status.families or []] == [1]
        )
        assert rested.status.families[0].free == 1
        assert await given(again, "second", {INTERNAL: "true"}) not in (None, text)
        assert (await given(again, "third", {INTERNAL: "true"})).startswith("10.224.0.")
        assert await given(again, "asking", {INTERNAL: "true", IPV4: text}) == text
