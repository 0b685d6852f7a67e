"""StaticAddresses outlive the Services that use them, and are shared as they say."""

import msgspec
import pytest

from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.event import EVENT
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service import SERVICE
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.errors import Forbidden, Invalid
from app.registry.options import WriteOptions
from app.registry.target import Target
from tests.controllers.load_balancing import (
    INTERNAL,
    IPV4,
    NAME,
    WHOLE,
    address,
    annotate,
    balanced,
    condition,
    given,
    kept,
    pool,
    reason,
    static,
)
from tests.controllers.world import running

SMALL = {"internal_pool": "10.224.0.0/29", "external_pool": "198.18.0.0/29", "service_cidrs": "10.96.0.0/16"}


@pytest.fixture
async def world(database_url):
    async with running(database_url, **SMALL) as world, world.reconciling_everything():
        yield world


def users(obj):
    return [f"{each.namespace}/{each.name}" for each in obj.status.used_by or []]


async def change(world, name, **spec):
    def apply(obj):
        for field, value in spec.items():
            setattr(obj.spec, field, value)

    return await world.change(STATIC_ADDRESS, name, apply)


class TestKeeping:
    async def test_one_is_chosen(self, world):
        made = await world.create(STATIC_ADDRESS, static("front"))
        assert made.status.address.startswith("198.18.0.")
        assert (made.spec.family, made.spec.address) == ("IPv4", "")
        assert (condition(made, "Allocated").status, condition(made, "Ready").status) == ("True", "True")

    async def test_one_is_given(self, world):
        made = await world.create(STATIC_ADDRESS, {"metadata": {"name": "front"}, "spec": {"address": "198.18.0.5"}})
        assert (made.status.address, made.spec.pool, made.spec.family) == ("198.18.0.5", "external", "IPv4")

    async def test_no_service_gets_it_that_does_not_ask_for_it(self, world):
        for number in range(1, 6):
            await kept(world, f"front-{number}", address=f"198.18.0.{number}")
        assert await given(world, "web") == "198.18.0.6"
        waiting = await world.create(SERVICE, balanced("late"))
        assert reason(waiting) == "PoolExhausted"
        await world.delete(STATIC_ADDRESS, "front-3")
        assert address(await world.becomes(SERVICE, "late", address)) == "198.18.0.3"

    async def test_it_outlives_services(self, world):
        text = await kept(world, "front")
        for name in ("one", "other"):
            assert await given(world, name, {NAME: "front"}) == text
            await world.becomes(STATIC_ADDRESS, "front", lambda obj, name=name: users(obj) == [f"default/{name}"])
            await world.delete(SERVICE, name)
            await world.becomes(STATIC_ADDRESS, "front", lambda obj: obj.status.users == 0)

    async def test_it_waits_for_an_address(self, world):
        for number in range(1, 7):
            await kept(world, f"front-{number}", address=f"198.18.0.{number}")
        waiting = await world.create(STATIC_ADDRESS, static("late"))
        assert (waiting.status.address, reason(waiting)) == ("", "PoolExhausted")
        await world.create(SERVICE, balanced("web", {NAME: "late"}))
        await world.delete(STATIC_ADDRESS, "front-2")
        await world.becomes(STATIC_ADDRESS, "late", lambda obj: obj.status.address == "198.18.0.2")
        assert address(await world.becomes(SERVICE, "web", address)) == "198.18.0.2"

    async def test_a_service_that_came_first_is_served_when_it_is_there(self, world):
        named = await world.create(SERVICE, balanced("named", {NAME: "late"}))
        asking = await world.create(SERVICE, balanced("asking", {IPV4: "198.18.0.5"}, port=81))
        for service, told in ((named, '"late"'), (asking, '"198.18.0.5"')):
            assert (reason(service), address(service)) == ("AddressNotFound", None)
            assert told in condition(service, "Allocated").message
        await world.parts.mirror.fresh()
        events = [msgspec.json.decode(each.wire) for each in world.parts.mirror.list(EVENT.key, "default")]
        assert ("Warning", "AddressNotFound") in {(each["type"], each["reason"]) for each in events}
        await kept(world, "late", address="198.18.0.5")
        for name in ("named", "asking"):
            assert address(await world.becomes(SERVICE, name, address)) == "198.18.0.5"

    async def test_of_the_address_that_a_service_has(self, world):
        text = await given(world, "web")
        assert await kept(world, "front", address=text) == text
        await world.delete(SERVICE, "web")
        assert await given(world, "other", {NAME: "front"}) == text

    async def test_a_preview_claims_nothing(self, world):
        preview = msgspec.convert(static("front"), type=STATIC_ADDRESS.model)
        answer = await world.registry.create(Target(STATIC_ADDRESS, "default"), preview, WriteOptions(dry_run=True))
        assert msgspec.json.decode(answer.entry.wire)["status"]["address"].startswith("198.18.0.")
        assert [claim async for claim in world.parts.reader.claimed("lb_addresses")] == []


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("spec", "field", "told"),
        [
            ({"pool": ""}, "spec.pool", "the name of the AddressPool"),
            ({"pool": "none"}, "spec.pool", 'supported values: "external", "internal"'),
            ({"address": "x"}, "spec.address", "must be an IP address"),
            ({"address": "198.18.0.9"}, "spec.address", "must be a usable address of external 198.18.0.0/29"),
            ({"pool": "", "address": "192.0.2.1"}, "spec.address", "is in no AddressPool"),
            ({"family": "IPv5"}, "spec.family", 'supported values: "IPv4", "IPv6"'),
            ({"family": "IPv6"}, "spec.family", 'the pool "external" has only IPv4'),
            ({"family": "IPv6", "address": "198.18.0.1"}, "spec.family", "must be IPv4, as spec.address is"),
            ({"dnsLabel": "A"}, "spec.dnsLabel", "must have only lower-case letters"),
            ({"sharedWith": ["*", "A/b"]}, "spec.sharedWith[1]", "must have only lower-case letters"),
        ],
    )
    async def test_on_create(self, world, spec, field, told):
        with pytest.raises(Invalid) as refused:
            await world.create(STATIC_ADDRESS, static("front", **spec))
        (cause,) = refused.value.causes
        assert cause.field == field
        assert told in cause.message

    async def test_what_another_holds(self, world):
        await kept(world, "front", address="198.18.0.1", dnsLabel="shop")
        with pytest.raises(Invalid, match=r"already in use as a load balancer's by staticaddresses.fairlead.io/front"):
            await kept(world, "other", address="198.18.0.1")
        with pytest.raises(Invalid, match=r"spec.dnsLabel: .* already in use .* by staticaddresses.fairlead.io/front"):
            await kept(world, "other", dnsLabel="shop")
        await world.create(NAMESPACE, {"metadata": {"name": "shop"}})
        with pytest.raises(Invalid, match=r"already in use as a load balancer's$"):
            await kept(world, "other", "shop", address="198.18.0.1")

    async def test_on_update(self, world):
        text = await kept(world, "front")
        await change(world, "front", address=text)
        for field, value in (("pool", "internal"), ("family", "IPv6"), ("address", "198.18.0.7")):
            with pytest.raises(Invalid, match=f"spec.{field}: .* field is immutable"):
                await change(world, "front", **{field: value})
        again = await change(world, "front", pool="", family="", dns_label="shop")
        assert (again.spec.pool, again.spec.family, again.status.address) == ("external", "IPv4", text)

    async def test_an_address_for_another_family_or_scope(self, world):
        await kept(world, "front")
        with pytest.raises(Invalid, match=r"an address of the external pool external, and the Service is internal"):
            await given(world, "web", {NAME: "front", INTERNAL: "true"})
        await kept(world, "private", pool="internal", address="10.224.0.5")
        assert await given(world, "web", {NAME: "private", INTERNAL: "true"}) == "10.224.0.5"


