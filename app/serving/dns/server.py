"""The DNS server of one process: its sockets, and the parts that answer."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from app.cluster.dns_names import DNSNames
from app.cluster.dns_zones import DNSZones
from app.serving.dns.answering import Answering
from app.serving.dns.cookies import Cookies
from app.serving.dns.rate_limit import RateLimit
from app.serving.dns.responder import Responder
from app.serving.dns.tallies import Tallies
from app.serving.dns.tcp import Connection, Connections
from app.serving.dns.transfers import TransferParts, Transfers
from app.serving.dns.udp import Datagrams
from app.telemetry.metrics import DNS_SERIAL

_KEEP_UP_SECONDS = 1.0
_BACKLOG = 1024


class DNSServer:
    """Answers from the zones and names of this moment.

    Attributes:
        responder: Gets what comes in.

    Args:
        zones: With authority for them.
        names: In them.
        cookies: Of this server.
        rate: See `RateLimit`.
        transfers: What zone transfers are made from.
    """

    def __init__(self, zones: DNSZones, names: DNSNames, cookies: Cookies, rate: int, transfers: TransferParts) -> None:
        tallies = Tallies()
        self._zones = zones
        answering = Answering(zones, names, tallies)
        self.responder = Responder(answering, cookies, RateLimit(rate, time.monotonic), tallies, transfers.keys)
        self._transfers = Transfers(transfers)
        names.when_changed(self._changed)

    async def serve(
        self,
        datagrams: socket.socket,
        listener: socket.socket,
        stopping: asyncio.Event,
        *,
        listening: Callable[[], None] = lambda: None,
    ) -> None:
        """Answer until `stopping` is set, then close both sockets.

        Args:
            datagrams: A bound socket for UDP.
            listener: A bound socket for TCP.
            stopping: Set to stop.
            listening: Called once queries are answered.
        """
        connections = Connections()
        udp = Datagrams(datagrams, self.responder.datagram)
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self.responder.stream, self._transfers.answer, connections),
            sock=listener,
            backlog=_BACKLOG,
        )
        udp.start()
        listening()
        try:
            while not stopping.is_set():
                self._keep_up()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_KEEP_UP_SECONDS):
                        await stopping.wait()
        finally:
            udp.close()
            server.close()
            connections.close()
            self._keep_up()

    def _changed(self, places: Iterable[str] | None) -> None:
        self.responder.forget(places)

    def _keep_up(self) -> None:
        self.responder.keep_up()
        for zone in self._zones.zones.values():
            DNS_SERIAL.labels(zone.name).set(self._zones.serial(zone))
