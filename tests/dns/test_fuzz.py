"""Random and mutated queries: nothing crashes, no answer is answered, and nothing is amplified beyond the limit."""

import asyncio
import random
import struct
import time

import dns.message
import dns.name
import pytest

from app.serving.dns.queries import MOST_UDP_BYTES
from app.serving.dns.rate_limit import AMPLIFICATION
from tests.dns.answering import answering
from tests.dns.subjects import create, create_namespaces, wanted
from tests.dns.table import Table

SHORT, LONG = 10_000, 1_000_000
FRAMINGS, LONG_FRAMINGS = 200, 20_000
RATE = 10_000
CLIENT = bytes((192, 0, 2, 1))
KINDS = (1, 2, 5, 6, 12, 16, 28, 33, 41, 43, 65, 249, 250, 251, 252, 253, 254, 255, 0, 65535)
OPTIONS = (
    b"",
    b"\x00\x0a\x00\x08abcdefgh",
    b"\x00\x0a\x00\x18" + bytes(24),
    b"\x00\x03\x00\x00",
    b"\x00\x08\x00\x04abcd",
)


class Queries:
    """Makes queries, most of them nearly right.

    Args:
        chance: Random numbers.
        names: That are there, or nearly.
    """

    def __init__(self, chance, names):
        self._chance = chance
        self._names = [dns.name.from_text(name).to_wire() for name in names]

    def query(self):
        """The bytes of one."""
        chance = self._chance
        if chance.random() < 0.05:
            return chance.randbytes(chance.randrange(200))
        data = self._plain()
        for _ in range(chance.choice((0, 0, 1, 1, 2, 5))):
            data = self._mutated(data)
        return data

    def _plain(self):
        chance = self._chance
        flags = chance.choice((0, 0x0100, 0x0110, 0x8000, 0x2000, 0x2800, chance.getrandbits(16)))
        counts = chance.choice(((1, 0, 0, 0), (1, 0, 0, 1), (1, 0, 0, 1), (0, 0, 0, 1), (2, 0, 0, 0), (1, 1, 1, 1)))
        name = bytearray(chance.choice(self._names))
        if chance.random() < 0.3:
            name = bytearray(bytes(name).upper() if chance.random() < 0.5 else b"\x04evil" + name)
        klass = chance.choice((1, 1, 1, 1, 3, 255))
        data = struct.pack("!6H", chance.getrandbits(16), flags, *counts) + bytes(name)
        data += struct.pack("!2H", chance.choice(KINDS), klass)
        if counts[3]:
            options = b"".join(chance.choices(OPTIONS, k=chance.randrange(3)))
            size, version = chance.choice((0, 512, 1232, 4096, 65535)), chance.choice((0, 0, 0, 1))
            data += b"\0" + struct.pack("!HHBBHH", 41, size, 0, version, 0, len(options)) + options
        return data

    def _mutated(self, data):
        chance, changed = self._chance, bytearray(data)
        at = chance.randrange(len(changed) + 1)
        how = chance.randrange(4)
        if how == 0 and at < len(changed):
            changed[at] = chance.getrandbits(8)
        elif how == 1:
            del changed[at:]
        elif how == 2:
            changed[at:at] = chance.randbytes(chance.randrange(1, 20))
        else:
            changed[at:at] = changed[: chance.randrange(40)]
        return bytes(changed)


@pytest.fixture
async def answered(world):
    """A responder over Services of all kinds, and the names in the table of questions about them."""
    await create_namespaces(world)
    made = [await create(world, subject, spec) for subject, spec in wanted()]
    async with answering(world, dns_rate_limit=RATE) as server:
        await server.becomes("dns-version.cluster.local.", "TXT", ['"1.1.0"'])
        yield server.responder, [name for name, _ in Table(made).questions]


async def flood(responder, names, number):
    chance = random.Random(number)
    queries, excess, started = Queries(chance, names), 0, time.monotonic()
    for count in range(number):
        query = queries.query()
        answer = responder.datagram(query, CLIENT)
        if len(query) < 12 or query[2] & 0x80:
            assert answer is None, query
            continue
        assert answer[:2] == query[:2], query
        assert answer[2] & 0x80, query
        assert answer[3] & 0xF != dns.rcode.SERVFAIL, query
        assert len(answer) <= MOST_UDP_BYTES, query
        assert responder.datagram(answer, CLIENT) is None, query
        excess += max(0, len(answer) - AMPLIFICATION * len(query))
        if count % 20 == 0:
            dns.message.from_wire(answer)
            await asyncio.sleep(0)
    # What was sent beyond the allowed amplification came out of the budget; nobody had a valid cookie.
    assert excess <= RATE * (time.monotonic() - started + 3)


async def test_nothing_that_is_sent_over_udp_does_harm(answered):
    await flood(*answered, SHORT)


@pytest.mark.soak
async def test_a_million_queries_over_udp_do_no_harm(answered):
    await flood(*answered, LONG)


async def frame(asked, names, number):
    """Connections with whole, cut, mutated and wrongly framed queries; each is answered or closed."""
    chance = random.Random(number)
    queries = Queries(chance, names)
    for _ in range(number):
        reader, writer = await asyncio.open_connection(asked.host, asked.port)
        for _ in range(chance.randrange(1, 20)):
            query = queries.query()
            length = len(query) if chance.random() < 0.8 else chance.getrandbits(16)
            writer.write(length.to_bytes(2, "big") + query)
        writer.write_eof()
        async with asyncio.timeout(30):
            try:
                while size := await reader.readexactly(2):
                    answer = await reader.readexactly(int.from_bytes(size, "big"))
                    assert answer[2] & 0x80
            except (asyncio.IncompleteReadError, ConnectionResetError):
                pass
        writer.close()
    assert await asked.values("dns-version.cluster.local.", "TXT", tcp=True) == ['"1.1.0"']


async def test_nothing_that_is_sent_over_tcp_does_harm(asked):
    await frame(asked, ["kubernetes.default.svc.cluster.local.", "cluster.local.", "example.org."], FRAMINGS)


@pytest.mark.soak
async def test_many_wrong_framings_over_tcp_do_no_harm(asked):
    await frame(asked, ["kubernetes.default.svc.cluster.local.", "cluster.local.", "example.org."], LONG_FRAMINGS)