class TestSharing:
    async def test_services_that_differ_in_ports_share_it(self, world):
        text = await kept(world, "front")
        assert await given(world, "one", {NAME: "front"}) == text
        with pytest.raises(
            Invalid, match=f"TCP port 80 of load balancer address {text} is already in use by services/one"
        ):
            await given(world, "other", {NAME: "front"})
        assert await given(world, "other", {IPV4: text}, port=443) == text
        udp = {"ports": [{"port": 80, "protocol": "UDP"}]}
        assert address(await world.create(SERVICE, balanced("third", {NAME: "front"}, **udp))) == text
        await world.becomes(STATIC_ADDRESS, "front", lambda obj: obj.status.users == 3)

    async def test_the_one_rule_of_high_availability_ports_shares_with_no_service(self, world):
        await kept(world, "private", pool="internal", address="10.224.0.5")
        whole = {NAME: "private", INTERNAL: "true", WHOLE: "true"}
        assert await given(world, "whole", whole) == "10.224.0.5"
        with pytest.raises(Invalid, match=r"already in use as a load balancer's by services/whole"):
            await given(world, "other", {NAME: "private", INTERNAL: "true"}, port=81)

    async def test_other_namespaces_only_where_it_says_so(self, world):
        await world.create(NAMESPACE, {"metadata": {"name": "shop"}})
        text = await kept(world, "front")
        waiting = await world.create(SERVICE, balanced("web", {NAME: "default/front"}), "shop")
        assert (reason(waiting), address(waiting)) == ("AddressNotFound", None)
        with pytest.raises(Invalid, match=r"it is a StaticAddress of another namespace"):
            await given(world, "asking", {IPV4: text}, namespace="shop")
        await change(world, "front", shared_with=["shop"])
        assert address(await world.becomes(SERVICE, "web", address, "shop")) == text
        await world.becomes(STATIC_ADDRESS, "front", lambda obj: users(obj) == ["shop/web"])
        with pytest.raises(Invalid, match=r"ask for it as default/front"):
            await given(world, "asking", {IPV4: text}, namespace="shop")
        with pytest.raises(Invalid, match=r"port 80 .* is already in use"):
            await given(world, "mine", {NAME: "front"})
        await change(world, "front", shared_with=None)
        assert address(await annotate(world, "web", {NAME: "default/front", "any": "thing"}, "shop")) == text
        again = await world.create(SERVICE, balanced("again", {NAME: "default/front"}, port=81), "shop")
        assert reason(again) == "AddressNotFound"


