"""Ranges of ClusterIPs come and go while the system runs."""

import ipaddress

import pytest

from app.domain.declarations.ip_address import IP_ADDRESS
from app.domain.declarations.service import SERVICE
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.errors import Invalid
from app.domain.rules.service_cidr import FINALIZER
from app.startup.bootstrap import InitialObjects
from tests.controllers.world import running
from tests.e2e.waiting import eventually

FIRST, SECOND, LARGER, SIX = "10.96.0.0/29", "10.97.0.0/24", "10.96.0.0/16", "fd00:10:96::/112"
USABLE = 6


@pytest.fixture
async def ranged(database_url):
    """A world with one small range from the settings, in which Services are allocated."""
    async with running(database_url, service_cidrs=FIRST) as world:
        await InitialObjects([FIRST], 6443).ensure(world.registry)
        async with world.reconciling_everything():
            yield world


def service(name, **spec):
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


async def add(world, name, *cidrs):
    """A range that is in use."""
    await world.create(SERVICE_CIDR, {"metadata": {"name": name}, "spec": {"cidrs": list(cidrs)}})
    return await world.becomes(SERVICE_CIDR, name, lambda obj: obj.status and condition(obj, "Ready"))


def condition(obj, kind):
    return next((each for each in obj.status.conditions or [] if each.type == kind), None)


def is_allocated(obj):
    return condition(obj, "Allocated").status == "True"


def is_going(obj):
    ready = condition(obj, "Ready")
    return ready is not None and ready.status == "False"


def within(cidr, *services):
    return all(ipaddress.ip_address(each.spec.cluster_ip) in ipaddress.ip_network(cidr) for each in services)


async def fill(world):
    """Take every address of the first range."""
    made = [await world.create(SERVICE, service(f"fill-{number}")) for number in range(USABLE - 1)]
    assert all(map(is_allocated, made))
    assert within(FIRST, *made)


async def test_what_the_settings_say_is_there_and_ready(ranged):
    default = await ranged.becomes(SERVICE_CIDR, "kubernetes", lambda obj: condition(obj, "Ready"))
    assert default.spec.cidrs == [FIRST]
    assert default.metadata.finalizers == [FINALIZER]
    assert condition(default, "Ready").status == "True"
    api = await ranged.get(SERVICE, "kubernetes")
    assert (api.spec.cluster_ip, api.spec.ports[0].target_port) == ("10.96.0.1", 6443)
    assert api.metadata.labels == {"component": "apiserver", "provider": "kubernetes"}


async def test_a_second_range_helps_those_that_wait(ranged):
    await fill(ranged)
    waiting = await ranged.create(SERVICE, service("waiting"))
    assert condition(waiting, "Allocated").reason == "PoolExhausted"
    await add(ranged, "second", SECOND)
    allocated = await ranged.becomes(SERVICE, "waiting", is_allocated)
    assert within(SECOND, allocated)
    chosen = await ranged.create(SERVICE, service("chosen", clusterIP="10.97.0.77"))
    assert chosen.spec.cluster_ip == "10.97.0.77"
    with pytest.raises(Invalid, match=r"provided IP is not in the valid range: 10\.98\.0\.1"):
        await ranged.create(SERVICE, service("outside", clusterIP="10.98.0.1"))


async def test_a_larger_range_around_the_first_gives_no_address_twice(ranged):
    await fill(ranged)
    await add(ranged, "larger", LARGER)
    more = [await ranged.create(SERVICE, service(f"more-{number}")) for number in range(20)]
    assert within(LARGER, *more)
    held = {each.spec.cluster_ip for each in more}
    assert len(held) == len(more)
    assert all(ipaddress.ip_address(each) not in ipaddress.ip_network(FIRST) for each in held)


async def test_a_range_in_use_stays_until_it_is_not(ranged):
    await add(ranged, "second", SECOND)
    await ranged.create(SERVICE, service("user", clusterIP="10.97.0.7"))
    await ranged.create(IP_ADDRESS, reservation("10.97.0.8"))
    await ranged.delete(SERVICE_CIDR, "second")
    going = await ranged.becomes(SERVICE_CIDR, "second", is_going)
    assert condition(going, "Ready").reason == "Terminating"
    assert "10.97.0.7" in condition(going, "Ready").message
    with pytest.raises(Invalid, match=r"provided IP is not in the valid range: 10\.97\.0\.9"):
        await ranged.create(SERVICE, service("late", clusterIP="10.97.0.9"))
    others = [await ranged.create(SERVICE, service(f"other-{number}")) for number in range(USABLE - 1)]
    assert within(FIRST, *others)
    short = await ranged.create(SERVICE, service("short"))
    assert condition(short, "Allocated").status == "False"
    await ranged.delete(SERVICE, "user")
    await ranged.becomes(SERVICE_CIDR, "second", lambda obj: "10.97.0.8" in condition(obj, "Ready").message)
    await ranged.delete(IP_ADDRESS, "10.97.0.8")
    await ranged.gone(SERVICE_CIDR, "second")


