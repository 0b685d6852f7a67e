"""Pools of load balancer addresses come, change and go while the system runs."""

import asyncio

import msgspec
import pytest

from app.controllers.address_pools import AddressPools
from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.event import EVENT
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service import SERVICE
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.documents.encoding import decode_object, encode_body, wire_bytes
from app.domain.errors import Invalid
from app.domain.rules.address_pool import FINALIZER
from app.main.reconciler import memory_of
from app.mirror.entry import Change, Entry
from app.registry.options import WriteOptions
from app.registry.target import Target
from app.store.object_writes import write_of
from app.store.writes import Committed
from tests.controllers.world import running
from tests.e2e.waiting import eventually

INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
SUBNET = "service.beta.kubernetes.io/azure-load-balancer-internal-subnet"
IPV4 = "service.beta.kubernetes.io/azure-load-balancer-ipv4"

SMALL = {"internal_pool": "10.224.0.0/30", "external_pool": "198.18.0.0/30"}
"""Two addresses each."""


@pytest.fixture
async def world(database_url):
    async with running(database_url, **SMALL) as world, world.reconciling_everything():
        yield world


def pool(name, *addresses, scope="external", **spec):
    return {"metadata": {"name": name}, "spec": {"scope": scope, "addresses": list(addresses), **spec}}


def balanced(name, annotations=None, **spec):
    ports = [{"port": 80}]
    return {
        "metadata": {"name": name, "annotations": annotations or {}},
        "spec": {"type": "LoadBalancer", "ports": ports, **spec},
    }


def address(service):
    points = service.status.load_balancer.ingress or []
    return points[0].ip if points else None


def condition(obj, type_):
    return next((each for each in obj.status.conditions or [] if each.type == type_), None)


def counts(obj):
    return {each.family: (each.size, each.used, each.reserved, each.free) for each in obj.status.families or []}


async def given(world, name, **how):
    """The address that a new Service was given, None while it waits."""
    return address(await world.create(SERVICE, balanced(name, **how)))


async def fill(world):
    """Take both addresses of the external pool."""
    taken = [await given(world, f"fill-{number}") for number in range(2)]
    assert sorted(taken) == ["198.18.0.1", "198.18.0.2"]
    return taken


async def change(world, name, **spec):
    def apply(obj):
        for field, value in spec.items():
            setattr(obj.spec, field, value)

    return await world.change(ADDRESS_POOL, name, apply)


class TestTheFirstStart:
    async def test_the_pools_of_the_settings_are_objects(self, world):
        for name, addresses in (("internal", ["10.224.0.0/30"]), ("external", ["198.18.0.0/30"])):
            made = await world.becomes(ADDRESS_POOL, name, counts)
            assert (made.spec.scope, made.spec.addresses, made.spec.auto_assign) == (name, addresses, True)
            assert made.metadata.finalizers == [FINALIZER]
            assert condition(made, "Ready").status == "True"
            assert counts(made) == {"IPv4": (2, 0, 0, 2)}

    async def test_one_that_was_deleted_does_not_come_again(self, database_url):
        async with running(database_url, **SMALL) as world, world.reconciling_everything():
            await world.delete(ADDRESS_POOL, "external")
            await world.gone(ADDRESS_POOL, "external")
        async with running(database_url, internal_pool="10.224.0.0/29", external_pool="198.18.0.0/29") as again:
            assert await again.names(ADDRESS_POOL) == {"internal"}
            assert (await again.get(ADDRESS_POOL, "internal")).spec.addresses == ["10.224.0.0/30"]

    async def test_one_that_cannot_be_made_stops_nobody(self, database_url):
        async with running(database_url, **SMALL) as world:
            await world.create(ADDRESS_POOL, pool("mine", "10.3.0.0/24"))
        async with running(database_url, **SMALL) as world:
            assert await world.names(ADDRESS_POOL) == {"internal", "external", "mine"}


