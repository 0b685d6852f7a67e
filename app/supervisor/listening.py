"""Sockets to listen on. They are bound before anything else starts."""

import ipaddress
import socket

from app.supervisor.errors import CannotListenError


def reserve(host: str, port: int, flag: str = "--port") -> socket.socket:
    """Bind a socket to an address on which nobody else listens.

    Args:
        host: An IP address.
        port: 0 takes a free port.
        flag: The flag that chooses another port, for the message.

    Raises:
        CannotListenError: The port is in use, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET  # noqa: PLR2004 - the protocol's own number
    try:
        # A socket that shares its port shares it with every other process of the same user. So one that does not share
        # it is bound first, to find out whether the port is free.
        with _socket(family) as alone:
            alone.bind((host, port))
            return _bind_shared(alone)
    except OSError as error:
        raise CannotListenError(
            f"cannot listen on {host} port {port}: {error.strerror}; stop the program that does, or choose "
            f"another {flag}"
        ) from error


def inherit(descriptor: int) -> socket.socket:
    """Take over a socket that the parent process bound.

    Raises:
        CannotListenError: The descriptor is not open, or is not one of a socket.
    """
    try:
        return socket.socket(fileno=descriptor)
    except OSError as error:
        raise CannotListenError(
            f"cannot listen on descriptor {descriptor}: {error.strerror}; --fd takes the number of a bound socket that "
            "the parent process leaves open; give --host and --port instead if there is none"
        ) from error


def share(reserved: socket.socket) -> socket.socket:
    """Bind one more socket to the address of a reserved one, for one process alone.

    The kernel distributes connections over the sockets that listen on the address (SO_REUSEPORT, socket(7)). If several
    processes had one socket, the first to wake up would take all waiting connections, and the socket would go on
    listening after a process died.

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
    """The URL at which this machine reaches a server that listens on an address; for 0.0.0.0 and ::, loopback."""
    address = ipaddress.ip_address(host)
    if address.is_unspecified:
        address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")  # noqa: PLR2004 - as above
    return f"{scheme}://{address}:{port}" if address.version == 4 else f"{scheme}://[{address}]:{port}"  # noqa: PLR2004 - as above
