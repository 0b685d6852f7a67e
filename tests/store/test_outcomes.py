"""What each kind of write answers, and what is stored then."""

import pytest
from msgspec.structs import replace

from app.domain.rules.claim import Claim
from app.store.claim_tables import CLAIM_TABLES, exclude
from app.store.store import Store
from app.store.writes import (
    Aborted,
    ClaimHeld,
    Committed,
    LeaseGuard,
    LeaseLost,
    Missing,
    NamespaceMissing,
    NamespaceNotEmpty,
    NamespaceTerminating,
    NameTaken,
    Stale,
)
from tests.store.writing import body, claim, committed, namespace, service, session, shop, uid

pytestmark = pytest.mark.anyio


async def log(store: Store) -> list[tuple[str, str, int | None]]:
    """The log as (type, name, revision before)."""
    return [
        (change.type, change.name, change.previous_revision) for change in (await store.reader.tail(0, 100)).changes
    ]


async def claims(store: Store) -> dict[str, set[str]]:
    found = {}
    for table in CLAIM_TABLES:
        found[table] = {row.key async for row in store.reader.claimed(table)}
    return {table: keys for table, keys in found.items() if keys}


async def test_create_update_delete_each_draw_a_revision_and_log_a_change(store: Store):
    await shop(store)
    owner = uid()
    created = await committed(store, service("create", "web", owner, body=body("one")))
    updated = await committed(store, service("update", "web", owner, body=body("two"), expected_revision=created))
    deleted = await committed(store, service("delete", "web", owner, body=body("last"), expected_revision=updated))
    assert created < updated < deleted
    changes = await store.reader.changes_between("services", None, created - 1, deleted, 100)
    assert [(c.revision, c.type, c.body, c.previous_body, c.previous_revision) for c in changes] == [
        (created, "ADDED", body("one"), None, None),
        (updated, "MODIFIED", body("two"), body("one"), created),
        (deleted, "DELETED", body("last"), body("two"), updated),
    ]
    assert {(c.kind, c.namespace, c.name, c.uid) for c in changes} == {("services", "shop", "web", owner)}
    # Who follows the log has the states before.
    tail = await store.reader.tail(created - 1, 100)
    assert list(tail.changes) == [change._replace(previous_body=None) for change in changes]
    assert tail.newest == deleted


async def test_an_unpublished_object_is_seen_by_nobody_until_it_is_published(store: Store):
    await shop(store)
    owner = uid()
    before = await store.reader.tail(0, 100)
    assert await store.writer.write(service("create", "web", owner, published=False, pending=True)) == Committed(None)
    assert await store.reader.tail(0, 100) == before
    assert [row.uid for row in await store.reader.unpublished(10)] == [owner]
    async with store.reader.snapshot() as snapshot:
        assert [row.kind async for page in snapshot.pages() for row in page] == ["namespaces"]
    revision = await committed(store, service("publish", "web", owner, "cluster_ips 10.96.0.1", body=body("whole")))
    assert (await log(store))[-1] == ("ADDED", "web", None)
    assert (await store.reader.tail(revision - 1, 1)).changes[0].body == body("whole")
    assert not await store.reader.unpublished(10)


async def test_publishing_twice_is_stale_and_says_where_the_object_is(store: Store):
    await shop(store)
    owner = uid()
    await committed(store, service("create", "web", owner, published=False))
    revision = await committed(store, service("publish", "web", owner))
    assert await store.writer.write(service("publish", "web", owner, body=body("again"))) == Stale(revision)
    assert await store.writer.write(service("publish", "other", uid())) == Missing()


@pytest.mark.parametrize("published", [True, False])
async def test_a_name_is_taken_by_a_published_and_by_an_unpublished_object(store: Store, published):
    await shop(store)
    await committed(store, service("create", "web", uid(), published=published))
    assert await store.writer.write(service("create", "web", uid())) == NameTaken(published)
    assert await store.writer.write(service("create", "web", uid(), published=False)) == NameTaken(published)


