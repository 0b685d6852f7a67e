"""Who holds a lease, and what his writes are worth afterwards."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from app.store.leases import Leases
from app.store.store import Store
from app.store.writes import Committed, LeaseGuard, LeaseLost
from tests.store.writing import eventually, running, service, session, shop, uid, waiters, write_lock

pytestmark = pytest.mark.anyio


FROZEN_CLOCK = """
    CREATE SCHEMA frozen;
    CREATE FUNCTION frozen.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT timestamptz '2026-01-01' $$;
"""


@dataclass
class Clock:
    """The clock of a process."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


async def expire(store: Store) -> None:
    async with session(store) as connection:
        await connection.execute("UPDATE leases SET expires_at = now() - interval '1ms'")


async def test_one_holds_a_lease_until_it_expires(store: Store):
    first = await store.leases.acquire("zone:a", "one", 30)
    assert first == LeaseGuard("zone:a", 1)
    assert await store.leases.acquire("zone:a", "two", 30) is None
    assert await store.leases.acquire("zone:b", "two", 30) == LeaseGuard("zone:b", 1)
    await expire(store)
    assert await store.leases.acquire("zone:a", "two", 30) == LeaseGuard("zone:a", 2)
    assert not await store.leases.renew(first, "one", 30)


async def set_clock_back(store: Store) -> None:
    """What a lease looks like once the database's clock has been set back by an hour."""
    async with session(store) as connection:
        await connection.execute("UPDATE leases SET expires_at = expires_at + interval '1 hour'")


async def test_a_clock_that_is_set_back_prolongs_no_lease(store: Store):
    first = await store.leases.acquire("zone:a", "one", 30)
    await set_clock_back(store)
    assert await store.leases.live("zone:") == []
    second = await store.leases.acquire("zone:a", "two", 30)
    assert second == LeaseGuard("zone:a", 2)
    assert await store.leases.live("zone:") == ["zone:a"]
    assert not await store.leases.renew(first, "one", 30)
    await shop(store)
    assert isinstance(await store.writer.write(service("create", "web", uid(), lease=first)), LeaseLost)


@pytest.fixture
async def frozen(store: Store) -> AsyncIterator[Store]:
    """A store on whose database `clock_timestamp()` does not go on: it finds another function of that name first."""
    async with session(store) as connection:
        await connection.execute(FROZEN_CLOCK)
        try:
            async with running(f"{store.database.url}&search_path=frozen,pg_catalog,public") as other:
                yield other
        finally:
            await connection.execute("DROP SCHEMA frozen CASCADE")


async def test_a_lease_that_is_not_renewed_expires_though_the_clock_of_the_database_stands_still(frozen: Store):
    assert await frozen.leases.acquire("zone:a", "one", 2) == LeaseGuard("zone:a", 1)
    clock = Clock()
    contender = Leases(frozen.database, clock)
    watcher = Leases(frozen.database, clock)
    for _ in range(2):
        assert await contender.acquire("zone:a", "two", 2) is None
        assert await watcher.is_held("zone:a")
        clock.now += 1
    assert not await watcher.is_held("zone:a")
    assert await contender.acquire("zone:a", "two", 2) == LeaseGuard("zone:a", 2)
    assert await watcher.is_held("zone:a")
    clock.now += 2
    assert not await watcher.is_held("zone:a")


async def test_a_lease_that_is_renewed_stays_with_its_holder_however_the_clocks_go(frozen: Store):
    guard = await frozen.leases.acquire("zone:a", "one", 2)
    clock = Clock()
    contender = Leases(frozen.database, clock)
    for _ in range(3):
        assert await contender.acquire("zone:a", "two", 2) is None
        assert await contender.is_held("zone:a")
        # It is renewed while the other is paused.
        clock.now += 5
        assert await frozen.leases.renew(guard, "one", 2)
    assert await contender.acquire("zone:a", "two", 2) is None


