"""Processes of one database work with the same settings."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from app.domain.errors import ServiceUnavailable
from app.store.agreement import DisagreementError, agreed
from app.store.database import Database

HERE = {"--node-port-range": "30000-32767", "--cluster-domain": "cluster.local"}
THERE = HERE | {"--node-port-range": "20000-30000"}


async def works(database, holder, settings):
    async with agreed(database, holder, settings):
        return True


async def test_who_has_the_same_settings_may_join(store):
    async with agreed(store.database, "first", HERE):
        assert await works(store.database, "second", HERE)


async def test_who_has_others_is_told_which(store):
    async with agreed(store.database, "first", HERE):
        with pytest.raises(DisagreementError) as refused:
            await works(store.database, "second", THERE)
        assert "--node-port-range is 20000-30000 here and 30000-32767 there" in str(refused.value)
        assert "--cluster-domain" not in str(refused.value)
        assert await works(store.database, "third", HERE)


async def test_when_all_have_stopped_others_hold_from_then_on(store):
    assert await works(store.database, "first", HERE)
    async with agreed(store.database, "second", THERE):
        with pytest.raises(DisagreementError):
            await works(store.database, "first", HERE)


async def test_any_live_lease_is_somebody_at_work(store):
    assert await works(store.database, "first", HERE)
    guard = await store.leases.acquire("allocation", "first", 60)
    with pytest.raises(DisagreementError):
        await works(store.database, "second", THERE)
    await store.leases.release(guard, "first")
    assert await works(store.database, "second", THERE)


async def test_a_setting_that_a_newer_version_has_is_no_disagreement(store):
    async with agreed(store.database, "old", HERE):
        assert await works(store.database, "new", HERE | {"--new": "x"})
        with pytest.raises(DisagreementError, match="--new is y here and x there"):
            await works(store.database, "newer", HERE | {"--new": "y"})
        assert await works(store.database, "old", HERE)


async def test_of_those_that_start_together_with_different_settings_one_kind_works(store):
    async with AsyncExitStack() as stack:
        starting = [
            stack.enter_async_context(agreed(store.database, f"{number}", HERE if number % 2 else THERE))
            for number in range(4)
        ]
        outcomes = await asyncio.gather(*starting, return_exceptions=True)
        refused = [isinstance(outcome, DisagreementError) for outcome in outcomes]
        assert refused in ([True, False] * 2, [False, True] * 2)


async def test_a_database_that_is_away_is_told_of(tmp_path):
    database = Database(f"postgresql://fairlead@/fairlead?host={tmp_path}")
    with pytest.raises(ServiceUnavailable, match="cannot be reached"):
        await works(database, "first", HERE)
    await database.close()
