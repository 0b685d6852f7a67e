"""IPAddresses and DNSRecordSets: computed from Services, and from what belongs to these, on get, list and watch."""

import random
from contextlib import contextmanager

import pytest

from app.domain.declarations.dns_record_set import DNS_RECORD_SET
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.ip_address import IP_ADDRESS
from app.domain.declarations.load_balancer import LOAD_BALANCER
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object
from app.domain.errors import AlreadyExists, ApiError, Expired, Forbidden, NotFound
from app.domain.kinds.endpoint_slice import Endpoint, EndpointConditions
from app.domain.patching.prepared import Patch
from app.registry.options import DeleteOptions, ListOptions, WatchOptions, WriteOptions
from app.registry.target import Target
from tests.e2e.waiting import eventually


def service(name, *ips, **spec):
    spec = {"clusterIP": ips[0], "clusterIPs": list(ips), **spec} if ips else {"clusterIP": "None", **spec}
    return {"metadata": {"name": name}, "spec": {"ports": [{"name": "http", "port": 80}], **spec}}


def slice_of(name, service, *addresses, **fields):
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [each], "conditions": {"ready": True}} for each in addresses],
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        **fields,
    }


def reservation(address):
    return {"metadata": {"name": address}, "spec": {"parentRef": {"resource": "gateways", "name": "mine"}}}


class Seen:
    """What a watcher holds: the objects by place, and a check that each event fits what came before."""

    def __init__(self, watch, kind):
        self._watch = watch
        self._kind = kind
        self.objects = {}
        self.types = []
        self._revision = 0

    async def read(self):
        for event in await self._watch.next(0.05):
            self._take(event)

    def _take(self, event):
        obj = decode_object(self._kind, event.entry.wire)
        place = (event.entry.namespace, event.entry.name)
        assert event.revision >= self._revision
        self._revision = event.revision
        assert (place in self.objects) is (event.type != "ADDED"), (event.type, place)
        self.types.append(event.type)
        if event.type == "DELETED":
            assert obj.metadata.resource_version == str(event.revision)
            del self.objects[place]
        else:
            self.objects[place] = _content(obj)


def _content(obj):
    """An object without its revision."""
    obj.metadata.resource_version = None
    return obj


@contextmanager
def closing(watch):
    try:
        yield watch
    finally:
        watch.close()


async def watching(world, kind, namespace="default", **options):
    return await world.registry.watch(Target(kind, namespace if kind.namespaced else None), WatchOptions(**options))


async def listed(world, kind, namespace="default", **options):
    page = await world.registry.list(Target(kind, namespace if kind.namespaced else None), ListOptions(**options))
    return {(each.namespace, each.name): _content(decode_object(kind, each.wire)) for each in page.entries}


async def values(world, name):
    found = await world.get(DNS_RECORD_SET, name)
    return None if found is None else found.spec.values


async def shows(world, seen, kind):
    """Wait until a watcher holds what a list shows."""

    async def is_so():
        await seen.read()
        return seen.objects == await listed(world, kind)

    await eventually(is_so)


async def test_each_cluster_ip_is_an_address(world):
    await world.create(SERVICE, service("web", "10.96.0.10"))
    found = await world.get(IP_ADDRESS, "10.96.0.10")
    parent = found.spec.parent_ref
    assert (parent.resource, parent.namespace, parent.name) == ("services", "default", "web")
    assert found.metadata.labels["ipaddress.kubernetes.io/managed-by"] == "ipallocator.k8s.io"
    assert list(await listed(world, IP_ADDRESS)) == [("", "10.96.0.10")]
    chosen = "ipaddress.kubernetes.io/ip-family=IPv6"
    assert await listed(world, IP_ADDRESS, label_selector=chosen) == {}
    for absent in ("10.96.0.11", "web", "10.96.0.010", "fd00::"):
        with pytest.raises(NotFound):
            await world.registry.get(Target(IP_ADDRESS, name=absent))


