"""Public names come and go with zones, namespaces and Services, and each has one holder."""

from ipaddress import ip_address

import pytest

from app.domain.declarations.dns_record_set import DNS_RECORD_SET
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service import SERVICE
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.kinds.meta import LabelSelector
from app.domain.rules.service.conditions import PUBLIC_NAMES, find_condition
from app.domain.rules.service.name_wish import HOSTNAME, INTERNAL_HOSTNAME, TARGET, TIME_TO_LIVE, shown_names
from app.domain.rules.service.public_names import DNS_LABEL
from tests.controllers.world import running
from tests.dns.answering import answering

ZONE = {"metadata": {"name": "org"}, "spec": {"name": "example.org", "kind": "public", "location": "west"}}


@pytest.fixture
async def world(database_url):
    async with running(database_url) as world, world.reconciling_everything():
        yield world


def balanced(name, annotations, **spec):
    return {
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], **spec},
    }


async def named(world, name, *names, namespace="default"):
    """Wait until a Service has exactly these names; answers it."""
    return await world.becomes(SERVICE, name, lambda each: shown_names(each) == names, namespace)


async def told(world, name, text, namespace="default"):
    """Wait until the condition of a Service says something; answers the Service."""

    def says_so(service):
        condition = find_condition(service, PUBLIC_NAMES)
        return condition is not None and condition.status == "False" and text in condition.message

    return await world.becomes(SERVICE, name, says_so, namespace)


def annotate(key, value):
    def change(service):
        annotations = dict(service.metadata.annotations or {})
        annotations[key] = value
        service.metadata.annotations = {name: text for name, text in annotations.items() if text is not None}

    return change


async def test_a_label_has_one_holder_and_the_next_gets_it_when_it_is_free(world):
    await world.create(DNS_ZONE, ZONE)
    await world.create(NAMESPACE, {"metadata": {"name": "other"}})
    await world.create(SERVICE, balanced("one", {DNS_LABEL: "shop"}))
    await named(world, "one", "shop.west.example.org")
    await world.create(SERVICE, balanced("two", {DNS_LABEL: "shop"}), "other")
    await told(world, "two", 'the label "shop" is taken by the Service "default/one"', "other")
    # An annotation that goes leaves the label alone.
    await world.change(SERVICE, "one", annotate(DNS_LABEL, None))
    await named(world, "one", "shop.west.example.org")
    await world.change(SERVICE, "one", annotate(DNS_LABEL, ""))
    await named(world, "one")
    await named(world, "two", "shop.west.example.org", namespace="other")
    await world.delete(SERVICE, "two", "other")
    await world.change(SERVICE, "one", annotate(DNS_LABEL, "shop"))
    await named(world, "one", "shop.west.example.org")


async def test_a_hostname_has_one_holder(world):
    await world.create(DNS_ZONE, ZONE)
    for name in ("one", "two"):
        await world.create(SERVICE, balanced(name, {HOSTNAME: f"www.example.org,{name}.example.org"}))
    await named(world, "one", "www.example.org", "one.example.org")
    await told(world, "two", 'www.example.org is taken by the Service "default/one"')
    await named(world, "two", "two.example.org")
    await world.delete(SERVICE, "one")
    await named(world, "two", "www.example.org", "two.example.org")


async def test_names_follow_the_zones_and_who_may_use_them(world):
    await world.create(SERVICE, balanced("web", {DNS_LABEL: "shop", HOSTNAME: "www.example.org"}))
    await told(world, "web", "www.example.org is in no public DNSZone")
    await world.create(DNS_ZONE, ZONE)
    await named(world, "web", "shop.west.example.org", "www.example.org")
    await world.change(DNS_ZONE, "org", lambda each: setattr(each.spec, "location", "east"))
    await named(world, "web", "shop.east.example.org", "www.example.org")
    selector = LabelSelector(match_labels={"team": "a"})
    await world.change(DNS_ZONE, "org", lambda each: setattr(each.spec, "namespace_selector", selector))
    await told(world, "web", 'the DNSZone "org" does not admit the namespace default')
    await named(world, "web")
    await world.change(NAMESPACE, "default", lambda each: setattr(each.metadata, "labels", {"team": "a"}))
    await named(world, "web", "shop.east.example.org", "www.example.org")
    await world.delete(DNS_ZONE, "org")
    await named(world, "web")


async def test_the_records_of_public_names(world):
    await world.create(DNS_ZONE, ZONE)
    made = await world.create(SERVICE, balanced("web", {HOSTNAME: "www.example.org,example.org", TIME_TO_LIVE: "2m"}))
    await world.create(SERVICE, balanced("in", {INTERNAL_HOSTNAME: "in.example.org"}, type="ClusterIP"))
    await world.create(SERVICE, balanced("to", {HOSTNAME: "to.example.org", TARGET: "lb.example.com"}))
    await named(world, "web", "www.example.org", "example.org")
    inner = await named(world, "in", "in.example.org")
    await named(world, "to", "to.example.org")
    address = made.status.load_balancer.ingress[0].ip
    pointer = ".".join(reversed(address.split(".")))
    async with answering(world) as server:
        await server.becomes("www.example.org.", "A", [address])
        assert await server.values("example.org.", "A") == [address]
        assert await server.values("example.org.", "NS") == ["ns.dns.example.org."]
        assert await server.values("in.example.org.", "A") == [inner.spec.cluster_ip]
        assert await server.values("to.example.org.", "CNAME") == ["lb.example.com."]
        assert await server.values(f"{pointer}.in-addr.arpa.", "PTR") == ["example.org.", "www.example.org."]
        answer = await server.ask("www.example.org.", "A")
        assert answer.answer[0].ttl == 120
        await world.delete(SERVICE, "web")
        await server.becomes("www.example.org.", "A", None)
        assert await server.values(f"{pointer}.in-addr.arpa.", "PTR") is None
    alias = await world.get(DNS_RECORD_SET, "to.public.cname.to.example.org")
    assert (alias.spec.name, alias.spec.ttl, alias.spec.values) == ("to.example.org.", 60, ["lb.example.com."])


async def test_the_label_of_a_static_address(world):
    await world.create(DNS_ZONE, ZONE)
    await world.create(STATIC_ADDRESS, {"metadata": {"name": "kept"}, "spec": {"pool": "external", "dnsLabel": "shop"}})
    kept = await world.becomes(STATIC_ADDRESS, "kept", lambda each: each.status.fqdn == "shop.west.example.org")
    pointer = f"{ip_address(kept.status.address).reverse_pointer}."
    await world.create(SERVICE, balanced("web", {DNS_LABEL: "shop"}))
    await told(world, "web", 'the label "shop" is taken by the StaticAddress "default/kept"')
    kind = "AAAA" if ":" in kept.status.address else "A"
    async with answering(world) as server:
        await server.becomes("shop.west.example.org.", kind, [kept.status.address])
        assert await server.values(pointer, "PTR") == ["shop.west.example.org."]
        await world.delete(STATIC_ADDRESS, "kept")
        await world.gone(STATIC_ADDRESS, "kept")
        await named(world, "web", "shop.west.example.org")
        await server.becomes(pointer, "PTR", None)
