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


@pytest.fixture
async def second_store(database_url: str) -> AsyncIterator[Store]:
    """The store of another process."""
    second = Store(database_url)
    await second.start()
    yield second
    await second.close()


@pytest.fixture
async def bounded_store(database_url: str) -> AsyncIterator[Store]:
    """A store in which a namespace may have three objects."""
    store = Store(database_url, ceiling=3)
    await store.start()
    yield store
    await store.close()