async def test_updates_and_deletes_name_the_revision_they_expect(store: Store):
    await shop(store)
    owner = uid()
    first = await committed(store, service("create", "web", owner))
    second = await committed(store, service("update", "web", owner))
    for action in ("update", "delete"):
        assert await store.writer.write(service(action, "web", owner, expected_revision=first)) == Stale(second)
        assert await store.writer.write(service(action, "web", uid(), expected_revision=second)) == Missing()
        assert await store.writer.write(service(action, "gone", owner)) == Missing()
    assert await committed(store, service("delete", "web", owner)) > second


async def test_an_unpublished_object_can_be_deleted_unseen_and_not_updated(store: Store):
    await shop(store)
    owner = uid()
    before = await log(store)
    await committed(store, service("create", "web", owner, "cluster_ips 10.96.0.1", published=False))
    assert await store.writer.write(service("update", "web", owner)) == Missing()
    assert await store.writer.write(service("delete", "web", owner, expected_revision=7)) == Stale(None)
    assert await store.writer.write(service("delete", "web", owner)) == Committed(None)
    assert await log(store) == before
    assert await claims(store) == {}


@pytest.mark.parametrize("published", [True, False])
async def test_nothing_is_created_in_a_namespace_that_is_missing_or_terminating(store: Store, published):
    write = service("create", "web", uid(), published=published)
    assert await store.writer.write(write) == NamespaceMissing()
    owner = await shop(store)
    await committed(store, service("create", "old", uid()))
    deletion = (await store.database.fetch("SELECT now()"))[0][0]
    await committed(store, namespace("update", "shop", owner, deletion_timestamp=deletion))
    assert await store.writer.write(write) == NamespaceTerminating()
    await committed(store, namespace("update", "shop", owner))
    assert isinstance(await store.writer.write(write), Committed)


async def test_what_is_there_can_be_changed_while_its_namespace_terminates(store: Store):
    owner, web, hidden = await shop(store), uid(), uid()
    await committed(store, service("create", "web", web))
    await committed(store, service("create", "hidden", hidden, published=False))
    deletion = (await store.database.fetch("SELECT now()"))[0][0]
    await committed(store, namespace("update", "shop", owner, deletion_timestamp=deletion))
    await committed(store, service("update", "web", web))
    await committed(store, service("publish", "hidden", hidden))
    await committed(store, service("delete", "web", web))


@pytest.mark.parametrize("published", [True, False])
async def test_a_namespace_goes_when_it_is_empty(store: Store, published):
    owner, web = await shop(store), uid()
    await committed(store, service("create", "web", web, published=published))
    assert await store.writer.write(namespace("delete", "shop", owner)) == NamespaceNotEmpty()
    await committed(store, service("delete", "web", web))
    await committed(store, namespace("delete", "shop", owner))
    assert await store.writer.write(service("create", "web", uid())) == NamespaceMissing()


async def test_cluster_scoped_objects_need_no_namespace(store: Store):
    assert isinstance(await store.writer.write(namespace("create", "other", uid())), Committed)


async def test_a_lost_lease_refuses_the_write(store: Store):
    await shop(store)
    first = await store.leases.acquire("allocation", "a", 30)
    write = service("create", "web", uid(), lease=first)
    again = await store.leases.acquire("allocation", "a", 30)
    assert await store.writer.write(write) == LeaseLost()
    assert await store.writer.write(service("create", "web", uid(), lease=LeaseGuard("never", 1))) == LeaseLost()
    await committed(store, service("create", "web", uid(), lease=again))


ALL = (
    "cluster_ips 10.96.0.1",
    "cluster_ips fd00::1",
    "node_ports 30080",
    "lb_addresses 20.0.0.1/shop/own",
    "lb_ports 20.0.0.1/TCP/80",
    "dns_labels example.org/web",
)


@pytest.mark.parametrize("text", ALL)
async def test_a_held_claim_names_its_holder_and_stores_nothing(store: Store, text):
    await shop(store)
    owner = uid()
    await committed(store, service("create", "holder", owner, *ALL))
    before = (await log(store), await claims(store))
    held = ClaimHeld(claim(text), "services", "shop", "holder")
    assert await store.writer.write(service("create", "late", uid(), text)) == held
    assert await store.writer.write(service("create", "late", uid(), text, published=False)) == held
    assert (await log(store), await claims(store)) == before


