"""A server whose reconciler runs, and a client that makes load balancers there."""

import json

import httpx
import pytest

from tests.api.balancing.client import GROUP, Client
from tests.api.conftest import serving
from tests.api.objects import SERVICES
from tests.conftest import empty
from tests.controllers.world import running
from tests.e2e.waiting import eventually

RANGES = {
    "service_cidrs": "10.96.0.0/16,fd00:10:96::/112",
    "internal_pool": "10.224.0.0/24,fd00:224::/112",
    "external_pool": "20.50.0.0/24,2603:1020:200::/112",
}
TAGS = {"values": [{"name": "AzureCloud", "properties": {"addressPrefixes": ["13.64.0.0/16", "2603:1000::/24"]}}]}


@pytest.fixture(scope="module")
async def url(migrated_url, tmp_path_factory):
    """The URL of an API, with everything behind it that makes load balancers."""
    await empty(migrated_url)
    tags = tmp_path_factory.mktemp("tags") / "tags.json"
    tags.write_text(json.dumps(TAGS))
    async with (
        running(migrated_url, service_tags=tags, **RANGES) as world,
        world.reconciling_everything(),
        serving(world.registry) as (url, _),
    ):
        yield url


@pytest.fixture
async def lb(url):
    """A client of a server that has no Services, and whose addresses are all free."""
    statics = f"{GROUP}/namespaces/default/staticaddresses"
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        assert (await http.delete(SERVICES)).is_success
        assert (await http.delete(statics)).is_success

        async def none_is_kept():
            return not (await http.get(statics)).json()["items"]

        await eventually(none_is_kept)
        assert (await http.delete("/api/v1/namespaces/default/events")).is_success
        yield Client(http)