class TestDeletion:
    async def test_is_refused_while_a_service_uses_it(self, world):
        text = await kept(world, "front")
        await given(world, "web", {NAME: "front"})
        with pytest.raises(Forbidden, match=f"{text} is used, 1 in all: services default/web; .* or set spec.drain"):
            await world.delete(STATIC_ADDRESS, "front")
        await world.delete(SERVICE, "web")
        await world.delete(STATIC_ADDRESS, "front")
        await world.gone(STATIC_ADDRESS, "front")
        assert [claim async for claim in world.parts.reader.claimed("lb_addresses")] == []

    async def test_one_that_drains_goes_with_its_last_user(self, world):
        text = await kept(world, "front")
        await given(world, "web", {NAME: "front"})
        drained = await change(world, "front", drain=True)
        assert reason(drained, "Ready") == "Draining"
        with pytest.raises(Invalid, match=r"its spec.drain is true"):
            await given(world, "late", {NAME: "front"}, port=81)
        await world.delete(STATIC_ADDRESS, "front")
        told = await world.becomes(STATIC_ADDRESS, "front", lambda obj: reason(obj, "Terminating") == "UsersRemain")
        assert "1 in all: default/web" in condition(told, "Terminating").message
        assert address(await world.get(SERVICE, "web")) == text
        await world.delete(SERVICE, "web")
        await world.gone(STATIC_ADDRESS, "front")


class TestPools:
    async def test_it_survives_pool_edits(self, world):
        text = await kept(world, "front")
        with pytest.raises(Invalid, match=f"{text} by staticaddresses.fairlead.io default/front"):
            await world.change(ADDRESS_POOL, "external", lambda obj: setattr(obj.spec, "addresses", ["198.19.0.0/29"]))
        await world.change(ADDRESS_POOL, "external", lambda obj: setattr(obj.spec, "drain", True))
        assert await given(world, "web", {NAME: "front"}) == text
        assert await given(world, "asking", {IPV4: text}, port=81) == text
        with pytest.raises(Invalid, match=r"gives no addresses: spec.drain is true"):
            await kept(world, "other", address="198.18.0.6")

    async def test_its_pool_waits_for_it(self, world):
        await world.create(ADDRESS_POOL, pool("more", "198.19.0.0/29"))
        text = await kept(world, "front", pool="more")
        assert text.startswith("198.19.0.")
        await world.delete(ADDRESS_POOL, "more")
        told = await world.becomes(ADDRESS_POOL, "more", lambda obj: reason(obj, "Terminating") == "HoldersRemain")
        assert f"{text} by staticaddresses.fairlead.io default/front" in condition(told, "Terminating").message
        await world.delete(STATIC_ADDRESS, "front")
        await world.gone(ADDRESS_POOL, "more")