async def test_a_lease_that_nobody_has_is_not_held(store: Store):
    assert not await store.leases.is_held("zone:a")
    guard = await store.leases.acquire("zone:a", "one", 30)
    assert await store.leases.is_held("zone:a")
    await store.leases.release(guard, "one")
    assert not await store.leases.is_held("zone:a")


async def test_a_holder_that_lives_keeps_its_lease_when_the_clock_is_set_back(store: Store):
    guard = await store.leases.acquire("zone:a", "one", 30)
    await set_clock_back(store)
    assert await store.leases.renew(guard, "one", 30)
    assert await store.leases.acquire("zone:a", "two", 30) is None


async def test_a_lease_from_before_the_clock_was_set_back_is_forgotten(store: Store):
    await store.leases.acquire("api/a", "one", 30)
    await store.leases.forget("api/", 60)
    assert await store.leases.live("api/") == ["api/a"]
    await set_clock_back(store)
    await store.leases.forget("api/", 60)
    async with session(store) as connection:
        assert await connection.fetchval("SELECT count(*) FROM leases") == 0


async def test_renewing_keeps_it(store: Store):
    guard = await store.leases.acquire("zone:a", "one", 0.2)
    assert await store.leases.renew(guard, "one", 30)
    async with session(store) as connection:
        left = await connection.fetchval("SELECT expires_at - clock_timestamp() FROM leases")
    assert left.total_seconds() > 20
    assert not await store.leases.renew(guard, "two", 30)


async def test_an_expired_lease_that_nobody_took_is_still_its_holders(store: Store):
    guard = await store.leases.acquire("zone:a", "one", 30)
    await expire(store)
    await shop(store)
    assert isinstance(await store.writer.write(service("create", "web", uid(), lease=guard)), Committed)
    assert await store.leases.renew(guard, "one", 30)
    assert await store.leases.acquire("zone:a", "two", 30) is None


async def test_a_released_lease_can_be_had_at_once(store: Store):
    guard = await store.leases.acquire("zone:a", "one", 30)
    await store.leases.release(guard, "two")
    assert await store.leases.acquire("zone:a", "two", 30) is None
    await store.leases.release(guard, "one")
    taken = await store.leases.acquire("zone:a", "two", 30)
    assert taken == LeaseGuard("zone:a", 2)
    await store.leases.release(guard, "one")
    assert await store.leases.renew(taken, "two", 30)


async def test_what_was_given_back_is_not_renewed(store: Store):
    guard = await store.leases.acquire("zone:a", "one", 30)
    await store.leases.release(guard, "one")
    assert not await store.leases.renew(guard, "one", 30)


async def test_renewals_of_the_same_moment_each_have_their_own_answer(store: Store):
    mine = await store.leases.acquire("zone:a", "one", 0.2)
    other = await store.leases.acquire("zone:b", "one", 30)
    lost = await store.leases.acquire("zone:c", "two", 30)
    asked = [(mine, "one"), (lost, "one"), (other, "two"), (other, "one")]
    renewed = await asyncio.gather(*(store.leases.renew(guard, holder, 30) for guard, holder in asked))
    assert renewed == [True, False, True, True]


async def test_of_many_that_want_it_one_gets_it(store: Store):
    guards = await asyncio.gather(*(store.leases.acquire("zone:a", f"{n}", 30) for n in range(8)))
    assert [guard for guard in guards if guard is not None] == [LeaseGuard("zone:a", 1)]


async def test_a_write_that_waits_while_its_lease_is_taken_over_is_refused(store: Store):
    await shop(store)
    old = await store.leases.acquire("zone:a", "one", 30)
    await expire(store)
    async with write_lock(store) as holder:
        taking = asyncio.create_task(store.leases.acquire("zone:a", "two", 30))
        await eventually(lambda: waiters(holder))
        writing = asyncio.create_task(store.writer.write(service("create", "web", uid(), lease=old)))

        async def both_wait() -> bool:
            return len(await waiters(holder)) == 2

        await eventually(both_wait)
    assert await taking == LeaseGuard("zone:a", 2)
    assert await writing == LeaseLost()