async def test_an_address_of_a_service_changes_only_with_it(world):
    await world.create(SERVICE, service("web", "10.96.0.10"))
    with pytest.raises(AlreadyExists):
        await world.create(IP_ADDRESS, reservation("10.96.0.10"))
    with pytest.raises(Forbidden, match="what services default/web holds"):
        await world.delete(IP_ADDRESS, "10.96.0.10")
    found = await world.get(IP_ADDRESS, "10.96.0.10")
    with pytest.raises(Forbidden):
        await world.registry.update(Target(IP_ADDRESS, name="10.96.0.10"), found, WriteOptions())
    patch = Patch(lambda document: document, lambda document: (document, []))
    with pytest.raises(Forbidden):
        await world.registry.patch(Target(IP_ADDRESS, name="10.96.0.10"), patch, WriteOptions())
    await world.delete(SERVICE, "web")
    with pytest.raises(NotFound):
        await world.delete(IP_ADDRESS, "10.96.0.10")


async def test_an_address_by_hand_is_stored_beside_them(world):
    await world.create(SERVICE, service("web", "10.96.0.10"))
    made = await world.create(IP_ADDRESS, reservation("10.96.0.11"))
    await world.create(IP_ADDRESS, reservation("192.0.2.1"))
    assert await world.get(IP_ADDRESS, "10.96.0.11") == made
    assert list(await listed(world, IP_ADDRESS)) == [("", "10.96.0.10"), ("", "10.96.0.11"), ("", "192.0.2.1")]
    with pytest.raises(AlreadyExists):
        await world.create(IP_ADDRESS, reservation("10.96.0.11"))
    with pytest.raises(ApiError, match="already allocated"):
        await world.create(SERVICE, service("other", "10.96.0.11"))
    labelled = await world.change(IP_ADDRESS, "10.96.0.11", lambda obj: setattr(obj.metadata, "labels", {"a": "b"}))
    assert labelled.metadata.labels == {"a": "b"}
    await world.registry.delete_collection(Target(IP_ADDRESS), ListOptions(), DeleteOptions())
    assert list(await listed(world, IP_ADDRESS)) == [("", "10.96.0.10")]
    assert (await world.create(SERVICE, service("other", "10.96.0.11"))).spec.cluster_ip == "10.96.0.11"


async def test_pages_go_through_computed_and_stored_ones_in_order(world):
    for number in range(10, 16):
        address = f"10.96.0.{number}"
        if number % 2:
            await world.create(SERVICE, service(f"s-{number}", address))
        else:
            await world.create(IP_ADDRESS, reservation(address))
    token, names = "", []
    while True:
        page = await world.registry.list(Target(IP_ADDRESS, None), ListOptions(limit=4, continue_token=token))
        names += [entry.name for entry in page.entries]
        token = page.continue_token
        if not token:
            break
        # What comes later is not on later pages: they show one moment.
        await world.create(SERVICE, service(f"late-{len(names)}", f"10.96.0.{100 + len(names)}"))
    assert names == [f"10.96.0.{number}" for number in range(10, 16)]


@pytest.mark.parametrize(
    ("kind", "namespace"), [(DNS_RECORD_SET, "default"), (LOAD_BALANCER, "default"), (IP_ADDRESS, None)]
)
async def test_a_list_of_one_name_shows_what_the_whole_list_shows(world, kind, namespace):
    """Of any moment, whether the objects are computed or stored."""
    await world.create(SERVICE, service("db"))
    moments = [await world.parts.mirror.fresh()]
    await world.create(ENDPOINT_SLICE, slice_of("db-1", "db", "172.16.0.1"))
    await world.create(SERVICE, service("web", "10.96.0.10", type="LoadBalancer"))
    moments.append(await world.parts.mirror.fresh())
    await world.create(ENDPOINT_SLICE, slice_of("db-2", "db", "172.16.0.3"))
    await world.create(IP_ADDRESS, reservation("10.96.0.11"))
    await world.delete(SERVICE, "web")
    moments.append(await world.parts.mirror.fresh())

    async def entries(moment, selector=""):
        options = ListOptions(resource_version=str(moment), resource_version_match="Exact", field_selector=selector)
        page = await world.registry.list(Target(kind, namespace), options)
        return {each.name: (each.revision, each.wire) for each in page.entries}

    whole = [await entries(moment) for moment in moments]
    names = {name for found in whole for name in found}
    for moment, found in zip(moments, whole, strict=True):
        for name in names:
            assert await entries(moment, f"metadata.name={name}") == {
                each: found[each] for each in found if each == name
            }
    assert len({len(found) for found in whole}) > 1


