"""A running store for each test."""

from collections.abc import AsyncIterator

import pytest

from app.store.store import Store


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    store = Store(database_url)
    await store.start()
    yield store
    await store.close()
