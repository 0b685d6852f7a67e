"""The forecast of a pool, from the claims and the ledger."""

import msgspec

from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.service import SERVICE
from app.domain.kinds.address_pool_forecast import AddressPoolForecast
from app.registry.target import Target
from tests.controllers.load_balancing import NAME, given, kept, pool
from tests.controllers.world import running

SMALL = {"internal_pool": "10.224.0.0/29,fd00::/120", "external_pool": "198.18.0.0/28"}


async def forecast(world, name):
    entry = await world.registry.get(Target(ADDRESS_POOL, "", name, "forecast"))
    return msgspec.json.decode(entry.wire, type=AddressPoolForecast)


async def test_it_counts_what_was_taken_and_released(database_url):
    async with running(database_url, **SMALL) as world, world.reconciling_everything():
        await kept(world, "front")
        for number in range(3):
            await given(world, f"web-{number}", {NAME: "front"}, port=80 + number)
        for number in range(4):
            await given(world, f"own-{number}")
        await world.delete(SERVICE, "own-0")
        await world.delete(SERVICE, "web-0")
        found = await forecast(world, "external")
        assert (found.kind, found.metadata.name) == ("AddressPoolForecast", "external")
        (family,) = found.status.families
        assert (family.family, family.size, family.used, family.reserved, family.free) == ("IPv4", 14, 4, 0, 10)
        for window in family.windows:
            assert (window.taken, window.released, window.taken_per_day) == (5, 1, "5")
        assert (family.windows[0].growth_per_day, family.days_until_full) == ("4", 2)


async def test_each_family_and_what_rests(database_url):
    async with running(database_url, **SMALL) as world, world.reconciling_everything():
        families = (await forecast(world, "internal")).status.families
        assert [(each.family, each.size, each.free) for each in families] == [("IPv4", 6, 6), ("IPv6", 255, 255)]
        assert [each.days_until_full for each in families] == [None, None]
        await world.create(ADDRESS_POOL, pool("slow", "198.19.0.1-198.19.0.9", priority=1, reuseAfterSeconds=3600))
        await given(world, "web")
        await world.delete(SERVICE, "web")
        (family,) = (await forecast(world, "slow")).status.families
        assert (family.used, family.reserved, family.free) == (0, 1, 8)
