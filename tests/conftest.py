"""A real Postgres for the session, with a migrated, empty database for each test that asks for one, and a product."""

import asyncio
import inspect
import itertools
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import uvloop
from hypothesis import HealthCheck, settings

from app.store.migrating import migrate
from app.supervisor.postgres import EmbeddedPostgres
from tests.e2e.serving import Serving

# A machine that is busy with something else makes examples slow, never wrong; CI repeats the same examples each time.
settings.register_profile(
    "fairlead",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize="CI" in os.environ,
)
settings.load_profile("fairlead")

# The tests' requests wait as long as everything else of theirs does. httpx's five seconds are its default argument.
_patience: httpx.Timeout = inspect.signature(httpx.request).parameters["timeout"].default
_patience.connect = _patience.read = _patience.write = _patience.pool = 60.0

_numbers = itertools.count(1)

_EMPTY = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
    DELETE FROM objects;
    DELETE FROM quota_usage;
    DELETE FROM address_history;
    DELETE FROM changes;
    DELETE FROM batches;
    DELETE FROM leases;
    DELETE FROM settings;
    DELETE FROM signing_keys;
    UPDATE compaction SET compacted = 0;
    SELECT setval('revisions', 1, false);
"""


class Loop(uvloop.Loop):
    """The event loop of the product.

    At its end uvloop warns of each transport that was left open, closes it and waits for that. Where the warning is an
    error, it waits forever, so here it is printed.
    """

    def close(self) -> None:
        """Close the loop, and print what was left open."""
        with warnings.catch_warnings(record=True) as left_open:
            warnings.simplefilter("always", ResourceWarning)
            super().close()
        for each in left_open:
            print(f"left open at the end of the loop: {each.message}")  # noqa: T201 - shown where the test fails


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": Loop}


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Postgres as `fairlead serve` runs it; a test that stops it has to start it again."""
    with EmbeddedPostgres(Path(tmp_path_factory.mktemp("data"))) as server:
        asyncio.run(_let_statistics_be(server.url()))
        yield server


async def _let_statistics_be(url: str) -> None:
    """Tables that tests fill and empty get no statistics from one moment: when autovacuum comes is chance."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("ALTER SYSTEM SET autovacuum = off")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def migrated_url(postgres: EmbeddedPostgres) -> str:
    """The database with the schema, migrated once; what tests left in it is still there."""
    migrate(postgres.url())
    return postgres.url()


@pytest.fixture
def database_url(migrated_url: str) -> str:
    """URL of a migrated database with nothing in it and nobody else connected."""
    asyncio.run(empty(migrated_url))
    return migrated_url


async def empty(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_EMPTY)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One product, started as a user starts it, for all tests that leave it whole."""
    with Serving(tmp_path_factory.mktemp("product") / "data") as serving:
        yield serving


@pytest.fixture
def namespace(product: Serving) -> str:
    """A namespace of the test's own in the product, which is empty at its beginning."""
    name = f"test-{next(_numbers)}"
    reply = httpx.post(f"{product.url}/api/v1/namespaces", json={"metadata": {"name": name}}, timeout=30)
    assert reply.status_code == 201, reply.text
    return name
