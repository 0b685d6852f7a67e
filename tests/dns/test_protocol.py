"""What the protocol says beside the records: EDNS, cookies, errors, truncation, TCP (RFC 1035, 6891, 7766, 7873)."""

import asyncio
import random
import struct
from collections import Counter
from itertools import combinations, pairwise

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsigkeyring
import pytest
from prometheus_client import REGISTRY

from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.service import SERVICE
from tests.dns.answering import answering

DOMAIN = "default.svc.cluster.local."
NAME = f"web.{DOMAIN}"
MANY = f"many.{DOMAIN}"
OWN_COOKIE = bytes(range(8))


@pytest.fixture
async def web(world, asked):
    """A DNS server over a world with a Service."""
    await world.create(SERVICE, {"metadata": {"name": "web"}, "spec": {"ports": [{"name": "http", "port": 80}]}})
    made = await world.get(SERVICE, "web")
    await asked.becomes(NAME, "A", [made.spec.cluster_ip])
    return asked


async def create_headless(world, endpoints):
    """The headless Service `many` with so many endpoints."""
    spec = {"clusterIP": "None", "ports": [{"name": "http", "port": 80}]}
    await world.create(SERVICE, {"metadata": {"name": "many"}, "spec": spec})
    addresses = [f"10.30.{number // 250}.{number % 250 + 1}" for number in range(endpoints)]
    await world.create(
        ENDPOINT_SLICE,
        {
            "metadata": {"name": "many-0", "labels": {"kubernetes.io/service-name": "many"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address]} for address in addresses],
            "ports": [{"name": "http", "port": 8080}],
        },
    )
    return sorted(addresses)


def header(flags=0, questions=1, answers=0, authorities=0, additionals=0):
    return struct.pack("!6H", 0x1234, flags, questions, answers, authorities, additionals)


def question(name=NAME, kind="A", rdclass=1):
    wire = dns.name.from_text(name).to_wire()
    return wire + struct.pack("!2H", dns.rdatatype.from_text(kind), rdclass)


def opt(version=0, size=4096, options=b"", flags=0):
    return b"\0" + struct.pack("!HHBBHH", 41, size, 0, version, flags, len(options)) + options


async def rcode_of(dns_server, data):
    found = dns.message.from_wire(await dns_server.datagram(data), ignore_trailing=False)
    return dns.rcode.to_text(found.rcode())


WRONG = [
    (header() + question(), "NOERROR"),
    (header(questions=2) + question() + question(), "FORMERR"),
    (header(questions=0), "FORMERR"),
    (header(questions=0, additionals=1) + opt(), "FORMERR"),
    (header(), "FORMERR"),
    (header() + question()[:-1], "FORMERR"),
    (header() + question() + b"\0", "FORMERR"),
    (header() + b"\xc0\x0c" + question()[-4:], "FORMERR"),
    (header() + b"\x40" + bytes(0x40) + question(), "FORMERR"),
    (header() + (b"\x3f" + b"a" * 63) * 4 + b"\0" + question()[-4:], "FORMERR"),
    (header(answers=1) + question(), "FORMERR"),
    (header(additionals=1) + question() + opt(), "NOERROR"),
    (header(additionals=1) + question() + opt(version=1), "BADVERS"),
    (header(additionals=2) + question() + opt() + opt(), "FORMERR"),
    (header(additionals=1) + question() + b"\x01a" + opt(), "FORMERR"),
    (header(answers=1) + question() + opt(), "FORMERR"),
    (header(additionals=1) + question() + opt(options=b"\0\x0a\0\x07" + bytes(7)), "FORMERR"),
    (header(additionals=1) + question() + opt(options=b"\0\x0a\0\x0f" + bytes(15)), "FORMERR"),
    (header(additionals=1) + question() + opt(options=b"\0\x0a\0\x29" + bytes(41)), "FORMERR"),
    (header(additionals=1) + question() + opt(options=b"\xff\xf0\0\x03abc"), "NOERROR"),
    (header(additionals=1) + question() + opt(options=b"\xff\xf0\0\x04abc"), "FORMERR"),
    (header(additionals=1) + question() + opt(options=b"\xff"), "FORMERR"),
    (header(additionals=1) + question() + opt(size=0), "NOERROR"),
    (header() + question(rdclass=3), "REFUSED"),
    (header() + question(rdclass=255), "REFUSED"),
    (header() + question("example.org."), "REFUSED"),
    (header() + question("."), "REFUSED"),
    (header() + question("local."), "REFUSED"),
    (header() + question("xcluster.local."), "REFUSED"),
    (header() + question("x\\.cluster.local."), "REFUSED"),
    (header() + question(kind="MAILB"), "NOTIMP"),
    (header() + question(kind="TSIG"), "FORMERR"),
    (header() + question(kind="OPT"), "FORMERR"),
    (header() + question(kind="TYPE65280"), "NOERROR"),
    (header() + question(f"web\\.default.svc.{DOMAIN[12:]}"), "NXDOMAIN"),
    (header() + question(f"\\000web.{DOMAIN}"), "NXDOMAIN"),
    (header() + question(f"\\255.{DOMAIN}"), "NXDOMAIN"),
    (header(flags=2 << 11) + question(), "NOTIMP"),
    (header(flags=4 << 11) + question("cluster.local.", "SOA"), "NOTIMP"),
    (header(flags=5 << 11) + question("cluster.local.", "SOA"), "NOTIMP"),
    (header(flags=15 << 11) + question(), "NOTIMP"),
]


