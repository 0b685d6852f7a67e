"""DNS over TCP (RFC 7766): messages with their lengths before them, any number on one connection, answered in order."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address
from typing import cast

import structlog

from app.telemetry.metrics import DNS_CONNECTIONS, DNS_SECONDS

_LENGTH_BYTES = 2
_IDLE_SECONDS = 20.0
"""A connection on which no whole query came for so long is closed; likewise one whose client does not read."""

_MOST_CONNECTIONS = 2_000
_MOST_OF_A_CLIENT = 200
_SHORTEST_MESSAGE = 12
_WAITING_BYTES = 128 * 1024
"""When so many bytes of answers wait for a client to read them, nothing more is read from it."""

_log = structlog.stdlib.get_logger(__name__)


class Connections:
    """The connections of this process, which are bounded in all and for each client."""

    def __init__(self) -> None:
        self._clients: dict[bytes, int] = {}
        self._open: set[asyncio.Transport] = set()

    def add(self, client: bytes, transport: asyncio.Transport) -> bool:
        """Note a connection; answers whether there is room for it."""
        if len(self._open) >= _MOST_CONNECTIONS or self._clients.get(client, 0) >= _MOST_OF_A_CLIENT:
            return False
        self._clients[client] = self._clients.get(client, 0) + 1
        self._open.add(transport)
        DNS_CONNECTIONS.set(len(self._open))
        return True

    def remove(self, client: bytes, transport: asyncio.Transport) -> None:
        """Forget a connection that has ended."""
        if transport not in self._open:
            return
        self._open.discard(transport)
        self._clients[client] -= 1
        if not self._clients[client]:
            del self._clients[client]
        DNS_CONNECTIONS.set(len(self._open))

    def close(self) -> None:
        """End all connections."""
        for transport in tuple(self._open):
            transport.abort()


class Connection(asyncio.Protocol):
    """One connection.

    Args:
        answer: Gets a query and its client's address, 4 or 16 bytes; None ends the connection.
        transfer: Gets the same; answers all messages of a zone transfer, or None if that is not asked for.
        connections: Of the process.
    """

    def __init__(
        self,
        answer: Callable[[bytes, bytes], bytes | None],
        transfer: Callable[[bytes, bytes], AsyncIterator[bytes] | None],
        connections: Connections,
    ) -> None:
        self._answer = answer
        self._transfer = transfer
        self._sending: asyncio.Task[None] | None = None
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._connections = connections
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._client = b""
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless there are too many."""
        stream = cast("asyncio.Transport", transport)
        address = ip_address(transport.get_extra_info("peername")[0].partition("%")[0])
        mapped = address.ipv4_mapped if address.version == 6 else None  # noqa: PLR2004 - the protocol's own number
        self._client = (mapped or address).packed
        if not self._connections.add(self._client, stream):
            stream.abort()
            return
        self._transport = stream
        stream.set_write_buffer_limits(high=_WAITING_BYTES)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        del exc
        if self._timer is not None:
            self._timer.cancel()
        if self._sending is not None:
            self._sending.cancel()
        if self._transport is not None:
            self._connections.remove(self._client, self._transport)
            self._transport = None

    def data_received(self, data: bytes) -> None:
        """Answer the queries that are whole."""
        self._received += data
        self._advance()

    def pause_writing(self) -> None:
        """Read no more until the client has read what it was sent."""
        self._paused = True
        self._can_write.clear()
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self._paused = False
        self._can_write.set()
        if self._transport is not None and self._sending is None:
            self._transport.resume_reading()
            self._advance()

    def _advance(self) -> None:
        at, transport = 0, self._transport
        while transport is not None and not (self._paused or self._sending or transport.is_closing()):
            query = self._query(at)
            if query is None:
                break
            messages = self._transfer(query, self._client) if len(query) >= _SHORTEST_MESSAGE else None
            if messages is not None:
                transport.pause_reading()
                self._sending = asyncio.create_task(self._send(messages, transport), name="zone transfer")
                at += _LENGTH_BYTES + len(query)
                break
            started = time.perf_counter()
            answer = self._answer(query, self._client) if len(query) >= _SHORTEST_MESSAGE else None
            if answer is None:
                transport.abort()
                return
            transport.write(len(answer).to_bytes(_LENGTH_BYTES, "big") + answer)
            DNS_SECONDS.labels("tcp").observe(time.perf_counter() - started)
            at += _LENGTH_BYTES + len(query)
        if at:
            del self._received[:at]
            self._wait()

    async def _send(self, messages: AsyncIterator[bytes], transport: asyncio.Transport) -> None:
        """Send the messages of a transfer as fast as the client reads them; then go on with other queries."""
        try:
            async for message in messages:
                transport.write(len(message).to_bytes(_LENGTH_BYTES, "big") + message)
                self._wait()
                await self._can_write.wait()
        except Exception:  # noqa: BLE001 - the client sees that the transfer is not whole, and the server goes on
            _log.exception("a zone transfer ended early")
            transport.abort()
        self._sending = None
        if not transport.is_closing():
            transport.resume_reading()
            self._advance()

    def _query(self, at: int) -> bytes | None:
        """The query whose length stands at a place, None while it is not whole."""
        start = at + _LENGTH_BYTES
        if len(self._received) < start:
            return None
        end = start + int.from_bytes(self._received[at:start], "big")
        return bytes(self._received[start:end]) if len(self._received) >= end else None

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._transport.abort)
