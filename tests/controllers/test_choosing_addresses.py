"""Which load balancer address a Service gets, shares and changes to."""

import pytest

from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service import SERVICE
from app.domain.errors import Invalid
from tests.controllers.load_balancing import (
    INTERNAL,
    IPV4,
    NAME,
    PREFIX,
    SUBNET,
    address,
    addresses,
    annotate,
    balanced,
    condition,
    given,
    kept,
    pool,
    reason,
)
from tests.controllers.world import running

SMALL = {
    "internal_pool": "10.224.0.0/29,fd00:224::/125",
    "external_pool": "198.18.0.0/29,2001:2::/125",
    "service_cidrs": "10.96.0.0/16,fd00:10:96::/112",
}
DUAL = {"ipFamilyPolicy": "RequireDualStack"}


@pytest.fixture
async def world(database_url):
    async with running(database_url, **SMALL) as world, world.reconciling_everything():
        yield world


async def base(world, name):
    """The beginning of the names of a Service's own."""
    return f"a{(await world.get(SERVICE, name)).metadata.uid.replace('-', '')}"[:32]


async def settled(world, name):
    """A Service that has what it asks for."""
    return await world.becomes(SERVICE, name, lambda obj: reason(obj) == "Allocated" and not changing(obj))


def changing(service):
    return reason(service, "AddressChanging")


class TestTheOrder:
    async def test_name_then_annotation_then_spec_then_dynamic(self, world):
        for number in (1, 2, 3):
            await kept(world, f"front-{number}", address=f"198.18.0.{number}")
        spec = {"loadBalancerIP": "198.18.0.3"}
        assert await given(world, "all", {NAME: "front-1", IPV4: "198.18.0.2"}, **spec) == "198.18.0.1"
        assert await given(world, "two", {IPV4: "198.18.0.2"}, **spec) == "198.18.0.2"
        assert await given(world, "one", **spec) == "198.18.0.3"
        assert (await given(world, "none"))[-1] in "456"

    async def test_the_family_that_is_not_named_stays_dynamic(self, world):
        text = await kept(world, "six", family="IPv6")
        made = await world.create(SERVICE, balanced("web", {f"{NAME}-ipv6": "six"}, **DUAL))
        assert addresses(made)[0].startswith("198.18.0.")
        assert addresses(made)[1] == text

    async def test_a_service_of_ipv6_has_the_plain_key(self, world):
        text = await kept(world, "six", family="IPv6")
        assert await given(world, "web", {NAME: "six"}, ipFamilies=["IPv6"]) == text
        with pytest.raises(Invalid, match=r"it is an IPv6 address, not an IPv4 one"):
            await given(world, "dual", {NAME: "six"}, port=81, **DUAL)

    async def test_a_private_address_need_not_be_anybodys(self, world):
        assert await given(world, "web", {INTERNAL: "true", IPV4: "10.224.0.5"}) == "10.224.0.5"


class TestSharing:
    async def test_the_address_that_another_was_given(self, world):
        text = await given(world, "first")
        assert await given(world, "second", {IPV4: text}, port=81) == text
        assert await given(world, "third", {NAME: f"kubernetes-{await base(world, 'first')}"}, port=82) == text
        with pytest.raises(Invalid, match=r"port 80 .* is already in use by services/first"):
            await given(world, "fourth", {IPV4: text})
        await world.delete(SERVICE, "first")
        assert address(await world.get(SERVICE, "second")) == text
        for number in range(5):
            assert await given(world, f"other-{number}") != text

    async def test_not_that_of_another_namespace(self, world):
        await world.create(NAMESPACE, {"metadata": {"name": "shop"}})
        text = await given(world, "first")
        with pytest.raises(Invalid, match=r"the address is already in use as a load balancer's$"):
            await given(world, "second", {IPV4: text}, port=81, namespace="shop")
        foreign = {NAME: f"default/kubernetes-{await base(world, 'first')}"}
        assert await given(world, "second", foreign, port=81, namespace="shop") is None

    async def test_ones_own_by_name(self, world):
        text = await given(world, "web")
        same = await annotate(world, "web", {NAME: f"kubernetes-{await base(world, 'web')}"})
        assert (address(same), changing(same)) == (text, None)

    async def test_a_port_that_another_has_is_waited_for(self, world):
        text = await kept(world, "front")
        await given(world, "first", {NAME: "front"})
        waiting = await world.create(SERVICE, balanced("second", {NAME: "late"}))
        assert reason(waiting) == "AddressNotFound"

        def rename(service):
            service.metadata.annotations = {NAME: "front"}

        with pytest.raises(Invalid, match=f"TCP port 80 of load balancer address {text} is already in use"):
            await world.change(SERVICE, "second", rename)


