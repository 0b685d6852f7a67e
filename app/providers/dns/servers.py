"""Questions to another DNS server, and what can be wrong with its answers."""

import asyncio
import contextlib
import socket
from collections.abc import Collection
from dataclasses import dataclass

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.SOA
import dns.rrset
import dns.tsig

ASK_SECONDS = 2.0
"""How long a server may take to answer."""

_ATTEMPTS = 2
_LARGEST_DATAGRAM = 65_535

_PEER_ERRORS: dict[type[Exception], str] = {
    dns.tsig.PeerBadKey: "BADKEY: it does not know the key",
    dns.tsig.PeerBadSignature: "BADSIG: it has another secret for the key",
    dns.tsig.PeerBadTime: "BADTIME: its clock differs",
}


class ServerError(Exception):
    """A DNS server did not do what it was asked.

    Attributes:
        reason: Why, as one word in CamelCase: Unreachable, Refused, NotAuthoritative, BadKey, BadAnswer.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server listens, and how messages to it are signed.

    Attributes:
        host: Its IP address.
        port: UDP and TCP.
        key: None for messages that are not signed.
    """

    host: str
    port: int
    key: dns.tsig.Key | None = None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


FAILURES = (TimeoutError, OSError, EOFError, dns.exception.DNSException)
"""What can be raised while a server is asked."""


def failure(server: Server, error: Exception) -> ServerError:
    """What one of `FAILURES` says of a server."""
    if isinstance(error, TimeoutError):
        return ServerError("Unreachable", f"{server} cannot be reached: it does not answer")
    if isinstance(error, OSError | EOFError):
        return ServerError("Unreachable", f"{server} cannot be reached: {error or type(error).__name__}")
    for kind, words in _PEER_ERRORS.items():
        if isinstance(error, kind):
            return ServerError("BadKey", f"{server} answers {words}")
    return ServerError("BadAnswer", f"{server} answers what cannot be read: {error or type(error).__name__}")


async def serial_at(server: Server, zone: str) -> int:
    """The serial of the copy of a zone that a server has.

    Raises:
        ServerError: It does not answer, or has no copy of the zone.
    """
    answer = await asked(server, dns.message.make_query(zone, dns.rdatatype.SOA, flags=0, use_edns=False))
    name = dns.name.from_text(zone)
    found = answer.get_rrset(dns.message.ANSWER, name, dns.rdataclass.IN, dns.rdatatype.SOA)
    if found is None or not answer.flags & dns.flags.AA:
        raise ServerError("NotAuthoritative", f"{server} has no copy of the zone yet, or is no server of it")
    return int(found[0].serial)


async def notify(server: Server, zone: str, soa: str) -> None:
    """Tell a server that a zone has changed (RFC 1996).

    Args:
        server: A secondary.
        zone: Its name.
        soa: The data of its SOA record.

    Raises:
        ServerError: It does not answer, or not as it should.
    """
    message = dns.message.make_query(zone, dns.rdatatype.SOA, flags=dns.flags.AA, use_edns=False)
    message.set_opcode(dns.opcode.NOTIFY)
    message.answer.append(dns.rrset.from_text(f"{zone}.", 0, dns.rdataclass.IN, dns.rdatatype.SOA, soa))
    await asked(server, message)


async def asked(
    server: Server, message: dns.message.Message, *, over_tcp: bool = False, accepted: Collection[int] = ()
) -> dns.message.Message:
    """Send a message; answers what the server answers.

    Args:
        server: To which.
        message: It is signed if the server has a key.
        over_tcp: Whether it must not be lost.
        accepted: Errors that the caller looks at.

    Raises:
        ServerError: There is no answer, or it is an error, in the server's own words.
    """
    if server.key is not None:
        message.use_tsig(server.key)
    try:
        answer = await (_over_tcp if over_tcp else _over_udp)(server, message)
    except FAILURES as error:
        raise failure(server, error) from error
    rcode = answer.rcode()
    if rcode != dns.rcode.NOERROR and rcode not in accepted:
        raise ServerError("Refused", f"{server} answers {dns.rcode.to_text(rcode)}")
    if server.key is not None and not answer.had_tsig:
        raise ServerError("BadKey", f"{server} does not sign its answers")
    return answer


# The time limits are asyncio's own: dnspython's, by asyncio.wait_for, lose a cancellation that comes with the answer
# (https://github.com/python/cpython/issues/86296, Python 3.11).
async def _over_tcp(server: Server, message: dns.message.Message) -> dns.message.Message:
    async with asyncio.timeout(ASK_SECONDS):
        return await dns.asyncquery.tcp(message, server.host, port=server.port)


async def _over_udp(server: Server, message: dns.message.Message) -> dns.message.Message:
    """Send it twice if need be: a datagram may be lost."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(TimeoutError):
            return await _once(server, message)
    return await _once(server, message)


async def _once(server: Server, message: dns.message.Message) -> dns.message.Message:
    """Over a socket of its own: that of an event loop stays open when it is made in the moment of a cancellation."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.connect((server.host, server.port))
        async with asyncio.timeout(ASK_SECONDS / _ATTEMPTS):
            await loop.sock_sendall(client, message.to_wire())
            while True:
                data = await loop.sock_recv(client, _LARGEST_DATAGRAM)
                answer = dns.message.from_wire(data, keyring=message.keyring, request_mac=message.mac)
                if message.is_response(answer):
                    return answer