async def test_a_watch_sees_addresses_of_both_kinds(world):
    await world.create(SERVICE, service("web", "10.96.0.10"))
    with closing(await watching(world, IP_ADDRESS)) as watch:
        seen = Seen(watch, IP_ADDRESS)
        await world.create(IP_ADDRESS, reservation("10.96.0.11"))
        await world.create(SERVICE, service("other", "10.96.0.12"))
        await shows(world, seen, IP_ADDRESS)
        await world.change(SERVICE, "web", lambda obj: setattr(obj.metadata, "labels", {"a": "b"}))
        await world.delete(SERVICE, "other")
        await world.delete(IP_ADDRESS, "10.96.0.11")
        await shows(world, seen, IP_ADDRESS)
        assert seen.types == ["ADDED", "ADDED", "ADDED", "DELETED", "DELETED"]


async def test_a_headless_service_has_the_records_of_its_ready_endpoints(world):
    await world.create(SERVICE, service("db"))
    assert await values(world, "db.a") is None
    await world.create(ENDPOINT_SLICE, slice_of("db-1", "db", "172.16.0.1", "172.16.0.2"))
    await world.create(ENDPOINT_SLICE, slice_of("db-2", "db", "172.16.0.3"))
    await world.create(ENDPOINT_SLICE, slice_of("web-1", "web", "172.16.0.9"))
    await world.create(SERVICE, service("web", "10.96.0.10"))
    assert await values(world, "db.a") == ["172.16.0.1", "172.16.0.2", "172.16.0.3"]
    assert await values(world, "db.a.172-16-0-3") == ["172.16.0.3"]
    assert await values(world, "web.a") == ["10.96.0.10"]
    names = [name for _, name in await listed(world, DNS_RECORD_SET)]
    assert names == sorted(names)
    assert {"db.a", "db.srv.http.tcp", "db.ptr.172-16-0-1", "web.a", "web.srv.http.tcp"} < set(names)
    await world.change(ENDPOINT_SLICE, "db-2", make_unready)
    assert await values(world, "db.a") == ["172.16.0.1", "172.16.0.2"]
    await world.delete(ENDPOINT_SLICE, "db-1")
    assert await values(world, "db.a") is None


def make_unready(slice_):
    for endpoint in slice_.endpoints:
        endpoint.conditions = EndpointConditions(ready=False)


async def test_a_watch_of_records_follows_services_and_slices(world):
    await world.create(ENDPOINT_SLICE, slice_of("early", "db", "172.16.0.1"))
    with closing(await watching(world, DNS_RECORD_SET)) as watch:
        seen = Seen(watch, DNS_RECORD_SET)
        await seen.read()
        assert seen.objects == {}
        await world.create(SERVICE, service("db"))
        await shows(world, seen, DNS_RECORD_SET)
        await world.create(ENDPOINT_SLICE, slice_of("late", "db", "172.16.0.2"))
        await shows(world, seen, DNS_RECORD_SET)
        await world.change(ENDPOINT_SLICE, "late", lambda obj: obj.metadata.labels.update({"note": "x"}))
        await world.change(ENDPOINT_SLICE, "late", make_unready)
        await shows(world, seen, DNS_RECORD_SET)
        # A slice may change hands.
        await world.create(SERVICE, service("other"))
        await world.change(ENDPOINT_SLICE, "early", hand_over("other"))
        await shows(world, seen, DNS_RECORD_SET)
        assert ("default", "other.a") in seen.objects
        await world.delete(SERVICE, "other")
        await shows(world, seen, DNS_RECORD_SET)
        assert seen.objects == {}


