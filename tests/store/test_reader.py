"""What the store lets one read, and from which moment it is."""

import asyncio
from pathlib import Path

import pytest

from app.domain.errors import ServiceUnavailable
from app.store.claim_tables import CLAIM_TABLES
from app.store.database import Database
from app.store.reader import Reader
from app.store.rows import ClaimRow, Holder
from app.store.store import Store
from app.supervisor.postgres import EmbeddedPostgres
from tests.store.proxy import proxied
from tests.store.writing import body, committed, namespace, service, session, shop, uid

pytestmark = pytest.mark.anyio


async def fill(store: Store, number: int) -> list[str]:
    """So many services with an address each; returns their uids in order."""
    await shop(store)
    owners = [uid() for _ in range(number)]
    await store.writer.write_all(
        [service("create", f"s{n}", owner, f"cluster_ips 10.96.0.{n}") for n, owner in enumerate(owners, start=1)]
    )
    return owners


async def test_the_tail_goes_on_from_a_revision_and_tells_how_far_the_log_reaches(store: Store):
    assert await store.reader.tail(0, 10) == ([], 0, 0)
    await fill(store, 5)
    whole = await store.reader.tail(0, 100)
    assert [change.name for change in whole.changes] == ["shop", "s1", "s2", "s3", "s4", "s5"]
    assert whole.newest == whole.changes[-1].revision
    part = await store.reader.tail(whole.changes[0].revision, 2)
    assert part.changes == whole.changes[1:3]
    assert part.newest == whole.newest
    assert await store.reader.tail(whole.newest, 10) == ([], 0, whole.newest)


async def test_a_snapshot_is_of_one_moment_and_the_tail_continues_it(store: Store):
    owners = await fill(store, 5)
    await committed(store, service("create", "hidden", uid(), published=False))
    async with store.reader.snapshot() as snapshot:
        revision = await committed(store, service("update", "s1", owners[0], body=body("later")))
        await committed(store, service("delete", "s2", owners[1]))
        rows = [row async for page in snapshot.pages() for row in page]
    assert sorted(row.name for row in rows) == ["s1", "s2", "s3", "s4", "s5", "shop"]
    assert snapshot.revision == max(row.revision for row in rows)
    assert next(row.body for row in rows if row.name == "s1") == body("s1")
    tail = await store.reader.tail(snapshot.revision, 10)
    assert [change.name for change in tail.changes] == ["s1", "s2"]
    assert tail.changes[0].revision == revision


async def test_a_large_snapshot_comes_in_pages(store: Store):
    await shop(store)
    await store.database.fetch("""
        INSERT INTO objects (uid, kind, namespace, name, revision, pending, body)
        SELECT gen_random_uuid(), 'services', 'shop', 's' || n, n, false, '{}' FROM generate_series(2, 5000) n
    """)
    async with store.reader.snapshot() as snapshot:
        pages = [page async for page in snapshot.pages()]
    assert len(pages) > 1
    assert sum(len(page) for page in pages) == 5000


async def test_changes_between_two_revisions_are_of_one_kind_and_namespace(store: Store):
    owners = await fill(store, 3)
    await committed(store, namespace("create", "stall", uid()))
    await committed(store, service("create", "other", uid(), namespace="stall"))
    await committed(store, service("delete", "s1", owners[0]))
    newest = (await store.reader.tail(0, 1)).newest
    changes = await store.reader.changes_between("services", None, 0, newest, 100)
    assert [change.name for change in changes] == ["s1", "s2", "s3", "other", "s1"]
    inside = await store.reader.changes_between("services", "shop", changes[0].revision, newest - 1, 100)
    assert [change.name for change in inside] == ["s2", "s3"]
    assert await store.reader.changes_between("services", "shop", 0, newest, 2) == changes[:2]


async def test_what_waits_is_read_in_the_order_it_came(store: Store):
    await shop(store)
    for number in range(5):
        await committed(store, service("create", f"u{number}", uid(), published=False, pending=True))
        await committed(store, service("create", f"p{number}", uid(), pending=number != 2))
    rows = await store.reader.unpublished(3)
    assert [row.name for row in rows] == ["u0", "u1", "u2"]
    assert [row.revision for row in rows] == [None] * 3
    assert [row.name for row in await store.reader.unpublished(10, after=rows[-1].ordinal)] == ["u3", "u4"]
    rows = await store.reader.pending("services", 2)
    assert [row.name for row in rows] == ["p0", "p1"]
    assert [row.name for row in await store.reader.pending("services", after=rows[-1].ordinal)] == ["p3", "p4"]
    assert not await store.reader.pending("namespaces")


CLAIMS = {
    "cluster_ips": ["10.96.0.10", "10.96.0.9", "fd00::1"],
    "node_ports": ["30000", "30001", "9"],
    "lb_addresses": ["20.0.0.1/shop/own", "20.0.0.2/shop/shared"],
    "lb_ports": ["20.0.0.1/TCP/80", "20.0.0.1/UDP/80"],
    "dns_labels": ["example.org/web", "example.com/web", "example.com/x"],
}


def test_every_table_is_read_here():
    assert set(CLAIMS) == set(CLAIM_TABLES)


