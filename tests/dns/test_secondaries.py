"""Debian's name servers as secondaries: they have what the zones have, and their state shows on the DNSZones."""

import time

import dns.flags
import dns.rcode
import pytest

from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.service import SERVICE
from app.domain.kinds.dns_zone import DNSServer
from app.domain.rules.dns_zone import CURRENT, REFUSED, UNREACHABLE
from tests.dns.answering import answering
from tests.dns.documented import EVERY_DOCUMENTED
from tests.dns.documented import KEY as DOCUMENTED_KEY
from tests.dns.secondaries import EVERY, Knot
from tests.dns.transferring import KEY, configure, write_keys

ZONE = "cluster.local"
REVERSE = "96.10.in-addr.arpa"
DOWN_SECONDS = 60
DOMAIN = "default.svc.cluster.local."


def service(name, **spec):
    return {"metadata": {"name": name}, "spec": {"ports": [{"name": "http", "port": 80}], **spec}}


@pytest.fixture
def secrets(tmp_path, world):
    """The secret of the key, which the reconciler of the world has, too."""
    path = tmp_path / "keys"
    found = write_keys(path, KEY)
    world.keys.path = path
    world.keys.reload()
    return found


@pytest.fixture
async def primary(world, secrets, tmp_path):
    """The DNS server of the world, with the key."""
    assert secrets
    async with answering(world, dns_tsig_key_file=tmp_path / "keys") as server:
        yield server


async def has(world, zone, server, state):
    """Wait until a DNSZone shows a state of a server; answers the zone."""

    def is_so(found):
        return any((each.address, each.state) == (server.address, state) for each in found.status.servers or [])

    return await world.becomes(DNS_ZONE, zone, is_so)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
async def test_a_secondary_follows(world, primary, secrets, tmp_path, kind):
    secondary = kind(tmp_path / "secondary", primary.port, [ZONE, REVERSE], (KEY, secrets[KEY]))
    web = await world.create(SERVICE, service("web"))
    for zone in (ZONE, REVERSE):
        await configure(world, zone, secondary.address, key=KEY)
    secondary.start()
    try:
        for zone in (ZONE, REVERSE):
            await has(world, zone, secondary, CURRENT)
        assert await secondary.values(f"web.{DOMAIN}") == [web.spec.cluster_ip]
        db = await world.create(SERVICE, service("db"))
        await world.delete(SERVICE, "web")
        await secondary.becomes(f"db.{DOMAIN}", "A", [db.spec.cluster_ip])
        await secondary.becomes(f"web.{DOMAIN}", "A", None)
        pointer = ".".join(reversed(db.spec.cluster_ip.split(".")))
        await secondary.becomes(f"{pointer}.in-addr.arpa.", "PTR", [f"db.{DOMAIN}"])
        serial = await secondary.serial(ZONE)
        await world.becomes(DNS_ZONE, ZONE, lambda zone: is_synchronized(zone, serial))
    finally:
        secondary.stop()


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
async def test_a_secondary_of_the_outer_zone_alone_refers_to_the_servers_of_the_zone_below(
    world, primary, secrets, tmp_path, kind
):
    outer, shop = "example.org", "shop.example.org"
    secondary = kind(tmp_path / "secondary", primary.port, [outer], (KEY, secrets[KEY]))
    for name in (outer, shop):
        await world.create(DNS_ZONE, {"metadata": {"name": name}, "spec": {"name": name, "kind": "public"}})
    await configure(world, outer, secondary.address, key=KEY)
    secondary.start()
    try:
        await has(world, outer, secondary, CURRENT)
        # RFC 1034, 4.3.2: no answer, and where to ask instead, with the address of a server that is below.
        reply = await secondary.ask(f"www.{shop}", "A", tcp=True)
        assert (reply.rcode(), reply.answer, bool(reply.flags & dns.flags.AA)) == (dns.rcode.NOERROR, [], False)
        assert [each.to_text() for each in reply.authority] == [f"{shop}. 3600 IN NS ns.dns.{shop}."]
        assert [each.to_text() for each in reply.additional] == [f"ns.dns.{shop}. 3600 IN A 127.0.0.1"]
        await world.delete(DNS_ZONE, shop)
        await secondary.becomes(f"www.{shop}", "A", None)
    finally:
        secondary.stop()


@pytest.mark.parametrize("kind", EVERY_DOCUMENTED, ids=lambda kind: kind.heading.strip("# "))
async def test_a_secondary_follows_that_is_set_up_as_documented(world, tmp_path, kind):
    keys = tmp_path / "keys"
    secret = write_keys(keys, DOCUMENTED_KEY)[DOCUMENTED_KEY]
    world.keys.path = keys
    world.keys.reload()
    async with answering(world, dns_tsig_key_file=keys) as primary:
        secondary = kind(tmp_path / "secondary", primary.port, [ZONE], (DOCUMENTED_KEY, secret))
        await configure(world, ZONE, secondary.address, key=DOCUMENTED_KEY)
        secondary.start()
        try:
            await has(world, ZONE, secondary, CURRENT)
            web = await world.create(SERVICE, service("web"))
            await secondary.becomes(f"web.{DOMAIN}", "A", [web.spec.cluster_ip])
            await secondary.becomes(f"_tcp.web.{DOMAIN}", "A", [])
        finally:
            secondary.stop()


