"""A DNS server over a world, and a client of it."""

import asyncio
import socket
from contextlib import asynccontextmanager

import dns.asyncquery
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from app.main.dns import dns_server, keep_serials
from app.main.zones import zone_followers
from app.serving.dns.cookies import Cookies
from app.settings.processes import DNSProcessSettings
from tests.e2e.waiting import eventually

TIMEOUT = 10
SECRET = bytes(range(16))


class Asked:
    """Asks a DNS server, as any client does.

    Attributes:
        host: Its address.
        port: Its port.
        responder: What answers, to be asked without a socket; None if it is another program.
    """

    def __init__(self, host, port, responder=None):
        self.host, self.port, self.responder = host, port, responder

    async def ask(self, name, kind="A", *, tcp=False, **options):
        """The whole response. Queries have no EDNS unless `options` ask for it."""
        return await self.send(dns.message.make_query(name, kind, **{"use_edns": False, **options}), tcp=tcp)

    async def send(self, query, *, tcp=False):
        over = dns.asyncquery.tcp if tcp else dns.asyncquery.udp
        # dnspython's own limit loses a cancellation that comes with the answer.
        async with asyncio.timeout(TIMEOUT):
            return await over(query, self.host, port=self.port)

    async def ask_all(self, questions):
        """The responses to many questions, which are sent over one connection without waiting for each other."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        queries = [
            dns.message.make_query(name, kind, use_edns=False, id=at) for at, (name, kind) in enumerate(questions)
        ]
        for query in queries:
            writer.write(query.to_wire(prepend_length=True))
        found = []
        async with asyncio.timeout(TIMEOUT * 6):
            for query in queries:
                size = int.from_bytes(await reader.readexactly(2), "big")
                found.append(dns.message.from_wire(await reader.readexactly(size)))
                assert query.is_response(found[-1])
        writer.close()
        await writer.wait_closed()
        return found

    async def values(self, name, kind="A", **options):
        """The data of the answer's records of the type, sorted; None if there is no such name."""
        response = await self.ask(name, kind, **options)
        if response.rcode() == dns.rcode.NXDOMAIN:
            return None
        assert response.rcode() == dns.rcode.NOERROR, response
        wanted = dns.rdatatype.from_text(kind)
        return sorted(each.to_text() for rrset in response.answer if rrset.rdtype == wanted for each in rrset)

    async def becomes(self, name, kind, expected):
        """Wait until the answer is what is expected; a list, or None for no such name."""

        async def is_it():
            return await self.values(name, kind) == expected

        await eventually(is_it)

    async def datagram(self, data):
        """Send bytes, and answer the next bytes that come back."""
        loop = asyncio.get_running_loop()
        with self.socket() as client:
            await loop.sock_sendall(client, data)
            return await asyncio.wait_for(loop.sock_recv(client, 65535), TIMEOUT)

    def socket(self):
        client = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET, socket.SOCK_DGRAM)
        client.setblocking(False)
        client.connect((self.host, self.port))
        return client


def free_sockets(host="127.0.0.1"):
    """Sockets for UDP and TCP on a port that nobody has."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        datagrams, listener = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family)
        datagrams.bind((host, 0))
        try:
            listener.bind((host, datagrams.getsockname()[1]))
        except OSError:
            datagrams.close()
            listener.close()
        else:
            return datagrams, listener


@asynccontextmanager
async def answering(world, host="127.0.0.1", **settings):
    """A DNS server over the parts of a world, until the end of the block."""
    given = DNSProcessSettings(**{"dns_advertise_addresses": "127.0.0.1", **settings})
    followers = zone_followers(world.parts, given.dns_addresses)
    server = dns_server(world.parts, given, Cookies((SECRET,)), followers)
    datagrams, listener = free_sockets(host)
    listener.listen()
    port, stopping = listener.getsockname()[1], asyncio.Event()
    serving = asyncio.gather(server.serve(datagrams, listener, stopping), keep_serials(followers.journals, stopping))
    try:
        yield Asked("127.0.0.1" if host == "0.0.0.0" else host, port, server.responder)  # noqa: S104 - compared
    finally:
        stopping.set()
        await serving