@pytest.mark.parametrize("table", CLAIMS)
async def test_claims_are_read_as_they_were_written(store: Store, table: str):
    await shop(store)
    owner = uid()
    await committed(store, service("create", "web", owner, *(f"{table} {key}" for key in CLAIMS[table])))
    assert {row async for row in store.reader.claimed(table)} == {ClaimRow(key, owner) for key in CLAIMS[table]}
    holders = await store.reader.claim_holders(table, [*CLAIMS[table], "1"] if table == "node_ports" else CLAIMS[table])
    assert holders == dict.fromkeys(CLAIMS[table], Holder("services", "shop", "web", owner))


async def test_claims_of_a_range_come_in_its_order(store: Store):
    await fill(store, 12)
    found = await store.reader.claimed_between("cluster_ips", "10.96.0.9", "10.96.0.11", 10)
    assert [row.key for row in found] == ["10.96.0.9", "10.96.0.10", "10.96.0.11"]
    assert [row.key for row in await store.reader.claimed_between("cluster_ips", "10.96.0.2", "10.96.0.9", 2)] == [
        "10.96.0.2",
        "10.96.0.3",
    ]
    await committed(store, service("create", "ports", uid(), "node_ports 9", "node_ports 10", "node_ports 30"))
    assert [row.key for row in await store.reader.claimed_between("node_ports", "9", "29", 10)] == ["9", "10"]


async def test_holders_within_spans_come_in_order_and_are_counted(store: Store):
    await shop(store)
    for number in (2, 7, 9):
        await committed(store, service("create", f"web-{number}", uid(), f"lb_addresses 20.0.0.{number}/shop/own"))
    for name in ("one", "other"):
        await committed(store, service("create", name, uid(), "lb_addresses 20.0.0.8/shop/shared"))
    spans = [("20.0.0.8", "20.0.0.20"), ("20.0.0.0", "20.0.0.2"), ("fd00::", "fd00::9")]
    found = await store.reader.holders_between("lb_addresses", spans, 10)
    told = [(address, str(holder)) for address, holder in found]
    assert sorted(told) == [
        ("20.0.0.2", "services shop/web-2"),
        ("20.0.0.8", "services shop/one"),
        ("20.0.0.8", "services shop/other"),
        ("20.0.0.9", "services shop/web-9"),
    ]
    assert [address for address, _ in told] == ["20.0.0.2", "20.0.0.8", "20.0.0.8", "20.0.0.9"]
    assert len(await store.reader.holders_between("lb_addresses", spans, 3)) == 3
    assert await store.reader.count_between("lb_addresses", spans) == 4
    assert await store.reader.holders_between("lb_addresses", [], 3) == []
    assert await store.reader.count_between("lb_addresses", []) == 0


@pytest.mark.parametrize(
    ("table", "low", "high", "limit", "free"),
    [
        ("cluster_ips", "10.96.0.8", "10.96.0.255", 3, ["10.96.0.8", "10.96.0.11", "10.96.0.12"]),
        ("cluster_ips", "10.96.0.9", "10.96.0.10", 3, []),
        ("cluster_ips", "fd00::", "fd00::ffff:ffff:ffff:ffff", 2, ["fd00::", "fd00::2"]),
        ("lb_addresses", "20.0.0.0", "20.0.0.3", 9, ["20.0.0.0", "20.0.0.3"]),
        ("node_ports", "29999", "30003", 9, ["29999", "30002", "30003"]),
        ("node_ports", "29999", "30003", 1, ["29999"]),
    ],
)
async def test_what_nobody_holds_comes_in_order(
    store: Store, table: str, low: str, high: str, limit: int, free: list[str]
):
    await shop(store)
    await committed(store, service("create", "web", uid(), *(f"{table} {key}" for key in CLAIMS[table])))
    assert await store.reader.free(table, low, high, limit) == free


async def test_reading_goes_on_after_every_session_was_ended(store: Store):
    await fill(store, 1)
    for _ in range(3):
        await store.reader.unpublished(1)
        await store.reader.tail(0, 1)
        async with session(store) as connection:
            await connection.execute("""
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
            """)
        assert await store.reader.unpublished(1) == []
        assert (await store.reader.tail(0, 10)).changes


async def test_a_server_that_does_not_answer_is_given_up(store: Store, postgres: EmbeddedPostgres, tmp_path: Path):
    await fill(store, 1)
    async with proxied(postgres, tmp_path) as (lossy, proxy):
        await lossy.reader.tail(0, 1)
        proxy.deaf = True
        with pytest.raises(ServiceUnavailable):
            await lossy.reader.tail(0, 1)
        proxy.cut()
        assert (await lossy.reader.tail(0, 10)).changes


async def test_claims_that_cannot_be_read_are_told_of(tmp_path: Path):
    database = Database(f"postgresql://fairlead@/fairlead?host={tmp_path}")
    with pytest.raises(ServiceUnavailable, match="cannot be reached"):
        [claim async for claim in Reader(database).claimed("cluster_ips")]
    await database.close()


async def test_a_reader_that_gives_up_leaves_the_tail_usable(store: Store):
    await fill(store, 1)
    async with session(store) as connection, connection.transaction():
        await connection.execute("LOCK TABLE changes IN ACCESS EXCLUSIVE MODE")
        reading = asyncio.create_task(store.reader.tail(0, 10))
        await asyncio.wait([reading], timeout=0.1)
        reading.cancel()
        await asyncio.wait([reading])
    assert (await store.reader.tail(0, 10)).changes