def hand_over(name):
    def change(slice_):
        slice_.metadata.labels["kubernetes.io/service-name"] = name

    return change


async def test_a_watch_resumes_where_another_ended(world):
    await world.create(SERVICE, service("db"))
    page = await world.registry.list(Target(DNS_RECORD_SET, "default"), ListOptions())
    await world.create(ENDPOINT_SLICE, slice_of("one", "db", "172.16.0.1"))
    await world.create(ENDPOINT_SLICE, slice_of("two", "db", "172.16.0.2"))
    await world.change(ENDPOINT_SLICE, "one", make_unready)
    with closing(await watching(world, DNS_RECORD_SET, resource_version=str(page.revision))) as watch:
        seen = Seen(watch, DNS_RECORD_SET)
        await shows(world, seen, DNS_RECORD_SET)
        assert "DELETED" in seen.types


@pytest.mark.parametrize("kind", [IP_ADDRESS, DNS_RECORD_SET], ids=lambda kind: kind.plural)
async def test_a_watch_ends_when_everything_is_read_anew(world, kind):
    with closing(await watching(world, kind, resource_version="0")) as watch:
        await watch.next(0.05)
        world.parts.mirror._loaded = False
        await world.parts.mirror.fresh()
        with pytest.raises(Expired):
            await watch.next(5)


@pytest.mark.parametrize("seed", range(3))
async def test_after_many_random_changes_every_watcher_holds_what_a_list_shows(world, seed):
    chance = random.Random(seed)
    addresses, records = await watching(world, IP_ADDRESS), await watching(world, DNS_RECORD_SET)
    seen = [Seen(addresses, IP_ADDRESS), Seen(records, DNS_RECORD_SET)]
    names, free = [f"s-{number}" for number in range(6)], [f"10.96.0.{number}" for number in range(10, 30)]
    for step in range(120):
        await random_step(world, chance, names, free, step)
        if step % 10 == 0:
            for each in seen:
                await each.read()
    await shows(world, seen[0], IP_ADDRESS)
    await shows(world, seen[1], DNS_RECORD_SET)
    for (_, name), content in seen[0].objects.items():
        assert _content(await world.get(IP_ADDRESS, name)) == content
    for (_, name), content in seen[1].objects.items():
        assert _content(await world.get(DNS_RECORD_SET, name)) == content
    for each in (addresses, records):
        each.close()


async def random_step(world, chance, names, free, step):
    name, address = chance.choice(names), chance.choice(free)
    slices = sorted(await world.names(ENDPOINT_SLICE))
    doing = chance.choice(["create", "create", "delete", "reserve", "release", "slice", "slice", "unready", "unslice"])
    try:
        if doing == "create":
            await world.create(SERVICE, service(name, *chance.choice([[], [], [address]])))
        elif doing == "delete":
            await world.delete(SERVICE, name)
        elif doing == "reserve":
            await world.create(IP_ADDRESS, reservation(address))
        elif doing == "release":
            await world.delete(IP_ADDRESS, address)
        elif doing == "slice":
            await world.create(ENDPOINT_SLICE, slice_of(f"slice-{step}", name, f"172.16.0.{step}"))
        elif slices and doing == "unready":
            await world.change(ENDPOINT_SLICE, chance.choice(slices), grow(step))
        elif slices:
            await world.delete(ENDPOINT_SLICE, chance.choice(slices))
    except ApiError as refused:
        if refused.code not in (403, 404, 409, 422):
            raise


def grow(step):
    def change(slice_):
        endpoint = Endpoint(addresses=[f"172.16.1.{step}"], conditions=EndpointConditions(ready=step % 2 == 0))
        slice_.endpoints = [*slice_.endpoints, endpoint]

    return change
