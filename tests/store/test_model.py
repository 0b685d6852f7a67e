"""Random writes against a model of the store: it agrees in every outcome, and concurrent ones leave its history."""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.errors import ApiError
from app.domain.rules.claim import Claim
from app.store.claim_tables import CLAIM_TABLES, ClaimTable, exclude, thing
from app.store.store import Store
from app.store.writes import (
    ClaimHeld,
    Committed,
    Missing,
    NamespaceMissing,
    NamespaceNotEmpty,
    NamespaceTerminating,
    NameTaken,
    Outcome,
    Stale,
    Write,
)
from tests.store.writing import body, claim, session, uid

pytestmark = pytest.mark.anyio

Place = tuple[str, str, str]

TABLES = tuple(CLAIM_TABLES)
VALUES = {"inet": ("10.96.0.1", "10.96.0.2"), "integer": ("30000", "30001"), "text": ("a", "b")}


HOW = ("n1/own", "n1/alone", "n1/shared", "n1/static", "n2/shared", "n2/own")


def keys_of(table: ClaimTable) -> list[str]:
    """Two things of each table; in every role, where they can be shared."""
    keys = ["/".join(parts) for parts in product(*(VALUES[column.type] for column in table.columns))][:2]
    return [f"{key}/{how}" for key in keys for how in HOW] if table.shareable else keys


CLAIMS = [f"{table.name} {key}" for table in CLAIM_TABLES.values() for key in keys_of(table)]


@dataclass
class Row:
    uid: str
    revision: int | None
    body: bytes
    claims: frozenset[tuple[str, str]]
    deleting: bool


def shown(claims: Iterable[Claim]) -> frozenset[tuple[str, str]]:
    return frozenset((claim.table, claim.key) for claim in claims)


def place_of(write: Write) -> Place:
    return write.kind, write.namespace, write.name


def wanted(texts: Iterable[str]) -> tuple[Claim, ...]:
    """Each once: nobody holds an address in two roles."""
    claims = map(claim, texts)
    return tuple({thing(claim): claim for claim in claims}.values())


class Model:
    """What the store should do, one write after the other."""

    def __init__(self) -> None:
        self.rows: dict[Place, Row] = {}

    def refusal(self, write: Write) -> Outcome | None:
        row = self.rows.get(place_of(write))
        if write.action == "create":
            taken = NameTaken(row.revision is not None) if row else None
            return self._namespace_refusal(write) or self._claim_held(write) or taken
        if row is None or row.uid != write.uid or (write.action == "update" and row.revision is None):
            return Missing()
        if write.action == "publish":
            return Stale(row.revision) if row.revision is not None else self._claim_held(write)
        if write.expected_revision not in {None, row.revision}:
            return Stale(row.revision)
        return self._not_empty(write) if write.action == "delete" else self._claim_held(write)

    def _not_empty(self, write: Write) -> Outcome | None:
        filled = any(namespace == write.name for _, namespace, _ in self.rows)
        return NamespaceNotEmpty() if write.kind == "namespaces" and filled else None

    def _namespace_refusal(self, write: Write) -> Outcome | None:
        if write.namespace:
            owner = self.rows.get(("namespaces", "", write.namespace))
            if owner is None:
                return NamespaceMissing()
            if owner.deleting:
                return NamespaceTerminating()
        return None

    def _claim_held(self, write: Write) -> Outcome | None:
        for asked in sorted(write.claims, key=lambda claim: TABLES.index(claim.table)):
            for place, row in self.rows.items():
                if row.uid != write.uid and any(exclude(asked, Claim(*held)) for held in row.claims):
                    return ClaimHeld(asked, *place)
        return None

    def store(self, write: Write, revision: int | None) -> None:
        if write.action == "delete":
            del self.rows[place_of(write)]
        else:
            deleting = write.deletion_timestamp is not None
            self.rows[place_of(write)] = Row(write.uid, revision, write.body, shown(write.claims), deleting)


@dataclass
class Idea:
    """A write to be, in terms of what is there when its turn comes."""

    action: str
    name: str
    namespace: str
    claims: tuple[Claim, ...]
    published: bool
    own: bool
    expecting: str

    def write(self, model: Model, number: int) -> Write:
        kind = "namespaces" if self.name == "ns" else "services"
        place = (kind, "", self.namespace) if kind == "namespaces" else (kind, self.namespace, self.name)
        row = model.rows.get(place)
        known = row is not None and self.own and self.action != "create"
        expected = {"right": row.revision if row else None, "wrong": 10**9, "any": None}[self.expecting]
        return Write(
            self.action,  # type: ignore[arg-type]
            *place,
            uid=row.uid if known else uid(),
            body=body(str(number)),
            claims=self.claims if kind == "services" else (),
            expected_revision=expected if self.action in {"update", "delete"} else None,
            published=self.published or kind == "namespaces",
        )


def ideas() -> st.SearchStrategy[Idea]:
    return st.builds(
        Idea,
        action=st.sampled_from(["create", "create", "publish", "update", "update", "delete"]),
        name=st.sampled_from(["ns", "a", "b", "c", "d"]),
        namespace=st.sampled_from(["n1", "n2"]),
        claims=st.lists(st.sampled_from(CLAIMS), max_size=3).map(wanted),
        published=st.booleans(),
        own=st.sampled_from([True, True, True, False]),
        expecting=st.sampled_from(["any", "any", "right", "wrong"]),
    )