async def test_what_is_wrong_with_a_query_is_told(web):
    found = [(data, await rcode_of(web, data)) for data, _ in WRONG]
    assert [each for each, wanted in zip(found, WRONG, strict=True) if each != wanted] == []


async def test_answers_and_fragments_are_not_answered(web):
    with web.socket() as client:
        loop = asyncio.get_running_loop()
        response = dns.message.make_response(dns.message.make_query(NAME, "A")).to_wire()
        for data in (b"", b"\0", header()[:-1], response, header(flags=0x8000) + question()):
            await loop.sock_sendall(client, data)
        await loop.sock_sendall(client, header(flags=0x0100) + question())
        (answer,) = [await asyncio.wait_for(loop.sock_recv(client, 4096), 10)]
        assert answer[:2] == b"\x12\x34"
        assert answer[2] & 0x80
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.sock_recv(client, 4096), 0.1)


async def test_a_response_repeats_what_it_has_to_of_the_query(web):
    for flags in (0, dns.flags.RD, dns.flags.CD, dns.flags.RD | dns.flags.CD | dns.flags.AD):
        query = dns.message.make_query("WeB.dEfault.svc.cluster.local", "A", use_edns=False)
        query.flags = flags
        # Twice: the first answer is made, the second is ready.
        for _ in range(2):
            response = await web.send(query)
            assert response.flags == dns.flags.QR | dns.flags.AA | flags & ~dns.flags.AD
            assert response.question[0].name.labels[0] == b"WeB"
            assert response.answer[0].name.labels[:2] == (b"WeB", b"dEfault")
            assert response.edns == -1
    for do in (False, True):
        for _ in range(2):
            response = await web.ask(NAME, use_edns=0, want_dnssec=do)
            assert (response.edns, response.payload, bool(response.ednsflags & dns.flags.DO)) == (0, 1232, do)
            assert response.options == ()
    response = await web.ask(NAME, use_edns=1, want_dnssec=True)
    assert (response.rcode(), response.edns, len(response.question)) == (dns.rcode.BADVERS, 0, 1)
    assert response.ednsflags & dns.flags.DO


async def test_errors_have_an_opt_record_if_the_query_has_one(web):
    """Without it, clients take the server for one that does not know EDNS (RFC 6891, 6.1.1 and 7)."""
    status, update = 2 << 11, 5 << 11
    for flags, questions in ((status, 1), (status, 0), (update, 1), (0, 2)):
        asked = question() * questions
        plain = await web.datagram(header(flags, questions) + asked)
        answer = await web.datagram(header(flags, questions, additionals=1) + asked + opt())
        assert (plain[12:], answer[12:15]) == (b"", b"\0\0\x29")
        assert answer[3] & 0xF == plain[3] & 0xF != dns.rcode.NOERROR


async def test_https_is_a_type_of_its_own(web):
    """Its number is that of a capital letter; only names are compared without regard to case."""
    for _ in range(2):
        for kind in ("HTTPS", "TYPE97"):
            response = await web.ask(NAME.upper(), kind)
            assert dns.rdatatype.to_text(response.question[0].rdtype) == kind
    web.responder.keep_up()
    assert REGISTRY.get_sample_value("fairlead_dns_queries_total", {"type": "HTTPS", "rcode": "NOERROR"}) >= 2