class TestChanging:
    async def test_to_internal_and_back(self, world):
        before = await given(world, "web")
        inside = await annotate(world, "web", {INTERNAL: "true"})
        assert address(inside).startswith("10.224.0.")
        assert (changing(inside), reason(inside)) == (None, "Allocated")
        outside = await annotate(world, "web", {})
        assert address(outside).startswith("198.18.0.")
        claims = [claim.key async for claim in world.parts.reader.claimed("lb_addresses")]
        assert claims == [f"{address(outside)}/default/own"]
        assert before.startswith("198.18.0.")

    async def test_the_old_side_serves_until_the_new_one_is_there(self, world):
        before = await given(world, "web")
        await world.change(ADDRESS_POOL, "internal", lambda obj: setattr(obj.spec, "drain", True))
        waiting = await annotate(world, "web", {INTERNAL: "true"})
        assert (address(waiting), changing(waiting), reason(waiting)) == (before, "IPv4", "NoPool")
        assert [claim.key async for claim in world.parts.reader.claimed("lb_addresses")] == [f"{before}/default/own"]
        await world.change(ADDRESS_POOL, "internal", lambda obj: setattr(obj.spec, "drain", False))
        assert address(await settled(world, "web")).startswith("10.224.0.")

    async def test_back_before_it_was_done(self, world):
        before = await given(world, "web")
        await annotate(world, "web", {INTERNAL: "true", SUBNET: "missing"})
        back = await annotate(world, "web", {})
        assert (address(back), changing(back), reason(back)) == (before, None, "Allocated")

    async def test_both_families(self, world):
        await world.create(SERVICE, balanced("web", **DUAL))
        inside = await annotate(world, "web", {INTERNAL: "true"})
        assert [text[:6] for text in addresses(inside)] == ["10.224", "fd00:2"]
        assert changing(inside) is None

    async def test_to_another_pool(self, world):
        await world.create(
            ADDRESS_POOL, pool("apps", "10.3.0.0/29", scope="internal", autoAssign=False, aliases=["net"])
        )
        assert (await given(world, "web", {INTERNAL: "true"})).startswith("10.224.0.")
        moved = await annotate(world, "web", {INTERNAL: "true", SUBNET: "net"})
        assert address(moved).startswith("10.3.0.")

    async def test_to_an_address_that_is_not_there(self, world):
        before = await given(world, "web")
        waiting = await annotate(world, "web", {NAME: "late"})
        assert (address(waiting), reason(waiting)) == (before, "AddressNotFound")
        text = await kept(world, "late")
        assert address(await settled(world, "web")) == text

    async def test_to_an_address_whose_port_another_has(self, world):
        text = await kept(world, "front")
        await given(world, "first", {NAME: "front"})
        before = await given(world, "web")
        with pytest.raises(Invalid, match=r"port 80 .* is already in use by services/first"):
            await annotate(world, "web", {NAME: "front"})
        assert address(await world.get(SERVICE, "web")) == before != text


async def test_an_additional_address_is_not_the_own_one(world):
    text = await given(world, "web")
    with pytest.raises(Invalid, match=f'"{text}": is the Service\'s own address; leave it out'):
        await annotate(world, "web", {f"{PREFIX}additional-public-ips": text})
    more = await annotate(world, "web", {f"{PREFIX}additional-public-ips": "192.0.2.7"})
    assert addresses(more) == [text, "192.0.2.7"]


class TestAskingNoMore:
    async def test_a_static_address_is_left(self, world):
        text = await kept(world, "front")
        await given(world, "web", {NAME: "front"})
        moved = await annotate(world, "web", {})
        assert address(moved) != text
        assert changing(moved) is None

    async def test_the_address_of_another_is_left(self, world):
        text = await given(world, "first")
        await given(world, "second", {IPV4: text}, port=81)
        assert address(await annotate(world, "second", {})) != text
        assert address(await annotate(world, "first", {"any": "thing"})) == text

    @pytest.mark.parametrize("annotations", [{}, {INTERNAL: "true"}])
    async def test_ones_own_stays(self, world, annotations):
        text = await given(world, "web", annotations)
        pinned = await annotate(world, "web", {**annotations, IPV4: text})
        assert (address(pinned), changing(pinned)) == (text, None)
        free = await annotate(world, "web", annotations)
        assert (address(free), changing(free)) == (text, None)
        assert [claim.key async for claim in world.parts.reader.claimed("lb_addresses")] == [f"{text}/default/own"]
        assert condition(free, "Allocated").status == "True"
