"""A pool or a public zone is for the namespaces that its selector chooses, whoever writes and by whatever way."""

from dataclasses import replace

import msgspec
import pytest

from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service import SERVICE
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.documents.decoding import Strictness
from app.domain.errors import Invalid
from app.domain.patching.apply import Applying
from app.domain.patching.prepared import APPLY_PATCH, MERGE_PATCH, prepare_patch
from app.domain.rules.service.conditions import ALLOCATED, PUBLIC_NAMES, find_condition
from app.domain.rules.service.name_wish import HOSTNAME, shown_names
from app.domain.rules.service.public_names import DNS_LABEL
from app.registry.bulk_preparation import BulkOptions, RawItem
from tests.controllers.world import BY_US, running, target

GOLD = {"matchLabels": {"tier": "gold"}}
NAMED = "service.beta.kubernetes.io/azure-pip-name"
ADDITIONAL = "service.beta.kubernetes.io/azure-additional-public-ips"
PATCHING = {
    "strictness": Strictness.STRICT,
    "applying": Applying("tests", force=False, subresource="", now="2026-01-01T00:00:00Z"),
}
POOL = "metallb.universe.tf/address-pool"


@pytest.fixture
async def world(database_url):
    """A pool and a zone for the namespace `rich`, and nothing for the namespace `poor`."""
    async with running(database_url) as world, world.reconciling_everything():
        await world.change(ADDRESS_POOL, "external", lambda pool: setattr(pool.spec, "drain", True))
        await world.create(NAMESPACE, {"metadata": {"name": "rich", "labels": {"tier": "gold"}}})
        await world.create(NAMESPACE, {"metadata": {"name": "poor"}})
        spec = {"scope": "external", "addresses": ["198.19.0.0/28"], "namespaceSelector": GOLD}
        await world.create(ADDRESS_POOL, {"metadata": {"name": "gold"}, "spec": spec})
        zone = {"name": "example.org", "kind": "public", "location": "west", "namespaceSelector": GOLD}
        await world.create(DNS_ZONE, {"metadata": {"name": "org"}, "spec": zone})
        yield world


def balanced(name, annotations=None, **spec):
    return {
        "metadata": {"name": name, "annotations": annotations or {}},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], **spec},
    }


def ingress(service):
    return [point.ip for point in service.status.load_balancer.ingress or []]


def body(document, namespace):
    whole = {"apiVersion": "v1", "kind": "Service", **document}
    whole["metadata"] = {**document["metadata"], "namespace": namespace}
    return msgspec.json.encode(whole)


async def created(world, document, namespace):
    await world.create(SERVICE, document, namespace)


async def applied(world, document, namespace):
    patch = prepare_patch(SERVICE, APPLY_PATCH, body(document, namespace), **PATCHING)
    await world.registry.patch(target(SERVICE, namespace, document["metadata"]["name"]), patch, BY_US)


async def in_bulk(world, document, namespace):
    options = BulkOptions(replace(BY_US, field_manager="tests"), Strictness.STRICT)
    await world.registry.apply([RawItem(body(document, namespace))], options)


async def changed(world, document, namespace):
    """First a Service that asks for nothing, then a merge patch."""
    name = document["metadata"]["name"]
    plain = {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}}
    await world.create(SERVICE, plain, namespace)
    patch = prepare_patch(SERVICE, MERGE_PATCH, msgspec.json.encode(document), **PATCHING)
    await world.registry.patch(target(SERVICE, namespace, name), patch, BY_US)


WAYS = [created, changed, applied, in_bulk]


