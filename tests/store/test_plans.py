"""The work of a batch does not grow with what is stored, even by plans made when nothing was."""

import uuid
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest

from app.store.batch import arguments
from app.store.claim_queries import free, holders
from app.store.claim_tables import CLAIM_TABLES
from app.store.commit import _WRITE
from app.store.reader import _PENDING, _TAIL, _UNPUBLISHED
from app.store.sealing import NO_KEYS
from app.store.steady import PLANNED_ONCE
from app.store.store import Store
from app.store.writes import Write
from tests.store.writing import committed, service, session, shop, uid

pytestmark = pytest.mark.anyio

ROWS = 20_000
MEMBERS = 20

# Statistics are only made by autovacuum or ANALYZE, neither of which comes in this test.
GROW = f"""
    SET synchronous_commit = off;
    INSERT INTO objects (uid, kind, namespace, name, revision, pending, body)
    SELECT gen_random_uuid(), 'services', 'shop', 's' || n, 1000 + n, n % 2 = 0, '{{}}'
    FROM generate_series(2, {ROWS}) n;
    INSERT INTO objects (uid, kind, namespace, name, pending, body)
    SELECT gen_random_uuid(), 'services', 'shop', 'u' || n, true, '{{}}' FROM generate_series(1, 1000) n;
    INSERT INTO changes (revision, kind, namespace, name, uid, type, body)
    SELECT revision, kind, namespace, name, uid, 'ADDED', body FROM objects WHERE name LIKE 's_%' AND revision > 1000;
    INSERT INTO cluster_ips SELECT '10.0.0.0'::inet + ordinal, uid, ordinal, now() FROM objects WHERE revision > 1000;
    INSERT INTO node_ports SELECT -ordinal, uid, ordinal, now() FROM objects WHERE revision > 1000;
    INSERT INTO lb_addresses SELECT '20.0.0.0'::inet + ordinal, uid, 'shop', 'own', ordinal, now()
        FROM objects WHERE revision > 1000;
    INSERT INTO lb_ports SELECT '20.0.0.0'::inet + ordinal, 'TCP', 80, uid, ordinal, now()
        FROM objects WHERE revision > 1000;
    INSERT INTO dns_labels SELECT 'example.org', name, uid FROM objects WHERE revision > 1000;
    INSERT INTO batches (id, outcomes) SELECT gen_random_uuid(), '{{Committed}}' FROM generate_series(1, {ROWS});
    SELECT setval('revisions', {ROWS} + 1000);
"""
LIMITED = f"""
    INSERT INTO quota_usage SELECT 'shop-' || n, 'count/services', 1 FROM generate_series(1, {ROWS}) n;
    INSERT INTO quota_usage VALUES ('shop', 'count/services', {ROWS}), ('shop', 'services.nodeports', 0);
    INSERT INTO quota_limits SELECT (SELECT uid FROM objects LIMIT 1), 'services-' || n, 'shop-' || n, 'q',
        'count/services', 1, '1' FROM generate_series(1, {ROWS}) n;
    INSERT INTO quota_limits SELECT uid, 'services', 'shop', 'q', 'count/services', 1000000, '1M'
        FROM objects WHERE kind = 'namespaces' LIMIT 1;
"""
TABLES = ("objects", "changes", "batches", "quota_limits", "quota_usage", *CLAIM_TABLES)


