"""Servers that take traffic, and clients that send it."""

import asyncio
import contextlib


class Backend:
    """A TCP server that says its name first, then echoes; it counts connections."""

    def __init__(self, name, host="127.0.0.1", port=0, *, speaks_first=True, sock=None):
        self.name, self.host, self.port = name, host, port
        self.speaks_first = speaks_first
        self._where = {"host": host, "port": port} if sock is None else {"sock": sock}
        self.connections = 0
        self.received = []
        self._writers = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, **self._where, backlog=4096)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        await self.stop()

    async def stop(self):
        """Stop at once: open connections end as well."""
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader, writer):
        self.connections += 1
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            if self.speaks_first:
                writer.write(f"{self.name}\n".encode())
            while data := await reader.read(65536):
                self.received = [*self.received[-99:], data]
                writer.write(data)
                await writer.drain()
        self._writers.discard(writer)
        writer.close()


class UdpBackend(asyncio.DatagramProtocol):
    """A UDP server that answers with its name and what came."""

    def __init__(self, name):
        self.name = name
        self.clients = []

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_):
        self._transport.close()

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, addr):
        self.clients.append(addr)
        self._transport.sendto(f"{self.name} ".encode() + data, addr)


async def greeting(address, port, source=None, wait=5.0):
    """What a server says first; "" when it closes without a word, None when nobody takes the connection."""
    try:
        async with asyncio.timeout(wait):
            reader, writer = await asyncio.open_connection(address, port, local_addr=(source, 0) if source else None)
    except OSError:
        return None
    try:
        async with asyncio.timeout(wait):
            return (await reader.readline()).decode().strip()
    except OSError:
        return ""
    finally:
        writer.close()


class _Client(asyncio.DatagramProtocol):
    def __init__(self):
        self.answer = asyncio.get_running_loop().create_future()

    def datagram_received(self, data, _addr):
        if not self.answer.done():
            self.answer.set_result(data.decode())

    def error_received(self, _exc):
        if not self.answer.done():
            self.answer.set_result(None)


async def datagram(address, port, text="ping", source=None, wait=0.5):
    """The answer to a datagram, None if none comes in time or nobody listens."""
    transport, client = await asyncio.get_running_loop().create_datagram_endpoint(
        _Client, remote_addr=(address, port), local_addr=(source, 0) if source else None
    )
    try:
        transport.sendto(text.encode())
        return await asyncio.wait_for(client.answer, wait)
    except TimeoutError:
        return None
    finally:
        transport.close()
