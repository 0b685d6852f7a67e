"""Allocation when something goes wrong: nothing leaks, nobody waits in vain, nobody stops the others."""

import asyncio
import contextlib
import uuid
from dataclasses import replace

import asyncpg
import pytest

from app.controllers.allocation import attempts
from app.controllers.allocation.memory import PoolMemory
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import encode_body
from app.domain.documents.objects import ObjectMeta
from app.domain.errors import Timeout
from app.domain.kinds.service import Service, ServicePort, ServiceSpec
from app.main.reconciler import allocation_of, memory_of
from app.store.object_writes import write_of
from tests.controllers.world import running
from tests.e2e.waiting import eventually


@pytest.fixture
async def small(database_url):
    async with running(database_url, service_cidrs="10.77.0.0/29") as world:
        yield world


class Unlucky:
    """A writer to which something happens before it stores its first batch of an action."""

    def __init__(self, writer, action, accident):
        self._writer = writer
        self._action = action
        self._accident = accident
        self.happened = False

    async def write_all(self, writes):
        if not self.happened and any(write.action == self._action for write in writes):
            self.happened = True
            await self._accident(writes)
        return await self._writer.write_all(writes)


def made(world, writer=None):
    return allocation_of(replace(world.parts, writer=writer or world.parts.writer), memory_of(world.parts))


@contextlib.asynccontextmanager
async def allocating(world, writer=None):
    async with world.reconciling(made(world, writer)):
        yield


def service(name, **spec):
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


def waits(world, obj):
    return SERVICE.strategy.pending(obj, world.parts.cluster())


async def fill(world, name="filler"):
    """Create Services until one has to wait; answers those that need not, and that one."""
    served = []
    while not waits(world, last := await world.create(SERVICE, service(f"{name}-{len(served)}"))):
        served.append(last)
    return served, last


async def store_unpublished(world, name, **spec):
    """As an API process does that dies before it can answer."""
    obj = Service(
        api_version="v1",
        kind="Service",
        metadata=ObjectMeta(name=name, namespace="default", uid=str(uuid.uuid4())),
        spec=ServiceSpec(type="NodePort", ports=[ServicePort(port=80, protocol="TCP")], ip_families=["IPv4"], **spec),
    )
    write = write_of(SERVICE, "create", obj, encode_body(obj), world.parts.cluster(), published=False)
    await world.parts.writer.write(write)


async def held(world):
    return {claim.key async for claim in world.parts.reader.claimed("cluster_ips")}


async def test_all_of_a_range_is_given_however_a_write_ended(small):
    async def lost(_):
        raise Timeout("nobody knows")

    writer = Unlucky(small.parts.writer, "publish", lost)
    async with allocating(small, writer):
        await fill(small)
    assert writer.happened
    assert len(await held(small)) == 6


async def test_what_a_vanished_service_had_asked_for_is_free_again(small):
    async def vanish(writes):
        connection = await asyncpg.connect(small.parts.database.url)
        await connection.execute("DELETE FROM objects WHERE uid = $1", uuid.UUID(writes[0].uid))
        await connection.close()

    writer = Unlucky(small.parts.writer, "publish", vanish)
    async with allocating(small, writer):
        await store_unpublished(small, "vanishing", cluster_ip="10.77.0.3", cluster_ips=["10.77.0.3"])
        await eventually(lambda: asyncio.sleep(0, writer.happened))
        await fill(small)
    assert len(await held(small)) == 6


@pytest.mark.parametrize("action", ["publish", "update"])
async def test_a_pick_that_somebody_else_holds_is_made_again(small, action):
    async def snatch(writes):
        (address,) = [claim.key for claim in writes[0].claims if claim.table == "cluster_ips"]
        await small.create(SERVICE, service("quick", clusterIP=address))

    def becomes_proxied(obj):
        obj.spec.type, obj.spec.external_name = "ClusterIP", ""

    async with allocating(small, Unlucky(small.parts.writer, action, snatch)):
        if action == "publish":
            await small.create(SERVICE, service("slow"))
        else:
            await small.create(SERVICE, service("slow", type="ExternalName", externalName="example.com"))
            await small.change(SERVICE, "slow", becomes_proxied)
        slow, quick = await small.get(SERVICE, "slow"), await small.get(SERVICE, "quick")
    assert not waits(small, slow)
    assert slow.spec.cluster_ip != quick.spec.cluster_ip


async def test_one_that_stands_by_knows_what_its_predecessor_did(small, monkeypatch):
    standby = made(small)
    async with contextlib.AsyncExitStack() as stack:
        async with allocating(small):
            await small.create(SERVICE, service("first"))
            await stack.enter_async_context(small.reconciling(standby))
            await eventually(lambda: asyncio.sleep(0, standby._memory.known))
            served, _ = await fill(small)
            for each in served[:2]:
                await small.delete(SERVICE, each.metadata.name)
            before = await small.becomes(SERVICE, f"filler-{len(served)}", lambda obj: not waits(small, obj))
            monkeypatch.setattr(PoolMemory, "learn", None)
        more, _ = await fill(small, "more")
    assert {each.spec.cluster_ip for each in [*more, before]} == {each.spec.cluster_ip for each in served[:2]}


async def test_who_was_left_waiting_is_served_by_the_next_owner(small):
    async with allocating(small):
        served, waiting = await fill(small)
    # Nobody owns allocation while this is released.
    await small.delete(SERVICE, served[0].metadata.name)
    async with allocating(small):
        await small.becomes(SERVICE, waiting.metadata.name, lambda now: not waits(small, now))


async def test_what_a_dead_process_stored_is_published(small):
    await store_unpublished(small, "orphan")
    async with allocating(small):
        orphan = await small.becomes(SERVICE, "orphan", lambda now: not waits(small, now))
    assert orphan.spec.cluster_ip


async def test_a_service_that_cannot_be_allocated_for_stops_nobody(small, monkeypatch):
    allocate = attempts.allocate_for

    def fragile(service, *arguments, **options):
        if service.metadata.name == "broken":
            raise ArithmeticError("a defect")
        return allocate(service, *arguments, **options)

    monkeypatch.setattr(attempts, "allocate_for", fragile)
    await store_unpublished(small, "broken")
    async with allocating(small):
        served, _ = await fill(small)
    assert len(served) == 6
    assert [row.name for row in await small.parts.reader.unpublished(10)] == ["broken"]


async def test_who_waits_for_node_ports_keeps_none_from_others(database_url):
    two = {"type": "NodePort", "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]}
    async with running(database_url, node_port_range="30000-30002") as world, allocating(world):
        await world.create(SERVICE, service("first", **two))
        waiting = await world.create(SERVICE, service("waiting", **two))
        assert [port.node_port for port in waiting.spec.ports] == [0, 0]
        assert not waits(world, await world.create(SERVICE, service("small", type="NodePort")))
        await world.delete(SERVICE, "small")
        assert waits(world, await world.get(SERVICE, "waiting"))
        await world.delete(SERVICE, "first")
        served = await world.becomes(SERVICE, "waiting", lambda now: not waits(world, now))
        assert all(port.node_port for port in served.spec.ports)
