"""Public zones that other servers have: names of Services are pushed there, and nothing of others is touched."""

import pytest

from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.service import SERVICE
from app.domain.kinds.dns_zone import DNSServer
from app.domain.rules.dns_zone import CURRENT, READY, REFUSED, UNREACHABLE
from app.domain.rules.service.conditions import find_condition
from app.domain.rules.service.name_wish import HOSTNAME, TARGET
from app.domain.wanted.pushed_names import PushedName
from app.providers.dns.rfc2136 import Rfc2136
from app.providers.dns.servers import Server, ServerError
from app.providers.dns.zone_updates import NameConflictError
from tests.dns.primaries import EVERY_PRIMARY, BindPrimary
from tests.dns.transferring import KEY, records, transferred, write_keys
from tests.e2e.waiting import eventually

ZONE = "example.org"
THEIRS = {
    ("example.org.", "NS", 300, "ns.example.org."),
    ("ns.example.org.", "A", 300, "127.0.0.1"),
    ("theirs.example.org.", "A", 300, "192.0.2.99"),
    ("mail.example.org.", "MX", 300, "10 theirs.example.org."),
}


@pytest.fixture
def keys(tmp_path, world):
    """The keys that the reconciler of the world has."""
    path = tmp_path / "keys"
    world.keys.path = path
    write_keys(path, KEY, "wrong.example")
    world.keys.reload()
    return world.keys


@pytest.fixture(params=EVERY_PRIMARY, ids=lambda kind: kind.__name__)
async def primary(request, tmp_path, keys):
    """A server with a zone that takes updates."""
    server = started(request.param, tmp_path, keys)
    try:
        await eventually(lambda: server.serial(ZONE))
        yield server
    finally:
        server.stop()


def started(kind, directory, keys):
    secret = next(line for line in keys.path.read_text().splitlines() if f":{KEY}:" in line).rpartition(":")[2]
    server = kind(directory / "primary", 0, [ZONE], (KEY, secret))
    server.start()
    return server


def zone(primary, key=KEY):
    spec = {"name": ZONE, "kind": "public", "primary": {"address": primary.address, "tsigKeyName": key}}
    return {"metadata": {"name": ZONE}, "spec": spec}


def web(name, hostname, **annotations):
    return {
        "metadata": {"name": name, "annotations": {HOSTNAME: hostname, **annotations}},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    }


async def ours(primary, keys):
    """The records of the zone that are not of its owner."""
    return records(await transferred(primary, ZONE, key=keys.get(KEY))) - THEIRS


async def shows(world, state, ready):
    """Wait until the DNSZone shows the state of its primary, and whether it is ready."""

    def is_so(found):
        told = [each.status for each in found.status.conditions or [] if each.type == READY]
        return [each.state for each in found.status.servers or []] == [state] and told == [ready]

    return await world.becomes(DNS_ZONE, ZONE, is_so)


async def test_names_are_pushed_and_taken_back(world, primary, keys):
    await world.create(DNS_ZONE, zone(primary))
    made = await world.create(SERVICE, web("web", "www.example.org"))
    await world.create(SERVICE, web("to", "to.example.org", **{TARGET: "lb.example.com"}))
    address = made.status.load_balancer.ingress[0].ip
    await primary.becomes("www.example.org.", "A", [address])
    await primary.becomes("to.example.org.", "CNAME", ["lb.example.com."])
    found = await ours(primary, keys)
    assert {each for each in found if each[1] != "TXT"} == {
        ("www.example.org.", "A", 60, address),
        ("to.example.org.", "CNAME", 60, "lb.example.com."),
    }
    owners = {each[0]: each[3] for each in found if each[1] == "TXT"}
    assert set(owners) == {"_fairlead.www.example.org.", "_fairlead.to.example.org."}
    assert owners["_fairlead.www.example.org."].endswith(',service=default/web"')
    await shows(world, CURRENT, "True")
    for name in ("web", "to"):
        await world.delete(SERVICE, name)
        await primary.becomes({"web": "www", "to": "to"}[name] + ".example.org.", "TXT", None)
    assert await ours(primary, keys) == set()


async def test_what_others_have_stays_theirs(world, primary):
    await world.create(DNS_ZONE, zone(primary))
    await world.create(SERVICE, web("bad", "theirs.example.org,fine.example.org"))
    await primary.becomes("fine.example.org.", "TXT", [])

    def conflicts(service):
        condition = find_condition(service, "Published")
        return condition is not None and condition.status == "False" and "theirs.example.org" in condition.message

    await world.becomes(SERVICE, "bad", conflicts)
    assert await primary.values("theirs.example.org.") == ["192.0.2.99"]
    await world.delete(SERVICE, "bad")
    await primary.becomes("fine.example.org.", "TXT", None)
    assert await primary.values("theirs.example.org.") == ["192.0.2.99"]


async def test_each_update_has_its_prerequisites(primary, keys):
    server = Server("127.0.0.1", primary.port, keys.get(KEY))
    one, other = (Rfc2136(server, ZONE, installation) for installation in ("one", "other"))
    first = PushedName("a/b", {"A": (60, frozenset({"192.0.2.1"})), "AAAA": (60, frozenset({"2001:db8::1"}))})
    second = PushedName("a/b", {"CNAME": (30, frozenset({"lb.example.com."}))})
    await one.put("www.example.org", None, first)
    assert await one.read() == {"www.example.org": first}
    assert await other.read() == {}
    with pytest.raises(NameConflictError, match=r"YXRRSET|YXDOMAIN"):
        await other.put("www.example.org", None, first)
    with pytest.raises(NameConflictError, match=r"YXRRSET|YXDOMAIN"):
        await one.put("theirs.example.org", None, second)
    with pytest.raises(NameConflictError, match=r"RRSET for .* changed it"):
        await one.put("www.example.org", second, first)
    await one.put("www.example.org", first, second)
    assert await one.read() == {"www.example.org": second}
    await one.put("www.example.org", second, None)
    assert await one.read() == {}
    with pytest.raises(ServerError, match=r"BADSIG|BADKEY|REFUSED|NOTAUTH"):
        await Rfc2136(Server("127.0.0.1", primary.port, keys.get("wrong.example")), ZONE, "one").read()


async def test_a_server_that_is_away_and_one_that_lost_its_zone(world, tmp_path, keys):
    server = started(BindPrimary, tmp_path, keys)
    try:
        await eventually(lambda: server.serial(ZONE))
        await world.create(DNS_ZONE, zone(server))
        made = await world.create(SERVICE, web("web", "www.example.org"))
        address = made.status.load_balancer.ingress[0].ip
        await server.becomes("www.example.org.", "A", [address])
        server.stop()
        await world.create(SERVICE, web("more", "more.example.org"))
        away = await shows(world, UNREACHABLE, "False")
        assert server.address in away.status.servers[0].message
        server.forget()
        server.start()
        await eventually(lambda: server.serial(ZONE))
        await server.becomes("www.example.org.", "A", [address])
        await server.becomes("more.example.org.", "TXT", [])
        await shows(world, CURRENT, "True")
        wrong = DNSServer(server.address, "wrong.example")
        await world.change(DNS_ZONE, ZONE, lambda each: setattr(each.spec, "primary", wrong))
        await shows(world, REFUSED, "False")
        right = DNSServer(server.address, KEY)
        await world.change(DNS_ZONE, ZONE, lambda each: setattr(each.spec, "primary", right))
        await shows(world, CURRENT, "True")
    finally:
        server.stop()