class TestGiving:
    async def test_a_pool_that_is_added_helps_those_that_wait(self, world):
        await fill(world)
        waiting = await world.create(SERVICE, balanced("waiting"))
        assert condition(waiting, "Allocated").reason == "PoolExhausted"
        await world.create(ADDRESS_POOL, pool("more", "198.19.0.7"))
        served = await world.becomes(SERVICE, "waiting", address)
        assert address(served) == "198.19.0.7"

    async def test_an_address_that_is_added_to_a_pool_helps_those_that_wait(self, world):
        await fill(world)
        assert await given(world, "waiting") is None
        await change(world, "external", addresses=["198.18.0.0/30", "198.18.9.9"])
        assert address(await world.becomes(SERVICE, "waiting", address)) == "198.18.9.9"

    async def test_a_namespace_that_gets_a_label_helps_those_that_wait(self, world):
        await change(world, "external", drain=True)
        selector = {"matchLabels": {"tier": "gold"}}
        await world.create(ADDRESS_POOL, pool("gold", "198.19.0.7", namespaceSelector=selector))
        waiting = await world.create(SERVICE, balanced("waiting"))
        assert 'pool "gold" does not admit the namespace default' in condition(waiting, "Allocated").message

        def label(namespace):
            namespace.metadata.labels = {**(namespace.metadata.labels or {}), "tier": "gold"}

        await world.change(NAMESPACE, "default", label)
        assert address(await world.becomes(SERVICE, "waiting", address)) == "198.19.0.7"

    async def test_by_name_and_alias_and_by_address(self, world):
        apps = pool("apps", "10.3.0.0/30", scope="internal", autoAssign=False, aliases=["subnet-apps"])
        await world.create(ADDRESS_POOL, apps)
        assert (await given(world, "nobody", annotations={INTERNAL: "true"})).startswith("10.224.0.")
        assert (await given(world, "by-name", annotations={INTERNAL: "true", SUBNET: "apps"})).startswith("10.3.0.")
        asked = {INTERNAL: "true", SUBNET: "subnet-apps"}
        assert (await given(world, "by-alias", annotations=asked)).startswith("10.3.0.")
        with pytest.raises(Invalid, match="must be a usable address of the pool"):
            await given(world, "elsewhere", annotations={**asked, IPV4: "10.224.0.2"})

    async def test_by_priority(self, world):
        await world.create(ADDRESS_POOL, pool("better", "198.19.0.7", priority=1))
        await world.create(ADDRESS_POOL, pool("worse", "198.19.1.7", priority=-1))
        found = [await given(world, f"web-{number}") for number in range(4)]
        assert found[0] == "198.19.0.7"
        assert sorted(found[1:3]) == ["198.18.0.1", "198.18.0.2"]
        assert found[3] == "198.19.1.7"

    async def test_nothing_of_a_drained_pool(self, world):
        kept = await given(world, "before")
        await change(world, "external", drain=True)
        waiting = await world.create(SERVICE, balanced("waiting"))
        assert address(waiting) is None
        assert 'pool "external" gives no addresses: spec.drain is true' in condition(waiting, "Allocated").message
        with pytest.raises(Invalid, match='pool "external" gives no addresses: spec'):
            await given(world, "asking", loadBalancerIP="198.18.0.2")
        drained = await world.becomes(ADDRESS_POOL, "external", lambda obj: condition(obj, "Ready").status == "False")
        assert condition(drained, "Ready").reason == "Draining"
        assert address(await world.get(SERVICE, "before")) == kept
        await change(world, "external", drain=False)
        await world.becomes(SERVICE, "waiting", address)

    async def test_a_released_address_rests(self, world):
        await world.create(ADDRESS_POOL, pool("slow", "10.3.0.1", scope="internal", reuseAfterSeconds=3600, priority=9))
        first = await given(world, "first", annotations={INTERNAL: "true"})
        assert first == "10.3.0.1"
        await world.delete(SERVICE, "first")
        resting = await world.becomes(ADDRESS_POOL, "slow", lambda obj: counts(obj) == {"IPv4": (1, 0, 1, 0)})
        assert condition(resting, "Ready").status == "True"
        assert (await given(world, "second", annotations={INTERNAL: "true"})).startswith("10.224.0.")
        assert await given(world, "asking", annotations={INTERNAL: "true", IPV4: "10.3.0.1"}) == "10.3.0.1"

    async def test_an_address_that_has_rested_is_given_to_who_waits(self, world):
        selector = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["shop"]}]}
        slow = pool("slow", "198.19.0.7", reuseAfterSeconds=2, priority=9, namespaceSelector=selector)
        await world.create(ADDRESS_POOL, slow)
        await world.create(NAMESPACE, {"metadata": {"name": "shop"}})
        await change(world, "external", drain=True)
        assert address(await world.create(SERVICE, balanced("first"), "shop")) == "198.19.0.7"
        await world.delete(SERVICE, "first", "shop")
        waiting = await world.create(SERVICE, balanced("second"), "shop")
        assert "0 of 1 are free in slow 198.19.0.7" in condition(waiting, "Allocated").message
        assert address(await world.becomes(SERVICE, "second", address, "shop")) == "198.19.0.7"

    async def test_a_namespace_that_loses_its_label_gets_no_more(self, world):
        await change(world, "external", drain=True)
        selector = {"matchLabels": {"tier": "gold"}}
        gold = pool("gold", "198.19.0.1-198.19.0.9", namespaceSelector=selector)
        await world.create(NAMESPACE, {"metadata": {"name": "shop", "labels": {"tier": "gold"}}})
        await world.create(ADDRESS_POOL, gold)
        kept = address(await world.create(SERVICE, balanced("one"), "shop"))
        assert kept.startswith("198.19.0.")

        def relabel(namespace):
            namespace.metadata.labels["tier"] = "iron"

        await world.change(NAMESPACE, "shop", relabel)
        assert address(await world.create(SERVICE, balanced("two"), "shop")) is None
        assert address(await world.get(SERVICE, "one", "shop")) == kept
        (described,) = [each for each in world.parts.cluster().pools if each.name == "gold"]
        assert described.namespaces == frozenset()

    async def test_a_preview_shows_what_a_new_pool_would_give(self, world):
        await world.create(ADDRESS_POOL, pool("better", "198.19.0.7", priority=1))
        service = msgspec.convert(balanced("web"), type=SERVICE.model)
        answer = await world.registry.create(Target(SERVICE, "default"), service, WriteOptions(dry_run=True))
        assert b"198.19.0.7" in answer.entry.wire