@pytest.mark.parametrize("way", WAYS)
async def test_a_pool_gives_nothing_to_other_namespaces(world, way):
    asks = {
        "any": balanced("any"),
        "pool": balanced("pool", {POOL: "gold"}),
        "address": balanced("address", loadBalancerIP="198.19.0.5"),
        "additional": balanced("additional", {ADDITIONAL: "198.19.0.6"}),
    }
    for name, document in asks.items():
        message = ""
        try:
            await way(world, document, "poor")
        except Invalid as error:
            message = error.message
        service = await world.get(SERVICE, name, "poor")
        if not message:
            assert ingress(service) == []
            message = find_condition(service, ALLOCATED).message
        assert 'pool "gold" does not admit the namespace poor' in message, name
    for name in ("additional", "any", "pool"):
        await way(world, asks[name], "rich")
        assert ingress(await world.get(SERVICE, name, "rich"))
    with pytest.raises(Invalid, match="does not admit the namespace poor"):
        await world.create(STATIC_ADDRESS, {"metadata": {"name": "mine"}, "spec": {"pool": "gold"}}, "poor")


async def test_an_address_is_not_shared_beyond_its_pool(world):
    spec = {"pool": "gold", "sharedWith": ["*"]}
    front = await world.create(STATIC_ADDRESS, {"metadata": {"name": "front"}, "spec": spec}, "rich")
    shared = balanced("shared", {NAMED: "rich/front"})
    with pytest.raises(Invalid, match='an address of the pool "gold", which does not admit the namespace poor'):
        await world.create(SERVICE, shared, "poor")
    await world.create(SERVICE, balanced("later", {NAMED: "rich/back"}), "poor")
    await world.create(STATIC_ADDRESS, {"metadata": {"name": "back"}, "spec": spec}, "rich")
    told = await world.becomes(
        SERVICE, "later", lambda each: "does not admit" in find_condition(each, ALLOCATED).message, "poor"
    )
    assert ingress(told) == []
    await world.change(NAMESPACE, "poor", lambda each: setattr(each.metadata, "labels", {"tier": "gold"}))
    await world.becomes(SERVICE, "later", ingress, "poor")
    assert ingress(await world.create(SERVICE, shared, "poor")) == [front.status.address]
    # What a namespace has it keeps without the label.
    await world.change(NAMESPACE, "poor", lambda each: setattr(each.metadata, "labels", None))
    kept = await world.change(
        SERVICE, "shared", lambda each: setattr(each.spec, "session_affinity", "ClientIP"), "poor"
    )
    assert ingress(kept) == [front.status.address]


async def test_a_label_that_is_taken_away_counts_at_once(world):
    for number in range(10):
        for labels in ({"tier": "gold"}, None):
            await world.change(NAMESPACE, "poor", lambda each, to=labels: setattr(each.metadata, "labels", to))
            name = f"web-{number}-{'with' if labels else 'without'}"
            service = await world.create(SERVICE, balanced(name), "poor")
            assert bool(ingress(service)) is bool(labels)
        await world.delete(SERVICE, f"web-{number}-with", "poor")


@pytest.mark.parametrize("way", WAYS)
async def test_a_zone_gives_no_names_to_other_namespaces(world, way):
    await world.change(ADDRESS_POOL, "external", lambda pool: setattr(pool.spec, "drain", False))
    document = balanced("web", {DNS_LABEL: "www", HOSTNAME: "shop.example.org"})
    await way(world, document, "poor")
    told = await world.becomes(SERVICE, "web", lambda each: find_condition(each, PUBLIC_NAMES), "poor")
    assert "does not admit the namespace poor" in find_condition(told, PUBLIC_NAMES).message
    assert shown_names(told) == ()
    # Nor does it keep them from those who may have them.
    await way(world, document, "rich")
    both = {"www.west.example.org", "shop.example.org"}
    await world.becomes(SERVICE, "web", lambda each: set(shown_names(each)) == both, "rich")
    labelled = {"metadata": {"name": "it"}, "spec": {"pool": "internal", "dnsLabel": "api"}}
    with pytest.raises(Invalid, match="no DNSZone with a location admits the namespace poor"):
        await world.create(STATIC_ADDRESS, labelled, "poor")
    await world.create(STATIC_ADDRESS, labelled, "rich")