async def test_any_is_answered_with_one_record(world, web):
    response = await web.ask(NAME, "ANY")
    assert [rrset.to_text() for rrset in response.answer] == [f'{NAME} 5 IN HINFO "RFC8482" ""']
    spec = {"type": "ExternalName", "externalName": "db.example.com"}
    await world.create(SERVICE, {"metadata": {"name": "alias"}, "spec": spec})
    await web.becomes(f"alias.{DOMAIN}", "CNAME", ["db.example.com."])
    response = await web.ask(f"alias.{DOMAIN}", "ANY")
    assert [dns.rdatatype.to_text(rrset.rdtype) for rrset in response.answer] == ["CNAME"]
    assert (await web.ask(f"nothing.{DOMAIN}", "ANY")).rcode() == dns.rcode.NXDOMAIN
    assert (await web.ask(DOMAIN, "ANY")).answer == []


async def test_service_records_come_with_addresses_and_negative_answers_with_the_zone(world, web):
    response = await web.ask(f"_http._tcp.{NAME}", "SRV")
    service = await world.get(SERVICE, "web")
    assert [rrset.to_text() for rrset in response.additional] == [f"{NAME} 5 IN A {service.spec.cluster_ip}"]
    response = await web.ask("cluster.local.", "NS")
    assert [rrset.to_text() for rrset in response.additional] == ["ns.dns.cluster.local. 3600 IN A 127.0.0.1"]
    for name, kind in ((NAME, "AAAA"), (f"nothing.{DOMAIN}", "A")):
        (soa,) = (await web.ask(name, kind)).authority
        assert (soa.name.to_text(), soa.ttl, soa[0].minimum) == ("cluster.local.", 5, 5)
    serial = (await web.ask("cluster.local.", "SOA")).answer[0][0].serial
    await world.delete(SERVICE, "web")
    await web.becomes(NAME, "A", None)
    (soa,) = (await web.ask(f"nothing.{DOMAIN}", "A")).authority
    assert soa[0].serial > serial


async def test_a_cookie_is_given_and_known_again(web):
    async def ask(cookie):
        option = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, cookie)
        response = await web.ask(NAME, use_edns=0, options=[option])
        (found,) = response.options
        return found.to_wire()

    given = await ask(OWN_COOKIE)
    assert (given[:8], len(given)) == (OWN_COOKIE, 24)
    for _ in range(3):
        assert await ask(given) == given
    wrong = given[:-1] + bytes([given[-1] ^ 1])
    assert await ask(wrong) != wrong
    alone = await web.datagram(header(questions=0, additionals=1) + opt(options=b"\0\x0a\0\x08" + OWN_COOKIE))
    found = dns.message.from_wire(alone)
    assert (found.rcode(), found.question, len(found.options)) == (dns.rcode.NOERROR, [], 1)


async def test_an_answer_that_is_too_long_is_cut_and_whole_over_tcp(world, asked):
    addresses = await create_headless(world, 250)
    await asked.becomes(f"10-30-0-250.{MANY}", "A", ["10.30.0.250"])
    for size, most in ((None, 512), (512, 512), (1000, 1000), (1232, 1232), (4096, 1232), (100, 512)):
        options = {} if size is None else {"use_edns": 0, "payload": size}
        response = await asked.ask(MANY, **options)
        assert response.flags & dns.flags.TC
        assert most - 60 < len(response.to_wire()) <= most
        assert {each.to_text() for each in response.answer[0]} < set(addresses)
    assert await asked.values(MANY, tcp=True) == addresses
    targets = await asked.values(f"_http._tcp.{MANY}", "SRV", tcp=True)
    assert len(targets) == 250
    response = await asked.ask(f"_http._tcp.{MANY}", "SRV", tcp=True)
    assert len(response.additional) == 250


async def test_addresses_come_in_another_order_each_time(world, asked):
    addresses = await create_headless(world, 3)
    await asked.becomes(MANY, "A", addresses)
    firsts = Counter([(await asked.ask(MANY)).answer[0].to_rdataset()[0].to_text() for _ in range(300)])
    assert sorted(firsts) == addresses
    assert min(firsts.values()) > 50


