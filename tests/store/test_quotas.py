"""Quotas are counted where everything is written, so nothing is ever stored beyond them."""

import asyncio
from typing import Any

import pytest

from app.domain.rules.quota_resources import limits_of
from app.store.store import Store
from app.store.writes import Aborted, ClaimHeld, Committed, Excess, NameTaken, Outcome, QuotaExceeded, Write
from tests.store.writing import body, committed, namespace, service, shop, uid

pytestmark = pytest.mark.anyio


def quota(action: Any, name: str, owner: str, *, in_: str = "shop", **hard: str) -> Write:
    named = {resource.replace("__", "/").replace("_", "."): quantity for resource, quantity in hard.items()}
    return Write(action, "resourcequotas", in_, name, owner, body(name), limits=limits_of(named))


def node_ports(action: Any, name: str, owner: str, number: int, **others: Any) -> Write:
    return service(action, name, owner, charges=(("services.nodeports", number),) if number else (), **others)


async def used(store: Store) -> dict[str, int]:
    rows = await store.database.fetch("SELECT namespace || ' ' || measure, used FROM quota_usage")
    return {key.removeprefix("shop "): number for key, number in rows}


def refused(outcome: Outcome) -> tuple[str, list[tuple[str, int, int, str]]]:
    assert isinstance(outcome, QuotaExceeded), outcome
    return outcome.quota, [(each.resource, each.requested, each.used, each.limited) for each in outcome.resources]


async def test_a_quota_counts_what_is_there_and_what_comes(store: Store):
    await shop(store)
    await committed(store, node_ports("create", "old", uid(), 2))
    owner = uid()
    await committed(store, quota("create", "q", owner, services="2", count__services="3", services_nodeports="4"))
    assert await used(store) == {"count/services": 1, "services.nodeports": 2}
    second = uid()
    await committed(store, node_ports("create", "new", second, 1))
    outcome = await store.writer.write(service("create", "more", uid()))
    assert refused(outcome) == ("q", [("services", 1, 2, "2")])
    outcome = await store.writer.write(node_ports("create", "more", uid(), 2))
    assert refused(outcome) == ("q", [("services", 1, 2, "2"), ("services.nodeports", 2, 3, "4")])
    outcome = await store.writer.write(node_ports("update", "new", second, 4))
    assert refused(outcome) == ("q", [("services.nodeports", 3, 3, "4")])
    await committed(store, node_ports("update", "new", second, 2))
    assert await used(store) == {"count/services": 2, "services.nodeports": 4}
    await committed(store, node_ports("update", "new", second, 0))
    await committed(store, service("delete", "new", second))
    assert await used(store) == {"count/services": 1, "services.nodeports": 2}
    await committed(store, quota("delete", "q", owner))
    assert await used(store) == {}


async def test_a_changed_quota_counts_what_it_limits(store: Store):
    await shop(store)
    await committed(store, node_ports("create", "web", uid(), 2))
    first, second = uid(), uid()
    await committed(store, quota("create", "one", first, services="5"))
    await committed(store, quota("create", "two", second, services="5", secrets="1"))
    await committed(store, quota("update", "one", first, services_nodeports="1"))
    assert await used(store) == {"count/services": 1, "count/secrets": 0, "services.nodeports": 2}
    await committed(store, quota("delete", "two", second))
    assert await used(store) == {"services.nodeports": 2}
    # What is beyond a limit stays, and may become less.
    owner = uid()
    await committed(store, node_ports("create", "plain", owner, 0))
    assert refused(await store.writer.write(node_ports("update", "plain", owner, 1)))[0] == "one"


async def test_of_several_quotas_the_first_that_is_exceeded_is_told(store: Store):
    await shop(store)
    for name, hard in (("c", "0"), ("b", "0"), ("a", "9")):
        await committed(store, quota("create", name, uid(), services=hard))
    assert refused(await store.writer.write(service("create", "web", uid()))) == ("b", [("services", 1, 0, "0")])


async def test_other_namespaces_and_kinds_are_left_alone(store: Store):
    await shop(store)
    await committed(store, namespace("create", "other", uid()))
    await committed(store, quota("create", "q", uid(), services="0"))
    await committed(store, service("create", "web", uid(), namespace="other"))
    await committed(store, Write("create", "secrets", "shop", "s", uid(), body("s")))
    assert await used(store) == {"count/services": 0}


