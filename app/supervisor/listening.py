"""Sockets to listen on, bound before anything else starts."""

import ipaddress
import socket

from app.supervisor.errors import CannotListenError


def bind(host: str, port: int, count: int = 1) -> list[socket.socket]:
    """Binds `count` sockets to one address, among which the kernel shares out connections.

    A process each with a socket of its own has its fair share of connections (SO_REUSEPORT, socket(7)); of one socket
    shared by several, whichever wakes first takes all that wait.

    Args:
        host: An IP address.
        port: 0 takes a free one, the same for all.
        count: How many sockets.

    Raises:
        CannotListenError: The port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET  # noqa: PLR2004  the protocol's own number
    try:
        # Sockets that share a port share it with any other process of the same user; this one does not.
        with _socket(family) as alone:
            alone.bind((host, port))
            port = alone.getsockname()[1]
        sockets = []
        for _ in range(count):
            sockets.append(sharing := _socket(family))
            sharing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sharing.bind((host, port))
    except OSError as error:
        raise CannotListenError(
            f"cannot listen on {host} port {port}: {error.strerror}; stop what listens there, or choose another --port"
        ) from error
    return sockets


def _socket(family: socket.AddressFamily) -> socket.socket:
    created = socket.socket(family, socket.SOCK_STREAM)
    created.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return created


def url(host: str, port: int) -> str:
    """Where this machine reaches what listens on an IP address, which may be the one that stands for all."""
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")  # noqa: PLR2004  as above
    return f"http://{address}:{port}" if address.version == 4 else f"http://[{address}]:{port}"  # noqa: PLR2004  as above