async def test_a_network_that_had_enough_is_answered_short_until_it_shows_a_cookie(world):
    addresses = await create_headless(world, 60)
    async with answering(world, dns_rate_limit=2_000) as limited:
        await limited.becomes(f"10-30-0-60.{MANY}", "A", ["10.30.0.60"])
        whole = [await limited.ask(MANY, use_edns=0, payload=1232) for _ in range(100)]
        short = [each for each in whole if each.flags & dns.flags.TC]
        assert short
        assert {len(each.answer) for each in short} == {0}
        assert len(whole) > len(short) > 50
        assert await limited.values(MANY, tcp=True) == addresses
        option = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, OWN_COOKIE)
        response = await limited.ask(MANY, use_edns=0, options=[option])
        option = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, response.options[0].to_wire())
        for _ in range(50):
            response = await limited.ask(MANY, use_edns=0, payload=1232, options=[option])
            assert len(response.answer[0]) == 60


async def test_queries_over_tcp_may_come_in_pieces_and_before_answers_are_read(web):
    reader, writer = await asyncio.open_connection(web.host, web.port)
    framed = [dns.message.make_query(NAME, "A", id=number).to_wire(prepend_length=True) for number in range(1000)]
    data = b"".join(framed)
    for at in range(0, len(data), 777):
        writer.write(data[at : at + 777])
        await writer.drain()
    for number in range(1000):
        size = int.from_bytes(await reader.readexactly(2), "big")
        assert dns.message.from_wire(await reader.readexactly(size)).id == number
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()


def framed(first, number=3):
    """Questions as they are sent over one connection, with numbers from the first on."""
    names = [NAME, f"nothing.{DOMAIN}", f"_http._tcp.{NAME}"]
    kinds = ["A", "A", "SRV"]
    queries = [
        dns.message.make_query(names[at % 3], kinds[at % 3], id=first + at, use_edns=0 if at % 2 else False)
        for at in range(number)
    ]
    return b"".join(query.to_wire(prepend_length=True) for query in queries)


async def answers_to(server, pieces, first, number=3):
    """Send pieces of questions, each as a packet of its own; all are answered in their order."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        # The server is in this event loop, and has each piece when it comes to the turn after.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    async with asyncio.timeout(60):
        for at in range(number):
            size = int.from_bytes(await reader.readexactly(2), "big")
            answer = dns.message.from_wire(await reader.readexactly(size))
            rcode = dns.rcode.NXDOMAIN if at % 3 == 1 else dns.rcode.NOERROR
            assert (answer.id, answer.rcode(), bool(answer.answer)) == (first + at, rcode, at % 3 != 1)
    writer.close()


def split(data, *places):
    return [data[begin:end] for begin, end in pairwise((0, *places, len(data)))]


async def test_questions_over_tcp_may_be_split_at_every_byte(web):
    data = framed(0)
    for at in range(1, len(data)):
        await answers_to(web, split(data, at), 0)
    await answers_to(web, split(data, *range(1, len(data))), 0)


@pytest.mark.soak
async def test_questions_over_tcp_may_be_split_anywhere_under_load(web):
    chance, done = random.Random(1), asyncio.Event()

    async def load():
        while not done.is_set():
            await web.ask(NAME)

    async def client(first):
        for _ in range(20):
            data = framed(first, 60)
            places = sorted(chance.sample(range(1, len(data)), chance.randrange(1, 40)))
            await answers_to(web, split(data, *places), first, 60)

    async with asyncio.TaskGroup() as others:
        for _ in range(4):
            others.create_task(load())
        async with asyncio.TaskGroup() as clients:
            for number in range(50):
                clients.create_task(client(1000 * number))
        data = framed(0)
        for first, second in chance.sample(list(combinations(range(1, len(data)), 2)), 1000):
            await answers_to(web, split(data, first, second), 0)
        done.set()


async def test_ipv6_and_all_addresses_of_a_machine(world):
    for host in ("::1", "0.0.0.0", "::"):  # noqa: S104 - on loopback it is asked
        async with answering(world, host) as dns_server:
            asked_at = {"::1": ["::1"], "0.0.0.0": ["127.0.0.1", "127.0.0.9"], "::": ["::1", "127.0.0.9"]}[host]  # noqa: S104
            for address in asked_at:
                dns_server.host = address
                # The client takes an answer from the address only that it asked.
                assert await dns_server.values("dns-version.cluster.local.", "TXT") == ['"1.1.0"']
                assert await dns_server.values("dns-version.cluster.local.", "TXT", tcp=True) == ['"1.1.0"']