async def test_a_batch_stores_as_much_as_fits_in_its_order(store: Store):
    await shop(store)
    old = uid()
    await committed(store, service("create", "old", old))
    await committed(store, quota("create", "q", uid(), services="3", services_nodeports="5"))
    writes = [node_ports("create", f"web-{n}", uid(), 3) for n in range(2)]
    writes += [service("delete", "old", old), *(service("create", f"more-{n}", uid()) for n in range(3))]
    outcomes = await store.writer.write_all(writes)
    stored = [isinstance(each, Committed) for each in outcomes]
    assert stored == [True, False, True, True, True, False]
    assert refused(outcomes[1]) == ("q", [("services.nodeports", 3, 3, "5")])
    assert refused(outcomes[5]) == ("q", [("services", 1, 3, "3")])
    assert await used(store) == {"count/services": 3, "services.nodeports": 3}


async def test_writes_that_go_together_count_together(store: Store):
    await shop(store)
    old = uid()
    await committed(store, service("create", "old", old))
    owner = uid()
    await committed(store, quota("create", "q", owner, services="1"))
    outcomes = await store.writer.write_together([service("create", "a", uid()), service("delete", "old", old)])
    assert all(isinstance(each, Committed) for each in outcomes)
    await committed(store, quota("update", "q", owner, services="2"))
    outcomes = await store.writer.write_together([service("create", name, uid()) for name in ("b", "c")])
    assert (outcomes[0], refused(outcomes[1])) == (Aborted(), ("q", [("services", 1, 2, "2")]))
    assert await used(store) == {"count/services": 1}


async def test_a_quota_weighs_more_than_a_name_and_less_than_a_claim(store: Store):
    await shop(store)
    await committed(store, service("create", "web", uid(), "node_ports 30001"))
    owner = uid()
    await committed(store, quota("create", "q", owner, services="1"))
    assert isinstance(await store.writer.write(service("create", "web", uid())), QuotaExceeded)
    assert isinstance(await store.writer.write(service("create", "new", uid(), "node_ports 30001")), ClaimHeld)
    await committed(store, quota("update", "q", owner, services="2"))
    assert isinstance(await store.writer.write(service("create", "web", uid())), NameTaken)
    assert await used(store) == {"count/services": 1}


async def test_an_object_counts_from_before_it_is_published(store: Store):
    await shop(store)
    await committed(store, quota("create", "q", uid(), services="1", services_nodeports="1"))
    owner = uid()
    await committed(store, node_ports("create", "web", owner, 1, published=False, pending=True))
    assert isinstance(await store.writer.write(service("create", "more", uid())), QuotaExceeded)
    # Whoever publishes may know better what it uses; that it may be there has been decided.
    await committed(store, node_ports("publish", "web", owner, 2))
    assert await used(store) == {"count/services": 1, "services.nodeports": 2}


async def test_concurrent_writers_never_store_more_than_fits(store: Store, second_store: Store):
    await shop(store)
    await committed(store, quota("create", "q", uid(), services="50", services_nodeports="120"))
    writers = [store.writer, second_store.writer]
    writes = [node_ports("create", f"web-{n}", uid(), n % 4) for n in range(200)]
    outcomes = await asyncio.gather(*(writers[n % 2].write(write) for n, write in enumerate(writes)))
    stored = [write for write, outcome in zip(writes, outcomes, strict=True) if isinstance(outcome, Committed)]
    assert len(stored) == 50
    ports = sum(amount for write in stored for _, amount in write.charges)
    assert ports <= 120
    assert await used(store) == {"count/services": 50, "services.nodeports": ports}


async def test_the_ceiling_counts_all_objects_of_clients(bounded_store: Store):
    await shop(bounded_store)
    for number in range(3):
        await committed(bounded_store, service("create", f"web-{number}", uid(), bounded=True))
    outcome = await bounded_store.writer.write(service("create", "more", uid(), bounded=True))
    assert outcome == QuotaExceeded("", (Excess("objects", 1, 3, "3"),))
    # What the server makes by itself counts, and is not refused.
    owner = uid()
    await committed(bounded_store, service("create", "slice", owner))
    assert await used(bounded_store) == {"objects": 4}
    await committed(bounded_store, service("delete", "slice", owner))
    assert await used(bounded_store) == {"objects": 3}


async def test_the_usage_of_a_namespace_goes_with_it(store: Store):
    place, owner = await shop(store), uid()
    await committed(store, quota("create", "q", owner, services="1"))
    await committed(store, quota("delete", "q", owner))
    await committed(store, namespace("delete", "shop", place))
    assert await used(store) == {}