class TestCounting:
    async def test_of_each_family(self, world):
        await world.create(ADDRESS_POOL, pool("both", "198.19.0.0/24", "fd09::/64", exclude=["198.19.0.0/25"]))
        made = await world.becomes(ADDRESS_POOL, "both", counts)
        assert counts(made) == {"IPv4": (127, 0, 0, 127), "IPv6": (2**63 - 1, 0, 0, 2**63 - 1)}

    async def test_a_shared_address_counts_until_its_last_holder_is_gone(self, world):
        for name, port in (("one", 80), ("other", 81)):
            asked = {INTERNAL: "true", IPV4: "10.224.0.1"}
            await world.create(SERVICE, balanced(name, asked, ports=[{"port": port}]))
        await world.becomes(ADDRESS_POOL, "internal", lambda obj: counts(obj) == {"IPv4": (2, 1, 0, 1)})
        await world.delete(SERVICE, "one")
        assert await given(world, "third", annotations={INTERNAL: "true"}) == "10.224.0.2"
        await world.becomes(ADDRESS_POOL, "internal", lambda obj: counts(obj) == {"IPv4": (2, 2, 0, 0)})
        await world.delete(SERVICE, "other")
        await world.becomes(ADDRESS_POOL, "internal", lambda obj: counts(obj) == {"IPv4": (2, 1, 0, 1)})


class TestShrinking:
    async def test_is_refused_while_somebody_holds_what_would_go(self, world):
        await fill(world)
        with pytest.raises(Invalid) as refused:
            await change(world, "external", addresses=["198.18.0.1", "198.19.0.0/24"])
        (cause,) = refused.value.causes
        assert cause.field == "spec.addresses"
        assert "198.18.0.2 cannot be taken out of the pool while addresses of it are held, 1 in all" in cause.message
        (holder,) = [name for name in ("fill-0", "fill-1") if address(await world.get(SERVICE, name)) == "198.18.0.2"]
        assert f"198.18.0.2 by services default/{holder}" in cause.message
        with pytest.raises(Invalid, match=r"198\.18\.0\.2 cannot be taken out"):
            await change(world, "external", exclude=["198.18.0.2"])
        await world.delete(SERVICE, holder)
        await change(world, "external", addresses=["198.18.0.1", "198.19.0.0/24"])
        assert (await given(world, "next")).startswith("198.19.0.")

    async def test_names_the_first_ten_and_the_count(self, world):
        await world.create(ADDRESS_POOL, pool("large", "198.19.0.0/24", priority=5))
        await asyncio.gather(*(world.create(SERVICE, balanced(f"web-{number}")) for number in range(13)))
        with pytest.raises(Invalid) as refused:
            await change(world, "large", addresses=["198.20.0.0/24"])
        (cause,) = refused.value.causes
        assert "198.19.0.1-198.19.0.254 cannot be taken out" in cause.message
        assert "13 in all" in cause.message
        assert cause.message.count(" by services default/web-") == 10
        assert ", and 3 more;" in cause.message

    async def test_is_refused_in_a_dry_run_too(self, world):
        await fill(world)
        obj = await world.get(ADDRESS_POOL, "external")
        obj.spec.addresses = ["198.19.0.0/24"]
        with pytest.raises(Invalid, match="cannot be taken out"):
            await world.registry.update(Target(ADDRESS_POOL, name="external"), obj, WriteOptions(dry_run=True))

    async def test_other_changes_are_not_hindered(self, world):
        await fill(world)
        await change(world, "external", priority=7, aliases=["public"], addresses=["198.18.0.1-198.18.0.9"])
        assert (await world.get(ADDRESS_POOL, "external")).metadata.generation == 2


