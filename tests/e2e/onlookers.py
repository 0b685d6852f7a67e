"""Those who only look, all the time, whatever becomes of the database: the first one that is failed ends the test."""

import asyncio

from tests.dataplane.backends import greeting
from tests.dns.answering import Asked
from tests.e2e.client import Connection

PAUSE = 0.02


class Onlooker:
    """Looks again and again.

    Attributes:
        looks: How often all was well.
    """

    looks = 0

    async def run(self):
        """Look until cancelled."""
        try:
            while True:
                await self.look()
                self.looks += 1
                await asyncio.sleep(PAUSE)
        finally:
            self.close()

    def close(self):
        """Leave nothing open."""


class Reader(Onlooker):
    """Reads what an API process has in memory."""

    def __init__(self, url, path):
        self._connection = Connection(url)
        self._path = path

    async def look(self):
        # A page: decoding all of hundreds, fifty times a second, would leave the others little of the machine.
        reply = await self._connection.request("GET", f"{self._path}?resourceVersion=0&limit=10")
        assert reply.status == 200, reply.document

    def close(self):
        self._connection.close()


class Visitor(Onlooker):
    """Comes to a load balancer as a new client, and is led to the one member there is."""

    def __init__(self, address, port, member):
        self._address, self._port, self._member = address, port, member

    async def look(self):
        assert await greeting(self._address, self._port, wait=30) == self._member


class Talker(Onlooker):
    """Has one connection through a load balancer, on which it is answered."""

    def __init__(self, address, port):
        self._address, self._port = address, port
        self._writer = None

    async def look(self):
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._address, self._port)
            await self._reader.readline()
        self._writer.write(b"there?\n")
        async with asyncio.timeout(30):
            assert await self._reader.readline() == b"there?\n"

    def close(self):
        if self._writer is not None:
            self._writer.close()


class Resolver(Onlooker):
    """Asks a DNS server for a Service's address."""

    def __init__(self, port, name, address):
        self._server = Asked("127.0.0.1", port)
        self._name, self._address = name, address

    async def look(self):
        assert await self._server.values(self._name) == [self._address]
