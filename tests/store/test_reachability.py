"""A database that is there and lets nobody in, as while it recovers from a crash."""

import asyncpg
import pytest

from app.domain.errors import ServiceUnavailable
from app.store.store import Store
from app.supervisor.postgres import EmbeddedPostgres


async def allow(postgres: EmbeddedPostgres, *, connections: bool) -> None:
    outside = await asyncpg.connect(postgres.url("postgres"))
    try:
        await outside.execute(f"ALTER DATABASE fairlead ALLOW_CONNECTIONS {connections}")
        await outside.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'fairlead'")
    finally:
        await outside.close()


async def test_whoever_is_not_let_in_is_told_to_come_again(store: Store, postgres: EmbeddedPostgres):
    await allow(postgres, connections=False)
    try:
        with pytest.raises(ServiceUnavailable) as told:
            await store.reader.unpublished(1)
        assert told.value.retry_after == 1
        with pytest.raises(ServiceUnavailable):
            await store.reader.tail(0, 1)
        with pytest.raises(ServiceUnavailable):
            await store.leases.acquire("one", "me", 1)
    finally:
        await allow(postgres, connections=True)
    assert await store.reader.unpublished(1) == []