class TestGoing:
    async def test_waits_for_the_last_holder_and_says_who_that_is(self, world):
        await fill(world)
        await world.delete(ADDRESS_POOL, "external")
        going = await world.becomes(ADDRESS_POOL, "external", lambda obj: condition(obj, "Terminating"))
        told = condition(going, "Terminating")
        assert (told.status, told.reason) == ("True", "HoldersRemain")
        assert "held, 2 in all: 198.18.0.1 by services default/fill-" in told.message
        assert "by services default/fill-0" in told.message
        assert "by services default/fill-1" in told.message
        assert condition(going, "Ready").reason == "Terminating"
        waiting = await world.create(SERVICE, balanced("waiting"))
        assert 'pool "external" gives no addresses: it is being deleted' in condition(waiting, "Allocated").message
        await world.delete(SERVICE, "fill-0")
        left = await world.becomes(
            ADDRESS_POOL, "external", lambda obj: "held, 1 in all" in condition(obj, "Terminating").message
        )
        assert "fill-0" not in condition(left, "Terminating").message
        await world.delete(SERVICE, "fill-1")
        await world.gone(ADDRESS_POOL, "external")
        assert address(await world.get(SERVICE, "waiting")) is None

    async def test_one_that_nobody_needs_goes(self, world):
        await world.create(ADDRESS_POOL, pool("more", "198.19.0.0/24"))
        await world.delete(ADDRESS_POOL, "more")
        await world.gone(ADDRESS_POOL, "more")


class TestOverlapping:
    async def test_with_a_pool_or_a_range_is_refused_with_its_name(self, world):
        for addresses, owner in (
            (
                ["198.19.0.0/24", "198.18.0.0/24"],
                r'spec\.addresses\[1\]: .*overlaps the pool "external": both have 198\.18\.0',
            ),
            (["10.96.7.0/24"], r"overlaps the service range 10\.96\.0\.0/16: both have 10\.96\.7"),
        ):
            with pytest.raises(Invalid, match=owner):
                await world.create(ADDRESS_POOL, pool("mine", *addresses))
        with pytest.raises(Invalid, match='overlaps the pool "internal"'):
            await change(world, "external", addresses=["198.18.0.0/30", "10.224.0.0/29"])

    async def test_of_a_new_range_with_a_pool_is_refused(self, world):
        document = {"metadata": {"name": "more"}, "spec": {"cidrs": ["198.18.0.0/16"]}}
        with pytest.raises(Invalid, match='overlaps the pool "external"'):
            await world.create(SERVICE_CIDR, document)

    async def test_of_two_that_are_made_at_once_harms_nobody(self, world):
        made = await asyncio.gather(
            *(world.create(ADDRESS_POOL, pool(name, "198.19.0.1-198.19.0.2", priority=5)) for name in ("a", "b")),
            return_exceptions=True,
        )
        stored = [each for each in made if not isinstance(each, Exception)]
        assert stored
        found = [await given(world, f"web-{number}") for number in range(4)]
        assert sorted(found) == ["198.18.0.1", "198.18.0.2", "198.19.0.1", "198.19.0.2"]
        if len(stored) == 2:
            told = await world.becomes(ADDRESS_POOL, "b", lambda obj: condition(obj, "Ready"))
            assert condition(told, "Ready").reason == "Overlap"


async def test_events_name_the_pool_that_is_short(world):
    await fill(world)
    await given(world, "waiting")

    async def is_told():
        entries = world.parts.mirror.list(EVENT.key, "default")
        return any(b"0 of 2 are free in external 198.18.0.0/30" in entry.wire for entry in entries)

    await eventually(is_told)


