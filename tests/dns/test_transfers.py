"""Zone transfers, as clients see them: whole zones and differences, with and without keys."""

import dns.message
import dns.tsig
import dns.xfr
import pytest

from app.credentials.tsig_keys import TsigKeyFileError, TsigKeys
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.service import SERVICE
from tests.dns.answering import answering
from tests.dns.transferring import KEY, configure, records, serial, transferred, write_keys
from tests.e2e.waiting import eventually

ZONE = "cluster.local"
DOMAIN = "default.svc.cluster.local."
APEX = {
    ("cluster.local.", "NS", 3600, "ns.dns.cluster.local."),
    ("dns-version.cluster.local.", "TXT", 5, '"1.1.0"'),
    ("ns.dns.cluster.local.", "A", 3600, "127.0.0.1"),
}


def service(name, **spec):
    return {"metadata": {"name": name}, "spec": {"ports": [{"name": "http", "port": 80}], **spec}}


def endpoints(name, *addresses):
    return {
        "metadata": {"name": f"{name}-1", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": [{"addresses": [each], "conditions": {"ready": True}} for each in addresses],
    }


def of(name, address):
    """The records of a Service with a ClusterIP in the cluster's zone."""
    owner = f"{name}.{DOMAIN}"
    return {(owner, "A", 5, address), (f"_http._tcp.{owner}", "SRV", 5, f"0 100 80 {owner}")}


async def test_whole_zones_and_what_changed(world, asked):
    await configure(world, ZONE, anybody=True)
    web = await world.create(SERVICE, service("web"))
    copy = await eventually(lambda: whole(asked, f"web.{DOMAIN}"))
    assert records(copy) == APEX | of("web", web.spec.cluster_ip)
    before = serial(copy)
    db = await world.create(SERVICE, service("db"))
    await world.create(SERVICE, service("pods", clusterIP="None"))
    await world.create(ENDPOINT_SLICE, endpoints("pods", "10.1.0.5", "10.1.0.6"))
    await world.delete(SERVICE, "web")
    await world.change(ENDPOINT_SLICE, "pods-1", lambda each: each.endpoints.pop())
    copy = await transferred(asked, ZONE, copy)
    host = f"10-1-0-5.pods.{DOMAIN}"
    expected = APEX | of("db", db.spec.cluster_ip) | {
        (f"pods.{DOMAIN}", "A", 5, "10.1.0.5"),
        (host, "A", 5, "10.1.0.5"),
        (f"_http._tcp.pods.{DOMAIN}", "SRV", 5, f"0 100 8080 {host}"),
    }  # fmt: skip
    assert records(copy) == expected == records(await transferred(asked, ZONE))
    assert serial(copy) > before
    # What changes no record changes no serial.
    await world.change(SERVICE, "db", lambda each: setattr(each.metadata, "labels", {"a": "b"}))
    assert serial(await transferred(asked, ZONE, copy)) == serial(copy)


async def whole(asked, name):
    """The zone, once it has a name."""
    copy = await transferred(asked, ZONE)
    return copy if any(each[0] == name for each in records(copy)) else None


async def test_all_zones_of_all_processes_have_the_same_serials(world, asked):
    reverse = "96.10.in-addr.arpa"
    for zone in (ZONE, reverse):
        await configure(world, zone, anybody=True)
    web = await world.create(SERVICE, service("web"))
    owner = f"{'.'.join(reversed(web.spec.cluster_ip.split('.')))}.in-addr.arpa."
    await asked.becomes(owner, "PTR", [f"web.{DOMAIN}"])
    async with answering(world) as other:
        for zone in (ZONE, reverse):
            await eventually(lambda zone=zone: same_serial(asked, other, zone))
        await world.create(SERVICE, service("more"))
        await other.becomes(f"more.{DOMAIN}", "TXT", [])
        for zone in (ZONE, reverse):
            await eventually(lambda zone=zone: same_serial(asked, other, zone))
        copy = await transferred(other, reverse)
        assert (owner, "PTR", 5, f"web.{DOMAIN}") in records(copy)
    shown = await world.becomes(DNS_ZONE, reverse, lambda each: each.status.serial == serial(copy))
    assert [each.status for each in shown.status.conditions] == ["True", "True"]


async def same_serial(one, other, zone):
    found = [(await each.ask(zone, "SOA")).answer[0][0].serial for each in (one, other)]
    return found[0] == found[1] != 0


async def test_a_zone_delegates_to_the_zone_that_begins_below_it(world, asked):
    outer, shop, deep = "example.org", "shop.example.org", "deep.shop.example.org"
    for name in (outer, shop, deep):
        await world.create(DNS_ZONE, {"metadata": {"name": name}, "spec": {"name": name, "kind": "public"}})
    await configure(world, outer, anybody=True)
    # The zone below delegates to the one that is deeper still.
    copy = await eventually(lambda: delegated(asked, None, served(outer) | served(shop)))
    servers = ["ns1.example.net", "ns2.example.net"]
    await world.change(DNS_ZONE, shop, lambda zone: setattr(zone.spec, "name_servers", servers))
    named = {(f"{shop}.", "NS", 3600, f"{each}.") for each in servers}
    copy = await eventually(lambda: delegated(asked, copy, served(outer) | named))
    await world.delete(DNS_ZONE, shop)
    await eventually(lambda: delegated(asked, copy, served(outer) | served(deep)))


def served(zone):
    """The records of a zone's servers, where none is named."""
    server = f"ns.dns.{zone}."
    return {(f"{zone}.", "NS", 3600, server), (server, "A", 3600, "127.0.0.1")}


async def delegated(asked, copy, expected):
    """The outer zone as a secondary has it that had a copy, once it has these records and no others."""
    copy = await transferred(asked, "example.org", copy)
    return copy if records(copy) == expected else None


async def test_who_may_transfer(world, tmp_path):
    path = tmp_path / "keys"
    write_keys(path, KEY, "other.example")
    keys = TsigKeys(path)
    async with answering(world, dns_tsig_key_file=path) as server:
        with pytest.raises(dns.xfr.TransferError, match="REFUSED"):
            await transferred(server, ZONE)
        await configure(world, ZONE, anybody=True, key=KEY)
        for key in (None, keys.get("other.example")):
            with pytest.raises(dns.xfr.TransferError, match="REFUSED"):
                await transferred(server, ZONE, key=key)
        with pytest.raises(dns.xfr.TransferError, match="NOTAUTH"):
            await transferred(server, "example.org")
        assert records(await transferred(server, ZONE, key=keys.get(KEY))) >= APEX
        await configure(world, ZONE, "127.0.0.1:5399")
        assert records(await transferred(server, ZONE)) >= APEX


async def test_signed_questions_have_signed_answers(world, tmp_path):
    path = tmp_path / "keys"
    write_keys(path, KEY)
    async with answering(world, dns_tsig_key_file=path) as server:
        for tcp in (False, True):
            answer = await server.send(signed(TsigKeys(path).get(KEY)), tcp=tcp)
            assert answer.had_tsig
            assert answer.answer[0].name.to_text() == f"{ZONE}."
        with pytest.raises(dns.tsig.PeerBadKey):
            await server.send(signed(dns.tsig.Key("unknown.example", bytes(32))))
        with pytest.raises(dns.tsig.PeerBadSignature):
            await server.send(signed(dns.tsig.Key(KEY, bytes(32))))


def signed(key):
    query = dns.message.make_query(ZONE, "SOA")
    query.use_tsig(key)
    return query


WRONG = [
    ("", "holds 0 keys"),
    ("hmac-sha256:a:b:c", "line 1 is no key"),
    ("hmac-md5:a:AAAAAAAAAAAAAAAAAAAAAA==", "must be one of hmac-sha256"),
    ("hmac-sha256:a:not base64", "no base64"),
    ("hmac-sha256:a:AAAA", "less than 16 bytes"),
    (f"hmac-sha256:a:{'A' * 24}\nhmac-sha512:A.:{'A' * 24}", "two keys of one name"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_wrong_with_a_file_of_keys(tmp_path, text, message):
    path = tmp_path / "keys"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(TsigKeyFileError, match=message) as caught:
        TsigKeys(path)
    assert "AAAA" not in str(caught.value)


def test_a_file_of_keys_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "keys"
    write_keys(path, KEY)
    path.chmod(0o640)
    with pytest.raises(TsigKeyFileError, match="chmod go-rw"):
        TsigKeys(path)
