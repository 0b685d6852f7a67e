"""The server of the discovery protocol, over TCP with mutual TLS, on loopback without, or on a Unix socket."""

from pathlib import Path

import grpc
from envoy.service.discovery.v3.ads_pb2_grpc import add_AggregatedDiscoveryServiceServicer_to_server

from app.serving.xds.streams import DiscoveryService

_LARGEST_REQUEST_BYTES = 32 * 2**20
"""An Envoy that connects again says what it has: about 100 bytes for each of its resources."""

_MOST_STREAMS = 1_000
_STOP_SECONDS = 1.0
_OPTIONS = (
    ("grpc.max_receive_message_length", _LARGEST_REQUEST_BYTES),
    ("grpc.max_send_message_length", -1),
    # An Envoy whose machine is gone says nothing any more: ask.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.so_reuseport", 0),
)


class XdsServer:
    """Listens from `start` to `stop`."""

    def __init__(self, service: DiscoveryService) -> None:
        self._server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=_MOST_STREAMS)
        add_AggregatedDiscoveryServiceServicer_to_server(service, self._server)

    def listen(self, address: str, credentials: grpc.ServerCredentials | None) -> int:
        """Listen at `host:port`; answers the port.

        Raises:
            RuntimeError: The address is in use.
        """
        if credentials is None:
            return self._server.add_insecure_port(address)
        return self._server.add_secure_port(address, credentials)

    def listen_on(self, socket: Path) -> None:
        """Listen on a Unix socket. Who can open it needs no certificate."""
        socket.unlink(missing_ok=True)
        self._server.add_insecure_port(f"unix:{socket}")

    async def start(self) -> None:
        """Accept connections."""
        await self._server.start()

    async def stop(self) -> None:
        """End all streams; the Envoys go on with what they have."""
        await self._server.stop(_STOP_SECONDS)