class TestStrayAddresses:
    """An address that was given in the moment in which it left its pool stays with its holder, and that is shown."""

    async def store(self, world, name, *addresses):
        """As an update does that found nobody who holds what leaves."""
        obj = await world.get(ADDRESS_POOL, name)
        revision = int(obj.metadata.resource_version)
        obj.spec.addresses = list(addresses)
        obj.metadata.resource_version = None
        write = write_of(ADDRESS_POOL, "update", obj, encode_body(obj), world.parts.cluster(), expected=revision)
        return await world.parts.writer.write(write)

    async def moved(self, world, name, *addresses):
        while not isinstance(await self.store(world, name, *addresses), Committed):
            pass

    async def test_the_holder_is_told_until_a_pool_has_its_address_again(self, world):
        asked = {INTERNAL: "true", IPV4: "10.224.0.1"}
        for number, name in enumerate(("one", "other")):
            assert await given(world, name, annotations=asked, ports=[{"port": 80 + number}]) == "10.224.0.1"
        await self.moved(world, "internal", "10.224.0.2")
        for name in ("one", "other"):
            told = await world.becomes(SERVICE, name, lambda obj: condition(obj, "Allocated").reason == "OutsidePools")
            assert condition(told, "Allocated").status == "True"
            assert "no address pool has 10.224.0.1 any more" in condition(told, "Allocated").message
            assert address(told) == "10.224.0.1"
        with pytest.raises(Invalid, match="must be a usable address of the internal pools"):
            await given(world, "third", annotations=asked, ports=[{"port": 90}])
        await world.create(ADDRESS_POOL, pool("again", "10.224.0.1", scope="internal"))
        for name in ("one", "other"):
            await world.becomes(SERVICE, name, lambda obj: condition(obj, "Allocated").reason == "Allocated")
        await world.becomes(ADDRESS_POOL, "again", lambda obj: counts(obj) == {"IPv4": (1, 1, 0, 0)})


class TestSeveralProcesses:
    """Each has a mirror, pools and a registry of its own, on one database."""

    @pytest.fixture
    async def both(self, database_url):
        async with (
            running(database_url, **SMALL) as one,
            running(database_url, **SMALL) as other,
            one.reconciling_everything(),
        ):
            yield one, other

    async def test_what_one_did_the_other_knows_at_once(self, both):
        one, other = both
        for number in range(5):
            name, text = f"pool-{number}", f"198.19.{number}.1"
            await one.create(ADDRESS_POOL, pool(name, text, scope="internal", priority=number + 1))
            with pytest.raises(Invalid, match=f'overlaps the pool "{name}"'):
                await other.create(ADDRESS_POOL, pool("mine", text))
            asked = {INTERNAL: "true", IPV4: text}
            assert await given(other, f"asking-{number}", annotations=asked, ports=[{"port": 81}]) == text
            with pytest.raises(Invalid, match="cannot be taken out of the pool"):
                await change(one, name, addresses=["198.20.0.1"])
            await other.delete(SERVICE, f"asking-{number}")
            await change(one, name, drain=True)
            with pytest.raises(Invalid, match="gives no addresses"):
                await given(other, f"late-{number}", annotations=asked)

    async def test_a_pool_that_was_made_a_moment_ago_is_given_from(self, both):
        one, other = both
        await fill(one)
        for number in range(10):
            await one.create(ADDRESS_POOL, pool(f"pool-{number}", f"198.19.{number}.1"))
            assert await given(other, f"web-{number}") == f"198.19.{number}.1"

    async def test_what_was_released_a_moment_ago_is_given(self, both):
        one, other = both
        await fill(one)
        for number in range(10):
            await other.delete(SERVICE, f"fill-{number}")
            assert await given(one, f"fill-{number + 2}")


async def test_a_status_is_no_other_pool(world):
    before = world.parts.cluster().pools
    await given(world, "web")
    await world.becomes(ADDRESS_POOL, "external", lambda obj: counts(obj) == {"IPv4": (2, 1, 0, 1)})
    assert world.parts.cluster().pools is before


async def test_how_full_a_pool_is_gives_no_cause_to_look_again(world):
    parts = world.parts
    pools = AddressPools(parts.writer, parts.reader, parts.mirror, parts.cluster, memory_of(parts))
    await world.becomes(ADDRESS_POOL, "external", lambda each: each.status.families)
    entry = parts.mirror.get(ADDRESS_POOL.key, "", "external")

    def keys_after(change):
        changed = decode_object(ADDRESS_POOL, entry.wire)
        change(changed)
        revision = entry.revision + 1
        wire = wire_bytes(encode_body(changed), revision)
        after = Entry(entry.kind, entry.namespace, entry.name, entry.uid, revision, wire)
        return list(pools.keys_of([Change(revision, "MODIFIED", after, entry)]))

    assert keys_after(lambda each: setattr(each.status, "families", None)) == []
    assert keys_after(lambda each: setattr(each.spec, "drain", True)) == [("", "external"), ("", "internal")]