def is_synchronized(zone, serial):
    told = [each.status for each in zone.status.conditions or [] if each.type == "Synchronized"]
    return told == ["True"] and [zone.status.serial, *(each.serial for each in zone.status.servers)] == [serial] * 2


@pytest.fixture
async def knot(world, primary, secrets, tmp_path):
    """A secondary of the cluster's zone that has it."""
    secondary = Knot(tmp_path / "secondary", primary.port, [ZONE], (KEY, secrets[KEY]))
    secondary.start()
    try:
        await configure(world, ZONE, secondary.address, key=KEY)
        await has(world, ZONE, secondary, CURRENT)
        yield secondary
    finally:
        secondary.stop()


async def test_a_secondary_that_is_down_shows_and_catches_up(world, knot):
    knot.stop()
    db = await world.create(SERVICE, service("db"))
    shown = await has(world, ZONE, knot, UNREACHABLE)
    assert knot.address in shown.status.servers[0].message
    await world.becomes(DNS_ZONE, ZONE, lambda zone: told(zone) == ("False", UNREACHABLE))
    knot.start()
    await has(world, ZONE, knot, CURRENT)
    await knot.becomes(f"db.{DOMAIN}", "A", [db.spec.cluster_ip])
    await world.becomes(DNS_ZONE, ZONE, lambda zone: told(zone) == ("True", "AllCurrent"))


@pytest.mark.soak
async def test_a_secondary_that_is_down_for_a_minute_misses_nothing(world, knot):
    """The journal goes back as far as that; and who is behind waits no longer for it than others."""
    knot.stop()
    end, made, gone = time.monotonic() + DOWN_SECONDS, {}, []
    while time.monotonic() < end:
        name = f"s{len(made) + len(gone)}"
        created = await world.create(SERVICE, service(name))
        made[name] = created.spec.cluster_ip
        if len(made) > 20:
            gone.append(next(iter(made)))
            del made[gone[-1]]
            await world.delete(SERVICE, gone[-1])
    await has(world, ZONE, knot, UNREACHABLE)
    knot.start()
    await has(world, ZONE, knot, CURRENT)
    for name, address in made.items():
        assert await knot.values(f"{name}.{DOMAIN}") == [address]
    for name in gone[-100:]:
        assert await knot.values(f"{name}.{DOMAIN}") is None
    await world.becomes(DNS_ZONE, ZONE, lambda zone: told(zone) == ("True", "AllCurrent"))


async def test_a_secondary_that_is_rebuilt_from_nothing_has_all_again(world, knot):
    db = await world.create(SERVICE, service("db"))
    await knot.becomes(f"db.{DOMAIN}", "A", [db.spec.cluster_ip])
    knot.stop()
    knot.forget()
    knot.start()
    await knot.becomes(f"db.{DOMAIN}", "A", [db.spec.cluster_ip])
    await has(world, ZONE, knot, CURRENT)


async def test_a_wrong_key_shows_until_it_is_right(world, knot, secrets):
    knot.stop()
    knot.key = (KEY, "AAAA" + secrets[KEY][4:])
    knot.start()
    await world.create(SERVICE, service("db"))
    shown = await has(world, ZONE, knot, REFUSED)
    assert "key" in shown.status.servers[0].message
    knot.stop()
    knot.key = (KEY, secrets[KEY])
    knot.start()
    await has(world, ZONE, knot, CURRENT)
    unknown = [DNSServer(knot.address, "unknown.example")]
    await world.change(DNS_ZONE, ZONE, lambda zone: setattr(zone.spec, "secondaries", unknown))
    shown = await has(world, ZONE, knot, REFUSED)
    assert "unknown.example" in shown.status.servers[0].message
    await configure(world, ZONE, knot.address, key=KEY)
    await has(world, ZONE, knot, CURRENT)


async def test_one_that_is_away_holds_up_no_other(world, primary, knot, tmp_path, secrets):
    other = Knot(tmp_path / "other", primary.port, [ZONE], (KEY, secrets[KEY]))
    await configure(world, ZONE, other.address, knot.address, key=KEY)
    await has(world, ZONE, other, UNREACHABLE)
    db = await world.create(SERVICE, service("db"))
    await knot.becomes(f"db.{DOMAIN}", "A", [db.spec.cluster_ip])
    await has(world, ZONE, knot, CURRENT)


def told(zone):
    """Status and reason of the condition Synchronized."""
    return next(((each.status, each.reason) for each in zone.status.conditions if each.type == "Synchronized"), None)
