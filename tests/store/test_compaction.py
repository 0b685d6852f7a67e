"""What compaction takes from the log, and what it leaves."""

import asyncio
from datetime import timedelta

import pytest

from app.store import compaction
from app.store.compaction import compact
from app.store.store import Store
from tests.store.writing import body, committed, service, session, shop, uid

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def grow(store: Store, number: int, *, age: timedelta) -> list[int]:
    """So many changes of an age; returns their revisions."""
    first = (await store.reader.tail(0, 1)).newest
    if first == 0:
        await shop(store)
    await store.writer.write_all([service("create", uid(), uid()) for _ in range(number)])
    async with session(store) as connection:
        await connection.execute("UPDATE changes SET at = now() - $1::interval WHERE revision > $2", age, first)
    return [change.revision for change in (await store.reader.tail(first, 100_000)).changes]


async def test_what_is_old_and_beyond_the_number_goes(store: Store):
    old = await grow(store, 9, age=2 * HOUR)
    young = await grow(store, 5, age=timedelta())
    assert await compact(store.database, HOUR, keep=7) == old[-3]
    tail = await store.reader.tail(0, 100)
    assert [change.revision for change in tail.changes] == [*old[-2:], *young]
    assert tail.compacted == old[-3]


async def test_what_is_young_stays_and_an_idle_log_compacts_nothing(store: Store):
    young = await grow(store, 5, age=timedelta())
    assert await compact(store.database, HOUR, keep=0) == 0
    assert len((await store.reader.tail(0, 100)).changes) == len(young)


async def test_an_emptied_log_still_tells_its_newest_revision(store: Store):
    old = await grow(store, 5, age=2 * HOUR)
    for _ in range(2):
        assert await compact(store.database, HOUR, keep=0) == old[-1]
    assert await store.reader.tail(0, 100) == ([], old[-1], old[-1])
    async with store.reader.snapshot() as snapshot:
        assert snapshot.revision == old[-1]
    after = await committed(store, service("create", "web", uid()))
    assert after > old[-1]


async def test_a_long_log_is_compacted_in_pieces_by_several_at_once(store: Store):
    await shop(store)
    async with session(store) as connection:
        await connection.execute("""
            INSERT INTO changes (revision, kind, namespace, name, uid, type, body, at)
            SELECT n, 'services', 'shop', 's', gen_random_uuid(), 'MODIFIED', '{}', now() - interval '2h'
            FROM generate_series(2, 7000) n
        """)
        await connection.execute("UPDATE changes SET at = now() - interval '2h'")
    compacted = await asyncio.gather(*(compact(store.database, HOUR, keep=100) for _ in range(3)))
    assert max(compacted) == 6900
    tail = await store.reader.tail(0, 10_000)
    assert [change.revision for change in tail.changes] == list(range(6901, 7001))


async def test_only_the_beginning_of_the_log_goes_when_a_clock_was_set_back(store: Store):
    revisions = await grow(store, 6, age=2 * HOUR)
    await store.database.fetch("UPDATE changes SET at = now() WHERE revision = $1", revisions[3])
    assert await compact(store.database, HOUR, keep=0) == revisions[2]
    assert [change.revision for change in (await store.reader.tail(0, 100)).changes] == revisions[3:]


async def test_settled_batches_are_forgotten(store: Store):
    await grow(store, 3, age=timedelta())
    await store.database.fetch("UPDATE batches SET at = now() - interval '1h'")
    await committed(store, service("create", "web", uid()))
    await compact(store.database, HOUR, keep=0)
    assert (await store.database.fetch("SELECT count(*) FROM batches"))[0][0] == 1


async def room(store: Store) -> dict[str, int]:
    """Bytes that the tables take, with their indexes."""
    tables = ["changes", "batches"]
    rows = await store.database.fetch("SELECT t, pg_total_relation_size(t::regclass) FROM unnest($1::text[]) t", tables)
    return {row[0]: row[1] for row in rows}


async def test_a_log_of_constant_length_takes_constant_room(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Postgres' autovacuum is off in tests: the compaction alone has to see to it."""
    monkeypatch.setattr(compaction, "_BATCHES_KEPT", timedelta())
    await shop(store)
    owners = [uid() for _ in range(100)]
    await store.writer.write_all([service("create", owner, owner) for owner in owners])
    sizes: list[dict[str, int]] = []
    for _ in range(40):
        for _ in range(4):
            updates = [
                service("update", owner, owner, body=body("x" * (300 + 5 * at))) for at, owner in enumerate(owners)
            ]
            await store.writer.write_all(updates)
        await compact(store.database, timedelta(), keep=1_000)
        sizes.append(await room(store))
    assert len((await store.reader.tail(0, 10_000)).changes) == 1_000
    # The first cycles fill the log, and go on before the room of others is free.
    for table, settled in sizes[5].items():
        assert max(size[table] for size in sizes[6:]) <= 1.15 * settled, [size[table] for size in sizes]


async def test_what_is_being_vacuumed_already_is_left_alone(store: Store):
    old = await grow(store, 5, age=2 * HOUR)
    async with session(store) as connection, connection.transaction():
        await connection.execute("LOCK TABLE changes IN SHARE UPDATE EXCLUSIVE MODE")
        assert await compact(store.database, HOUR, keep=0) == old[-1]
