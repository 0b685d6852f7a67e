"""Whoever gives up while a session is opened or used, and whoever gives back an old one, leaves none behind."""

import asyncio
import uuid

import asyncpg
import pytest

from app.store import database as sessions
from app.store.database import Database
from tests.e2e.waiting import eventually
from tests.giving_up import each_way_to_give_up

MOST = 4
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"


@pytest.fixture
async def database(migrated_url, monkeypatch):
    """Its sessions have a name of their own, by which others see them."""
    name = f"test-{uuid.uuid4()}"
    monkeypatch.setitem(sessions._LIMITS, "application_name", name)
    database = Database(migrated_url, pool_size=MOST // 2)
    database.name = name
    yield database
    await database.close()


async def has_none(database):
    """Wait until no session is open."""
    observer = await asyncpg.connect(database.url)
    try:

        async def is_so():
            return await observer.fetchval(OPEN, database.name) == 0

        await eventually(is_so)
    finally:
        await observer.close()


async def connecting(database):
    (await database.connect()).terminate()


async def connecting_settled(database):
    (await database.connect_settled()).terminate()


async def fetching(database):
    await database.fetch("SELECT pg_sleep(0.001)")


@pytest.mark.parametrize("work", [connecting, connecting_settled, fetching])
async def test_a_session_is_closed_whenever_its_user_gives_up(database, work):
    async def once():
        await work(database)
        # The next one begins with a session of its own, and not with one of the pool.
        await database.close()

    assert await each_way_to_give_up(once) > 0
    await database.close()
    await has_none(database)


async def test_sessions_in_use_when_the_pool_is_given_up_are_closed_in_the_end(database):
    begun, held = asyncio.Semaphore(0), asyncio.Event()

    async def hold():
        async with database.session() as session:
            await session.execute("SELECT 1")
            begun.release()
            await held.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(MOST):
            group.create_task(hold())
        for _ in range(MOST):
            await begun.acquire()
        # No session of the pool is free, which looks as if the database did not answer: there is a new pool then.
        assert await database.fetch("SELECT 1", within=0.5)
        held.set()
    await database.close()
    await has_none(database)
