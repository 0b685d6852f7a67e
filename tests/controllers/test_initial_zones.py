"""The zones of the cluster and of its addresses come and go with ranges and pools."""

import pytest

from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.namespace import NAMESPACE
from app.domain.errors import Invalid
from tests.controllers.world import running
from tests.e2e.waiting import eventually

SMALL = {"internal_pool": "10.224.0.0/30", "external_pool": "198.18.0.0/30"}
INITIAL = {"cluster.local", "96.10.in-addr.arpa", "0.224.10.in-addr.arpa", "0.18.198.in-addr.arpa"}


@pytest.fixture
async def world(database_url):
    async with running(database_url, **SMALL) as world, world.reconciling_everything():
        yield world


def zone(name, **spec):
    return {"metadata": {"name": name}, "spec": {"name": name, "kind": "public", **spec}}


async def has_zones(world, names):
    async def is_so():
        return await world.names(DNS_ZONE) == names

    await eventually(is_so)


async def test_zones_follow_the_pools(world):
    await has_zones(world, INITIAL)
    for name, addresses in (("more", "203.0.113.0/28"), ("yet-more", "203.0.114.0/28")):
        await world.create(
            ADDRESS_POOL, {"metadata": {"name": name}, "spec": {"scope": "external", "addresses": [addresses]}}
        )
    plain, configured = "113.0.203.in-addr.arpa", "114.0.203.in-addr.arpa"
    await has_zones(world, INITIAL | {plain, configured})
    await world.change(DNS_ZONE, configured, lambda each: setattr(each.spec, "name_servers", ["ns.example"]))
    for name in ("more", "yet-more"):
        await world.delete(ADDRESS_POOL, name)
    # What somebody has configured stays.
    await has_zones(world, INITIAL | {configured})


async def test_a_zone_that_there_has_to_be_comes_back(world):
    await has_zones(world, INITIAL)
    before = await world.get(DNS_ZONE, "cluster.local")
    await world.delete(DNS_ZONE, "cluster.local")
    await world.becomes(DNS_ZONE, "cluster.local", lambda each: each.metadata.uid != before.metadata.uid)


async def test_who_may_have_names_in_a_zone(world):
    await world.create(NAMESPACE, {"metadata": {"name": "shop", "labels": {"team": "a"}}})
    await world.create(DNS_ZONE, zone("example.org", namespaceSelector={"matchLabels": {"team": "a"}}))
    await world.create(DNS_ZONE, zone("example.net", location="west"))

    async def admitted():
        await world.parts.mirror.fresh()
        return {
            each.name: {name for name in ("shop", "default") if each.admits(name)}
            for each in world.parts.cluster().zones
            if each.kind == "public"
        }

    assert await admitted() == {"example.org": {"shop"}, "example.net": {"shop", "default"}}
    await world.change(NAMESPACE, "default", lambda each: setattr(each.metadata, "labels", {"team": "a"}))
    await world.change(DNS_ZONE, "example.net", lambda each: setattr(each.spec, "location", ""))
    await world.delete(DNS_ZONE, "example.net")
    assert await admitted() == {"example.org": {"shop", "default"}}


async def test_two_zones_cannot_have_one_name(world):
    await world.create(DNS_ZONE, zone("example.org"))
    with pytest.raises(Invalid, match=r"the DNSZone .+ has this name"):
        await world.create(DNS_ZONE, {**zone("example.org"), "metadata": {"name": "again"}})
