import pytest

from tests.controllers.world import running
from tests.dns.answering import answering

DUAL_STACK = "10.96.0.0/16,fd00:10:96::/112"


@pytest.fixture
async def world(database_url):
    """A store, a mirror and the controllers of a reconciler at work, with Services of both families."""
    async with running(database_url, service_cidrs=DUAL_STACK) as world, world.reconciling_everything():
        yield world


@pytest.fixture
async def asked(world):
    """A DNS server over the world, to be asked."""
    async with answering(world) as server:
        yield server
