from contextlib import asynccontextmanager

import pytest

from app.mirror.mirror import Mirror
from app.store.store import Store
from tests.mirror.slow_reader import Silence, SlowReader
from tests.mirror.world import make_namespaces


@asynccontextmanager
async def running_store(url):
    store = Store(url)
    await store.start()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def running_mirror(store, **options):
    mirror = Mirror(store.reader, store.notifications, **options)
    await mirror.start()
    try:
        yield mirror
    finally:
        await mirror.close()


@pytest.fixture
async def store(database_url):
    """A store with two namespaces in it."""
    async with running_store(database_url) as store:
        await make_namespaces(store.writer)
        yield store


@pytest.fixture
async def mirror(store):
    async with running_mirror(store) as mirror:
        yield mirror


@pytest.fixture
async def reader(store):
    reader = SlowReader(store.database)
    yield reader
    await reader.close()


@pytest.fixture
async def quiet(reader):
    """A mirror that fetches when it is asked to, and once a second."""
    mirror = Mirror(reader, Silence())
    await mirror.start()
    await mirror.fresh()
    yield mirror
    await mirror.close()
