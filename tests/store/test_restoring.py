"""A database that was restored from a dump is noticed, and revisions go on far beyond those that were given out."""

import pytest

from app.store.restoring import STEP, bump_if_restored
from app.store.store import Store
from tests.store.writing import committed, running, service, session, shop, uid

pytestmark = pytest.mark.anyio


async def compacted(store: Store) -> int:
    return int((await store.database.fetch("SELECT compacted FROM compaction"))[0][0])


async def test_the_same_database_is_no_restored_one(store: Store):
    await shop(store)
    for _ in range(2):
        assert await bump_if_restored(store.database) is None
    assert await compacted(store) == 0


@pytest.mark.parametrize("changed", [0, 1, 2])
async def test_another_cluster_database_or_table_is_a_restored_one(store: Store, database_url: str, changed: int):
    await shop(store)
    before = await committed(store, service("create", "web", uid()))
    async with session(store) as connection:
        parts = (await connection.fetchval("SELECT value FROM settings WHERE name = 'database'")).split("/")
        parts[changed] = "1"
        await connection.execute("UPDATE settings SET value = $1 WHERE name = 'database'", "/".join(parts))
    async with running(database_url) as restored:
        after = await committed(restored, service("create", "next", uid()))
        assert after > before + STEP
        assert before + STEP < await compacted(restored) < after
        tail = await restored.reader.tail(0, 100)
        assert [change.name for change in tail.changes] == ["next"]
        assert await bump_if_restored(restored.database) is None