async def touched(connection: Any) -> int:
    """Rows and index entries read so far in the large tables."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    await connection.execute("SELECT pg_stat_clear_snapshot()")
    scanned = "SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname = ANY ($1::text[])"
    looked_up = "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = ANY ($1::text[])"
    return sum([int(await connection.fetchval(statement, TABLES)) for statement in (scanned, looked_up)])


async def call(connection: Any, writes: list[Write]) -> None:
    values = (uuid.uuid4(), False, *arguments(writes, NO_KEYS))
    answer = await connection.fetchrow(_WRITE, *values)
    assert set(answer["outcomes"]) == {"Committed"}


def lifetimes(start: int) -> list[list[Write]]:
    """Batches from creation to deletion, with claims in every table."""
    steps: list[list[Write]] = [[], [], [], [], []]
    for number in range(start, start + MEMBERS):
        owner, name = uid(), f"new-{number}"
        claims = (
            f"cluster_ips fd00::{number}",
            f"node_ports {100_000 + number}",
            f"lb_addresses fd00::{number}/shop/own",
        )
        steps[0].append(service("create", name, owner, published=False, pending=True))
        steps[1].append(service("publish", name, owner, *claims))
        steps[2].append(service("update", name, owner, *claims[:1], f"lb_ports fd00::{number}/TCP/80"))
        steps[3].append(service("delete", name, owner))
        steps[4].append(service("create", name, uid(), *claims))
    return steps


async def check_lookups(connection: Any, start: int) -> None:
    for writes in lifetimes(start):
        before = await touched(connection)
        await call(connection, writes)
        assert await touched(connection) - before < 30 * MEMBERS, writes[0].action


async def plan(connection: Any) -> None:
    """Have plans made now and kept for the session: that takes some runs."""
    for start in range(1000, 1800, 100):
        for writes in lifetimes(start):
            await call(connection, writes)


async def test_a_batch_looks_up_only_what_it_is_about(store: Store):
    await shop(store)
    async with session(store) as connection:
        await plan(connection)
        await connection.execute(GROW)
        await check_lookups(connection, 2000)


async def test_a_batch_looks_up_only_what_it_is_about_after_vacuum_found_the_tables_empty(store: Store):
    await shop(store)
    # There are always some objects: the namespaces that are there from the start, and what describes them.
    for number in range(12):
        await committed(store, service("create", f"first-{number}", uid()))
    async with session(store) as connection:
        await connection.execute(f"VACUUM {', '.join(TABLES)}")
        await plan(connection)
        await connection.execute(GROW)
        await check_lookups(connection, 2000)


async def test_a_new_session_plans_the_same(store: Store):
    await shop(store)
    async with session(store) as connection:
        await connection.execute(GROW)
        # What this session read is counted before the other one begins to count.
        await touched(connection)
    async with session(store) as connection:
        await check_lookups(connection, 1000)


async def test_a_batch_in_a_namespace_with_a_quota_looks_up_only_what_it_is_about(store: Store):
    await shop(store)
    async with session(store) as connection:
        await connection.execute("INSERT INTO quota_usage VALUES ('shop', 'count/services', 0)")
        await plan(connection)
        await connection.execute(GROW)
        await connection.execute("DELETE FROM quota_usage")
        await connection.execute(LIMITED)
        await check_lookups(connection, 2000)


READS: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "tail": lambda connection: connection.fetch(_TAIL, ROWS + 980, 100),
    "tail, far behind": lambda connection: connection.fetch(_TAIL, 5, 20),
    "unpublished": lambda connection: connection.fetch(_UNPUBLISHED, 20, 0),
    "pending": lambda connection: connection.fetch(_PENDING, "services", 20, 0),
    "free addresses": lambda connection: connection.fetch(free("lb_addresses"), "20.9.0.0", 65_535, 20),
    "free ports": lambda connection: connection.fetch(free("node_ports"), "30000", 2_767, 20),
    "holders": lambda connection: connection.fetch(holders("node_ports"), [str(-n) for n in range(1, 21)]),
}


STEADY = ("tail", "tail, far behind", "unpublished")
"""Those that are asked on sessions which plan once."""


@pytest.mark.parametrize("vacuumed", [False, True])
@pytest.mark.parametrize(("settings", "names"), [({}, READS), (PLANNED_ONCE, STEADY)])
async def test_a_reader_reads_no_more_than_it_answers(
    store: Store, settings: dict[str, str], names: Iterable[str], vacuumed: bool
):
    connection = await store.database.connect(settings)
    try:
        if vacuumed:
            await connection.execute(f"VACUUM {', '.join(TABLES)}")
        for _ in range(8):
            for read in READS.values():
                await read(connection)
        await connection.execute("ALTER TABLE objects ALTER ordinal RESTART")
        await connection.execute(GROW)
        for name in names:
            before = await touched(connection)
            assert len(await READS[name](connection)) == 20, name
            assert await touched(connection) - before < 100, name
    finally:
        connection.terminate()