async def test_a_write_holds_exactly_what_it_shows(store: Store):
    await shop(store)
    owner = uid()
    await committed(store, service("create", "web", owner, *ALL, published=False))
    await committed(store, service("publish", "web", owner, *ALL[:3], "node_ports 30081"))
    assert await claims(store) == {"cluster_ips": {"10.96.0.1", "fd00::1"}, "node_ports": {"30080", "30081"}}
    await committed(store, service("update", "web", owner, "node_ports 30081", "lb_ports 20.0.0.1/UDP/53"))
    assert await claims(store) == {"node_ports": {"30081"}, "lb_ports": {"20.0.0.1/UDP/53"}}
    await committed(store, service("delete", "web", owner, "node_ports 30081"))
    assert await claims(store) == {}


async def test_the_same_claim_twice_in_one_write_is_one(store: Store):
    await shop(store)
    await committed(store, service("create", "web", uid(), "node_ports 30080", "node_ports 30080"))
    assert await claims(store) == {"node_ports": {"30080"}}


OWN, ALONE, SHARED, STATIC = (f"lb_addresses 20.0.0.1/shop/{role}" for role in ("own", "alone", "shared", "static"))
ELSEWHERE = "lb_addresses 20.0.0.1/other/shared"


@pytest.mark.parametrize(
    ("held", "wanted", "agree"),
    [
        (OWN, OWN, False),
        (OWN, SHARED, True),
        (OWN, STATIC, True),
        (OWN, ALONE, False),
        (SHARED, SHARED, True),
        (SHARED, STATIC, True),
        (SHARED, ALONE, False),
        (STATIC, STATIC, False),
        (STATIC, ALONE, True),
        (ALONE, ALONE, False),
        (OWN, ELSEWHERE, False),
        (STATIC, ELSEWHERE, False),
        (ELSEWHERE, ELSEWHERE, True),
    ],
)
async def test_an_address_is_shared_in_its_home_by_those_who_ask_for_it(store: Store, held, wanted, agree):
    await shop(store)
    for one, other in ((held, wanted), (wanted, held)):
        assert exclude(claim(one), claim(other)) is not agree
        first = uid()
        await committed(store, service("create", "a", first, one))
        second = service("create", "b", uid(), other)
        outcome = await store.writer.write(second)
        assert agree is isinstance(outcome, Committed)
        if not agree:
            assert outcome == ClaimHeld(claim(other), "services", "shop", "a")
        else:
            await committed(store, service("delete", "b", second.uid))
        await committed(store, service("delete", "a", first))


async def test_the_role_in_which_an_address_is_held_can_change(store: Store):
    await shop(store)
    first, second = uid(), uid()
    await committed(store, service("create", "a", first, OWN))
    await committed(store, service("create", "b", second, SHARED))
    assert await store.writer.write(service("update", "b", second, OWN)) == ClaimHeld(
        claim(OWN), "services", "shop", "a"
    )
    swapped = [service("update", "a", first, SHARED), service("update", "b", second, OWN)]
    assert all(isinstance(outcome, Committed) for outcome in await store.writer.write_together(swapped))
    assert await claims(store) == {"lb_addresses": {"20.0.0.1/shop/own", "20.0.0.1/shop/shared"}}


async def test_who_is_about_to_have_another_address_holds_the_one_it_has_as_before(store: Store):
    await shop(store)
    first, kept = uid(), "lb_addresses 20.0.0.1//kept"
    await committed(store, service("create", "a", first, OWN))
    await committed(store, service("create", "b", uid(), SHARED))
    await committed(store, service("update", "a", first, kept, "lb_addresses 20.0.0.2/shop/own"))
    addresses = {"20.0.0.1/shop/own", "20.0.0.1/shop/shared", "20.0.0.2/shop/own"}
    assert await claims(store) == {"lb_addresses": addresses}
    assert isinstance(await store.writer.write(service("create", "c", uid(), kept)), ClaimHeld)


