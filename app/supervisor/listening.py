"""Sockets to listen on. They are bound before anything else starts."""

import errno
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
    try:
        # A socket that shares its port shares it with every other process of the same user. So one that does not share
        # it is bound first, to find out whether the port is free.
        with _socket(_family(host)) as alone:
            alone.bind((host, port))
            return _bind_shared(alone)
    except OSError as error:
        raise CannotListenError(
            f"cannot listen on {host} port {port}: {error.strerror}; {_advice(error, host, flag)}"
        ) from error


def reserve_dns(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Bind the sockets of one DNS process, for UDP and for TCP; other DNS processes of the user may share the port.

    Raises:
        CannotListenError: Another program has the port, or the address is not one of this machine.
    """
    sockets = []
    try:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            sockets.append(_socket(_family(host), kind))
            sockets[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sockets[-1].bind((host, port))
    except OSError as error:
        for each in sockets:
            each.close()
        raise _no_dns(host, port, error) from error
    return sockets[0], sockets[1]


def check_dns(host: str, port: int) -> None:
    """Check that nobody answers DNS queries on an address.

    Raises:
        CannotListenError: Somebody does, or the address is not one of this machine.
    """
    try:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with _socket(_family(host), kind) as alone:
                alone.bind((host, port))
    except OSError as error:
        raise _no_dns(host, port, error) from error


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


def _no_dns(host: str, port: int, error: OSError) -> CannotListenError:
    return CannotListenError(
        f"cannot answer DNS queries on {host} port {port}: {error.strerror}; {_advice(error, host, '--dns-port')}"
    )


def _advice(error: OSError, host: str, flag: str) -> str:
    """What to do about an address that cannot be bound; the flag chooses another port."""
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        other = ", such as ::1 where there is no IPv4" if _family(host) == socket.AF_INET else ""
        return f"this machine does not have the address; choose another {flag.replace('port', 'host')}{other}"
    if error.errno == errno.EACCES:
        return f"this user may not listen there; choose a {flag} from 1024 on, or give it CAP_NET_BIND_SERVICE"
    return f"stop the program that does, or choose another {flag}"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET  # noqa: PLR2004 - the protocol's own number


def _socket(family: socket.AddressFamily, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    created = socket.socket(family, kind)
    if kind == socket.SOCK_STREAM:
        created.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return created


def _bind_shared(like: socket.socket) -> socket.socket:
    sharing = _socket(like.family)
    sharing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sharing.bind(like.getsockname())
    return sharing


def reachable(host: str) -> str:
    """The address at which this machine reaches a server that listens on one; for 0.0.0.0 and ::, loopback."""
    address = ipaddress.ip_address(host)
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004 - the protocol's own number


def url(host: str, port: int, scheme: str = "http") -> str:
    """The URL at which this machine reaches a server that listens on an address; see `reachable`."""
    address = reachable(host)
    return f"{scheme}://[{address}]:{port}" if ":" in address else f"{scheme}://{address}:{port}"
