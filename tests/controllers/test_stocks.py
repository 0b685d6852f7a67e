"""Stocks: API processes give new Services what the owner of the allocation has set aside for them."""

import asyncio
import contextlib
import itertools
import time

import pytest

from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.service import SERVICE
from app.domain.pools.stock import Stock
from app.registry.restocking import Restocking
from app.store.notifications import STOCKS, STOCKS_WANTED
from tests.controllers.world import World, running
from tests.e2e.waiting import eventually


class Process(World):
    """An API process with a stock of its own.

    Attributes:
        stock: What it gives from.
    """

    def __init__(self, world, name):
        self.stock = Stock(time.monotonic)
        self.restocking = Restocking(self.stock, world.parts.notifications, world.parts.cluster, name)
        super().__init__(world.parts, world.parts.registry(5.0, lambda: True, self.stock))

    def count(self, table):
        """How many values of pools it has."""
        return sum(pool.count for key, pool in self.stock._stocked.items() if key[0] == table)


@contextlib.asynccontextmanager
async def process(world, name="api-1"):
    """An API process that fills its stock."""
    made = Process(world, name)
    task = asyncio.create_task(made.restocking.run())
    try:
        yield made
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def service(name, **spec):
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


def has_everything(world, obj):
    return not SERVICE.strategy.pending(obj, world.parts.cluster())


async def stocked(api, *tables, **spec):
    """Create Services until the stock has something of each of these tables; nobody answers before all listen."""
    numbers = itertools.count()

    async def has_some(table):
        await api.create(SERVICE, service(f"first-{next(numbers)}", **spec))
        return api.count(table)

    for table in tables:
        await eventually(lambda table=table: has_some(table))


@pytest.fixture
async def world(database_url):
    async with running(database_url) as world:
        yield world


@pytest.mark.parametrize("type_", ["ClusterIP", "NodePort", "LoadBalancer"])
async def test_a_service_gets_everything_at_once_though_no_reconciler_works_at_the_moment(world, type_):
    tables = {"ClusterIP": 1, "NodePort": 2, "LoadBalancer": 3}
    async with process(world) as api:
        async with world.allocating():
            await stocked(api, *("cluster_ips", "node_ports", "lb_addresses")[: tables[type_]], type=type_)
        made = await api.create(SERVICE, service("web", type=type_))
        assert has_everything(world, made)
        assert made == await api.get(SERVICE, "web")


@pytest.mark.parametrize(
    ("settings", "type_", "size"),
    [
        ({"service_cidrs": "10.77.0.0/25"}, "ClusterIP", 126),
        ({"node_port_range": "30000-30099"}, "NodePort", 100),
        ({"external_pool": "198.18.0.0/25"}, "LoadBalancer", 126),
    ],
)
async def test_stocks_keep_nothing_from_anybody(database_url, settings, type_, size):
    """Everything that there is can be had, each once, whoever has it in stock; then Services wait, as ever."""
    async with (
        running(database_url, **settings) as world,
        world.allocating(),
        process(world, "api-1") as one,
        process(world, "api-2") as two,
    ):
        made = []
        for number in range(size):
            api = (one, two)[number % 2]
            made.append(await api.create(SERVICE, service(f"web-{number}", type=type_)))
        assert all(has_everything(world, each) for each in made)
        assert not has_everything(world, await one.create(SERVICE, service("late", type=type_)))
        await two.delete(SERVICE, "web-0")
        await one.becomes(SERVICE, "late", lambda obj: has_everything(world, obj))
        found = {(each.spec.cluster_ip, each.spec.ports[0].node_port) for each in made}
        assert len(found) == size


async def test_what_a_client_asked_for_meanwhile_is_given_to_nobody_else(world):
    async with world.allocating(), process(world) as api:
        await stocked(api, "cluster_ips")
        (pool,) = [pool for key, pool in api.stock._stocked.items() if key[2] == "IPv4" and pool.count]
        address = pool._lots[0].values[-1]
        asked = await world.create(SERVICE, service("asked", clusterIP=address))
        assert asked.spec.cluster_ip == address
        other = await api.create(SERVICE, service("other"))
        assert has_everything(world, other)
        assert other.spec.cluster_ip != address


async def test_a_name_that_is_taken_costs_the_stock_nothing(world):
    async with world.allocating(), process(world) as api:
        await stocked(api, "cluster_ips")
        before = api.count("cluster_ips")
        with pytest.raises(Exception, match="already exists"):
            await api.create(SERVICE, service("first-0"))
        assert api.count("cluster_ips") == before


async def test_another_owner_sends_what_it_has_set_aside_itself(world):
    async with process(world) as api:
        async with world.allocating():
            await stocked(api, "cluster_ips")
        before = api.count("cluster_ips")
        async with world.allocating():
            for number in range(before // 2 + 2):
                assert has_everything(world, await api.create(SERVICE, service(f"web-{number}")))
            await eventually(lambda: asyncio.sleep(0, api.stock._epoch == 2))
        assert has_everything(world, await api.create(SERVICE, service("web")))


async def test_nothing_of_a_pool_that_drains_is_given(database_url):
    def drain(pool):
        pool.spec.drain = True

    async with (
        running(database_url, external_pool="198.18.0.0/24") as world,
        world.reconciling_everything(),
        process(world) as api,
    ):
        await stocked(api, "cluster_ips", "node_ports", "lb_addresses", type="LoadBalancer")
        await api.change(ADDRESS_POOL, "external", drain)
        await api.parts.mirror.fresh()
        assert not has_everything(world, await api.create(SERVICE, service("web", type="LoadBalancer")))


async def test_what_nobody_understands_is_passed_over(world):
    async with world.allocating(), process(world) as api:
        for message in ("{", "api-1", '{"process": "api-1"}', ""):
            await world.parts.notifications.send(STOCKS_WANTED, [message])
            await world.parts.notifications.send(STOCKS, [message])
        await stocked(api, "cluster_ips")
        assert has_everything(world, await api.create(SERVICE, service("web")))