async def test_together_all_are_stored_or_none(store: Store):
    await shop(store)
    await committed(store, service("create", "holder", uid(), "node_ports 30080"))
    before = await log(store)
    writes = [
        service("create", "a", uid()),
        service("create", "b", uid(), "node_ports 30080"),
        service("update", "c", uid()),
    ]
    outcomes = await store.writer.write_together(writes)
    assert outcomes == [Aborted(), ClaimHeld(claim("node_ports 30080"), "services", "shop", "holder"), Missing()]
    assert await log(store) == before
    outcomes = await store.writer.write_together([service("create", "a", uid()), service("create", "b", uid())])
    assert all(isinstance(outcome, Committed) for outcome in outcomes)


async def test_together_a_namespace_comes_with_its_content(store: Store):
    writes = [service("create", "web", uid()), namespace("create", "shop", uid())]
    assert all(isinstance(outcome, Committed) for outcome in await store.writer.write_together(writes))
    writes = [service("create", "web", uid(), namespace="stall"), namespace("create", "shop", uid())]
    assert await store.writer.write_together(writes) == [NamespaceMissing(), NameTaken(True)]


async def test_together_claims_are_passed_on(store: Store):
    await shop(store)
    a, b = uid(), uid()
    await committed(store, service("create", "a", a, "node_ports 1", "cluster_ips 10.96.0.1"))
    await committed(store, service("create", "b", b, "node_ports 2", "cluster_ips 10.96.0.2"))
    swap = [
        service("update", "a", a, "node_ports 2", "cluster_ips 10.96.0.2"),
        service("update", "b", b, "node_ports 1", "cluster_ips 10.96.0.1"),
    ]
    assert all(isinstance(outcome, Committed) for outcome in await store.writer.write_together(swap))
    held = await store.reader.claim_holders("node_ports", ["1", "2", "3"])
    assert {key: holder.name for key, holder in held.items()} == {"1": "b", "2": "a"}


async def test_together_two_that_want_the_same_thing_are_refused(store: Store):
    await shop(store)
    writes = [service("create", "a", uid(), "node_ports 1"), service("create", "b", uid(), "node_ports 1")]
    held = ClaimHeld(claim("node_ports 1"), "services", "shop", "a")
    assert await store.writer.write_together(writes) == [Aborted(), held]
    shared = [service("create", name, uid(), "lb_addresses 20.0.0.1/shop/shared") for name in ("a", "b")]
    assert all(isinstance(outcome, Committed) for outcome in await store.writer.write_together(shared))
    with pytest.raises(ValueError, match="different objects"):
        await store.writer.write_together([writes[0], writes[0]])


@pytest.mark.parametrize("key", ['a"b', "a\\b", "a,b", "{a}", "null"])
async def test_a_key_is_one_key_whatever_is_in_it(store: Store, key: str):
    await shop(store)
    owner = uid()
    asked = (Claim("dns_labels", f"example.org/{key}"), Claim("dns_labels", "example.org/web"))
    await committed(store, replace(service("create", "web", owner), claims=asked))
    await committed(store, replace(service("update", "web", owner), claims=asked))
    assert await claims(store) == {"dns_labels": {claim.key for claim in asked}}


async def test_nothing_to_write_is_written(store: Store):
    assert await store.writer.write_all([]) == []
    assert await store.writer.write_together([]) == []


_CALL = """
    SELECT * FROM fairlead_write(gen_random_uuid(), false, '{create}', '{namespaces}', '{""}', '{x}', ARRAY[$1::uuid],
        '{x}', '{NULL}', ARRAY[$2::boolean], '{f}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{f}', NULL, '{}',
        '{}')
"""


@pytest.mark.parametrize(
    ("published", "configured", "used"), [(False, "on", "off"), (True, "on", "on"), (True, "off", "on")]
)
async def test_only_what_nobody_can_see_does_not_wait_for_the_disk(store: Store, published, configured, used):
    async with session(store) as connection, connection.transaction():
        await connection.execute(f"SET LOCAL synchronous_commit = {configured}")
        await connection.fetchval(_CALL, uid(), published)
        assert await connection.fetchval("SHOW synchronous_commit") == used
