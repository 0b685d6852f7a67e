import pytest

from tests.controllers.world import running


@pytest.fixture
async def world(database_url):
    async with running(database_url) as world:
        yield world