async def test_a_range_whose_addresses_are_in_another_goes(ranged):
    await fill(ranged)
    await add(ranged, "larger", LARGER)
    await ranged.delete(SERVICE_CIDR, "kubernetes")
    await ranged.gone(SERVICE_CIDR, "kubernetes")
    kept = await ranged.get(SERVICE, "fill-0")
    assert within(FIRST, kept)
    assert is_allocated(await ranged.create(SERVICE, service("new")))


async def test_the_last_range_gives_nothing_any_more_and_stays_for_what_it_gave(ranged):
    await ranged.delete(SERVICE_CIDR, "kubernetes")
    await ranged.becomes(SERVICE_CIDR, "kubernetes", is_going)
    waiting = await ranged.create(SERVICE, service("waiting"))
    assert waiting.spec.ip_families == ["IPv4"]
    assert condition(waiting, "Allocated").status == "False"
    await add(ranged, "second", SECOND)
    assert within(SECOND, await ranged.becomes(SERVICE, "waiting", is_allocated))


async def test_a_second_family_makes_the_cluster_dual_stack(ranged):
    with pytest.raises(Invalid, match="ipFamilyPolicy"):
        await ranged.create(SERVICE, service("early", ipFamilyPolicy="RequireDualStack"))
    await add(ranged, "six", SIX)
    both = await ranged.create(SERVICE, service("both", ipFamilyPolicy="RequireDualStack"))
    assert both.spec.ip_families == ["IPv4", "IPv6"]
    assert [ipaddress.ip_address(each).version for each in both.spec.cluster_ips] == [4, 6]
    single = await ranged.create(SERVICE, service("single"))
    assert single.spec.ip_families == ["IPv4"]


async def test_other_settings_extend_the_default_or_leave_it(ranged):
    await InitialObjects([FIRST, SIX], 6443).adapt(ranged.registry)
    assert (await ranged.get(SERVICE_CIDR, "kubernetes")).spec.cidrs == [FIRST, SIX]
    await InitialObjects(["10.200.0.0/16"], 7443).adapt(ranged.registry)
    assert (await ranged.get(SERVICE_CIDR, "kubernetes")).spec.cidrs == [FIRST, SIX]
    assert (await ranged.get(SERVICE, "kubernetes")).spec.ports[0].target_port == 7443


async def test_another_process_knows_a_range_before_it_refuses_an_address(ranged, database_url):
    async with running(database_url, service_cidrs=FIRST) as other:
        await other.parts.notifications.close()
        for number in range(5):
            await add(ranged, f"r-{number}", f"10.10{number}.0.0/24")
            made = await other.create(SERVICE, service(f"s-{number}", clusterIP=f"10.10{number}.0.5"))
            assert made.spec.cluster_ip == f"10.10{number}.0.5"


async def test_an_address_reserved_by_hand_is_given_to_nobody_until_it_is_released(ranged):
    await fill_but_one(ranged)
    (last,) = await free_addresses(ranged)
    await ranged.create(IP_ADDRESS, reservation(last))
    waiting = await ranged.create(SERVICE, service("waiting"))
    assert condition(waiting, "Allocated").reason == "PoolExhausted"
    with pytest.raises(Invalid, match="already allocated"):
        await ranged.create(SERVICE, service("asking", clusterIP=last))
    await ranged.delete(IP_ADDRESS, last)
    allocated = await ranged.becomes(SERVICE, "waiting", is_allocated)
    assert allocated.spec.cluster_ip == last


def reservation(address):
    return {"metadata": {"name": address}, "spec": {"parentRef": {"resource": "gateways", "name": "mine"}}}


async def fill_but_one(world):
    for number in range(USABLE - 2):
        await world.create(SERVICE, service(f"fill-{number}"))


async def free_addresses(world):
    await world.parts.mirror.fresh()
    held = {claim.key async for claim in world.parts.reader.claimed("cluster_ips")}
    return [str(each) for each in ipaddress.ip_network(FIRST).hosts() if str(each) not in held]


async def test_released_addresses_of_a_reservation_are_known_to_be_free(ranged):
    for address in await free_addresses(ranged):
        await ranged.create(IP_ADDRESS, reservation(address))
    for address in [each for each in await ranged.names(IP_ADDRESS) if each != "10.96.0.1"]:
        await ranged.delete(IP_ADDRESS, address)

    async def all_free():
        return len(await free_addresses(ranged)) == USABLE - 1

    await eventually(all_free)
    await fill(ranged)