def same(expected: Outcome | None, outcome: Outcome, model: Model) -> bool:
    if expected is None:
        return isinstance(outcome, Committed)
    if isinstance(expected, ClaimHeld) and isinstance(outcome, ClaimHeld):
        # A shared address has several holders: any of them will do.
        place = (outcome.owner_kind, outcome.owner_namespace, outcome.owner_name)
        held = model.rows[place].claims
        return outcome.claim == expected.claim and any(exclude(outcome.claim, Claim(*own)) for own in held)
    return outcome == expected


def next_done(left: list[tuple[Write, Outcome]], model: Model) -> tuple[Write, Outcome]:
    """The first write whose outcome follows from what is stored. Writes of one object keep their order.

    A write that has to wait, for its namespace perhaps, may be overtaken by one that gives back what it claims.
    """
    seen: set[Place] = set()
    for write, outcome in left:
        if place_of(write) not in seen and same(model.refusal(write), outcome, model):
            return write, outcome
        seen.add(place_of(write))
    raise AssertionError([(write, model.refusal(write), outcome) for write, outcome in left])


@given(st.lists(st.lists(ideas(), min_size=1, max_size=8), min_size=1, max_size=6))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_writes_in_groups_are_as_if_done_one_after_the_other(store: Store, groups: list[list[Idea]]):
    await store.database.fetch("DELETE FROM objects")
    model, number = Model(), 0
    for group in groups:
        # What is expected of a group is known only from the groups before it: revisions are not known in advance.
        writes = [idea.write(model, number := number + 1) for idea in group]
        outcomes = await store.writer.write_all(writes)
        left = list(zip(writes, outcomes, strict=True))
        while left:
            write, outcome = next_done(left, model)
            left.remove((write, outcome))
            if isinstance(outcome, Committed):
                model.store(write, outcome.revision)
    await check_tables(store, model)


async def check_tables(store: Store, model: Model) -> None:
    rows = await store.database.fetch("SELECT kind, namespace, name, uid::text, revision, body FROM objects")
    assert {tuple(row[:3]): tuple(row[3:]) for row in rows} == {
        place: (row.uid, row.revision, row.body) for place, row in model.rows.items()
    }
    claims = {(table, row.key, row.owner) for table in TABLES async for row in store.reader.claimed(table)}
    assert claims == {(table, key, row.uid) for row in model.rows.values() for table, key in row.claims}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_several_writers_at_once_leave_a_consistent_history(database_url: str, seed: int):
    stores = [Store(database_url) for _ in range(3)]
    for store in stores:
        await store.start()
    try:
        await compare(stores, seed)
    finally:
        for store in stores:
            await store.close()


async def compare(stores: list[Store], seed: int) -> None:
    history: list[tuple[Write, Outcome]] = []
    known = Model()
    workers = [
        work(store, random.Random(f"{seed}/{number}"), known, history) for number, store in enumerate(stores * 5)
    ]
    await asyncio.gather(*workers)
    assert {type(outcome) for _, outcome in history} >= {
        Committed,
        NameTaken,
        Missing,
        Stale,
        ClaimHeld,
        NamespaceNotEmpty,
    }
    await check_history(stores[0], history)


async def work(store: Store, rng: random.Random, known: Model, history: list[tuple[Write, Outcome]]) -> None:
    """Write at random; `known` is what the outcomes told so far, in the order in which they came."""
    for _ in range(60):
        idea = Idea(
            action=rng.choice(["create", "create", "publish", "update", "delete"]),
            name="ns" if rng.random() < 0.1 else rng.choice("abcdefgh"),
            namespace=rng.choice(["n1", "n2"]),
            claims=wanted(rng.sample(CLAIMS, rng.choice([0, 1, 2]))),
            published=rng.random() < 0.6,
            own=rng.random() < 0.9,
            expecting=rng.choice(["any", "right", "right"]),
        )
        write = replace(idea.write(known, rng.randrange(10**6)))
        try:
            outcome = await store.writer.write(write)
        except ApiError as error:
            raise AssertionError(write) from error
        history.append((write, outcome))
        if isinstance(outcome, Committed) and (write.action != "delete" or place_of(write) in known.rows):
            known.store(write, outcome.revision)


async def check_history(store: Store, history: list[tuple[Write, Outcome]]) -> None:
    """Every acknowledged write is in the log once, and the log is a history that the model allows."""
    acknowledged = {
        outcome.revision: write for write, outcome in history if isinstance(outcome, Committed) and outcome.revision
    }
    changes = (await store.reader.tail(0, 100_000)).changes
    assert [change.revision for change in changes] == sorted(acknowledged)
    model = Model()
    for change in changes:
        write = acknowledged[change.revision]
        before = model.rows.get(place_of(write))
        # An unpublished object is in nobody's way once it is published; when it was created is not in the log.
        if write.action == "publish":
            write = replace(write, action="create")
        assert model.refusal(write) is None, (write, model.refusal(write))
        model.store(write, change.revision)
        assert (change.body, change.previous_revision) == (write.body, before.revision if before else None)
    async with session(store) as connection:
        for row in await connection.fetch(
            "SELECT kind, namespace, name, uid::text, body FROM objects WHERE NOT published"
        ):
            created = next(write for write, _ in history if write.uid == row["uid"] and write.action == "create")
            model.store(created, None)
    await check_tables(store, model)
