"""Questions to another server."""

import asyncio

import dns.message
import psutil

from app.providers.dns.servers import Server, asked
from tests.giving_up import each_way_to_give_up


class Willing(asyncio.DatagramProtocol):
    """Answers each question without an error; before that, it sends what is no answer to it."""

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, addr):
        answer = dns.message.make_response(dns.message.from_wire(data))
        answer.id ^= 1
        self._transport.sendto(answer.to_wire(), addr)
        answer.id ^= 1
        self._transport.sendto(answer.to_wire(), addr)


def sockets():
    return len(psutil.Process().net_connections("udp"))


async def test_a_question_that_is_given_up_leaves_no_socket_behind():
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Willing, local_addr=("127.0.0.1", 0))
    server = Server(*transport.get_extra_info("sockname"))
    before = sockets()
    assert await each_way_to_give_up(lambda: asked(server, dns.message.make_query("example.org", "SOA"))) > 0
    assert sockets() == before
    transport.close()
