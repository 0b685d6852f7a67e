"""Sockets to listen on, bound before anything else starts."""

import ipaddress
import socket

from app.supervisor.errors import CannotListenError


def reserve(host: str, port: int, flag: str = "--port") -> socket.socket:
    """Binds a socket to an address that nobody else listens on.

    Args:
        host: An IP address.
        port: 0 takes a free one.
        flag: Where another port can be chosen.

    Raises:
        CannotListenError: The port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET  # noqa: PLR2004 - the protocol's own number
    try:
        # Sockets that share their port share it with any other process of the same user; this one does not.
        with _socket(family) as alone:
            alone.bind((host, port))
            return _bind_shared(alone)
    except OSError as error:
        raise CannotListenError(
            f"cannot listen on {host} port {port}: {error.strerror}; stop what listens there, or choose another {flag}"
        ) from error


def inherit(descriptor: int) -> socket.socket:
    """Takes over a socket that the parent bound.

    Raises:
        CannotListenError: The descriptor is not open, or no socket's.
    """
    try:
        return socket.socket(fileno=descriptor)
    except OSError as error:
        raise CannotListenError(
            f"cannot listen on descriptor {descriptor}: {error.strerror}; --fd takes the number of a bound socket that "
            "the parent process leaves open, --host and --port need none"
        ) from error


def share(reserved: socket.socket) -> socket.socket:
    """Binds one more socket to the address of a reserved one, for one process alone.

    The kernel shares out connections among those that listen (SO_REUSEPORT, socket(7)). Of one socket that several
    processes have, whichever wakes first takes all that wait; and it would go on listening when its process has died.

    Raises:
        OSError: It cannot be bound.
    """
    return _bind_shared(reserved)


def _socket(family: socket.AddressFamily) -> socket.socket:
    created = socket.socket(family, socket.SOCK_STREAM)
    created.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return created


def _bind_shared(like: socket.socket) -> socket.socket:
    sharing = _socket(like.family)
    sharing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sharing.bind(like.getsockname())
    return sharing


def url(host: str, port: int, scheme: str = "http") -> str:
    """Where this machine reaches what listens on an IP address, which may be the one that stands for all."""
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")  # noqa: PLR2004 - as above
    return f"{scheme}://{address}:{port}" if address.version == 4 else f"{scheme}://[{address}]:{port}"  # noqa: PLR2004 - as above
