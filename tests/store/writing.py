"""Writes as the tests spell them."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from app.domain.rules.claim import Claim
from app.store.store import Store
from app.store.writes import Action, Committed, Outcome, Write

WRITE_LOCK = 4712303102
"""Key of the advisory lock that the write function takes."""


def uid() -> str:
    return str(uuid.uuid4())


def body(text: str) -> bytes:
    return b'{"apiVersion":"v1","kind":"Service","metadata":{"name":"%b"}}' % text.encode()


def claim(text: str) -> Claim:
    """`cluster_ips 10.96.0.1` -> the claim."""
    table, key = text.split()
    return Claim(table, key, "spec")


def service(action: Action, name: str, uid: str, *claims: str, namespace: str = "shop", **others: Any) -> Write:
    content = others.pop("body", None) or body(name)
    return Write(
        action, "services", namespace, name, uid, content, claims=tuple(claim(text) for text in claims), **others
    )


def namespace(action: Action, name: str, uid: str, **others: Any) -> Write:
    return Write(action, "namespaces", "", name, uid, body(name), **others)


async def committed(store: Store, write: Write) -> int | None:
    """Write, and insist that it was stored."""
    return revision_of(await store.writer.write(write))


def revision_of(outcome: Outcome) -> int | None:
    assert isinstance(outcome, Committed), outcome
    return outcome.revision


async def shop(store: Store) -> str:
    """The namespace most tests write to; returns its uid."""
    owner = uid()
    await committed(store, namespace("create", "shop", owner))
    return owner


@asynccontextmanager
async def running(url: str, **settings: Any) -> AsyncIterator[Store]:
    """A store of one's own."""
    store = Store(url, **settings)
    try:
        await store.start()
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def session(store: Store) -> AsyncIterator[Any]:
    """A session beside the store's own."""
    connection = await asyncpg.connect(store.database.url)
    try:
        yield connection
    finally:
        connection.terminate()


@asynccontextmanager
async def write_lock(store: Store) -> AsyncIterator[Any]:
    """Keep everybody from writing; yields the session that holds the lock."""
    async with session(store) as connection:
        await connection.execute(f"SELECT pg_advisory_lock({WRITE_LOCK})")
        yield connection
        await connection.execute(f"SELECT pg_advisory_unlock({WRITE_LOCK})")


async def waiters(connection: Any) -> list[int]:
    """Process ids of the sessions that wait for the write lock."""
    rows = await connection.fetch("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted ORDER BY pid")
    return [row["pid"] for row in rows]


async def eventually(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until an (async) condition is truthy; returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, "the condition never came true"
        await asyncio.sleep(0.01)
