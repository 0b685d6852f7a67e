"""Queries as they come in: what is read of them, and what is wrong with them (RFC 1035, 6891, 7873, 9619)."""

import struct
from enum import IntEnum

import msgspec

HEADER = 12
"""Bytes of a message's header (RFC 1035, 4.1.1)."""

QR, OPCODE, TC, RD, CD = 0x8000, 0x7800, 0x0200, 0x0100, 0x0010
"""Bits of the header's flags."""

QUERY = 0
CLASS_IN = 1
OPT, TSIG = 41, 250
COOKIE = 10
DO = 0x8000
"""The bit of an OPT record that asks for DNSSEC; a response repeats it (RFC 3225)."""

LEAST_UDP_BYTES = 512
"""What every client takes over UDP without saying so (RFC 1035, 4.2.1)."""

MOST_UDP_BYTES = 1232
"""What is sent over UDP at most: it fits into a packet of any network, so it is not fragmented (RFC 9715)."""

MOST_TCP_BYTES = 65535

_LONGEST_NAME = 255
_POINTER = 0xC0
_COUNTS = struct.Struct("!HHHH")
_FIXED = struct.Struct("!HHIH")
_CLIENT_COOKIE, _LEAST_SERVER_COOKIE, _MOST_SERVER_COOKIE = 8, 8, 32
_ESCAPED = {ord("."): "\\046", ord("\\"): "\\092"}


class Rcode(IntEnum):
    """The results that a response tells (RFC 1035, 6895)."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    NOTAUTH = 9
    BADVERS = 16


class QueryError(Exception):
    """A query that is answered with an error alone.

    Attributes:
        rcode: The error.
        question: What the answer repeats of the query; empty if that could not be read.
        opt: The OPT record of the answer, empty for none.
    """

    def __init__(self, rcode: Rcode, question: bytes = b"", opt: bytes = b"") -> None:
        super().__init__(rcode.name)
        self.rcode = rcode
        self.question = question
        self.opt = opt


class Options(msgspec.Struct, frozen=True):
    """What a query asks beside its question, which decides on the form of the answer.

    Attributes:
        flags: RD and CD, which the answer repeats.
        edns: Whether there is an OPT record.
        size: The most bytes that the client takes over UDP.
        do: Whether it asks for DNSSEC.
        cookie: The client's cookie and perhaps the server's; empty without one.
        signed: Whether there is a TSIG record.
    """

    flags: int = 0
    edns: bool = False
    size: int = LEAST_UDP_BYTES
    do: bool = False
    cookie: bytes = b""
    signed: bool = False


def opt_record(options: bytes = b"", *, do: bool = False, rcode: int = 0) -> bytes:
    """The OPT record of an answer (RFC 6891, 6.1).

    Args:
        options: Of EDNS, encoded.
        do: Whether the query asked for DNSSEC.
        rcode: The result, whose upper bits are here.
    """
    ttl = rcode >> 4 << 24 | (DO if do else 0)
    head = OPT.to_bytes(2, "big") + MOST_UDP_BYTES.to_bytes(2, "big") + ttl.to_bytes(4, "big")
    return b"\0" + head + len(options).to_bytes(2, "big") + options


def question_end(data: bytes, start: int = HEADER) -> int:
    """Where the question ends that begins behind the header, or where another one ended.

    Raises:
        QueryError: It is malformed: cut off, too long, or compressed, which makes no sense in the first name.
    """
    at = start
    while at < len(data) and (length := data[at]):
        if length & _POINTER or at + length - start > _LONGEST_NAME - 2:
            raise QueryError(Rcode.FORMERR)
        at += 1 + length
    if at + 5 > len(data):
        raise QueryError(Rcode.FORMERR)
    return at + 5


def name_text(wire: bytes) -> str:
    """A name in text, fully qualified and in lower case. A dot in a label is escaped, so labels stay apart."""
    labels, at, text = [], 0, wire.decode("latin-1")
    while length := wire[at]:
        labels.append(text[at + 1 : at + 1 + length])
        at += 1 + length
    if "." in text or "\\" in text:
        labels = [label.translate(_ESCAPED) for label in labels]
    return ".".join([*labels, ""]).lower() or "."


def read_options(data: bytes, end: int) -> Options:
    """Read the header, and what follows the question.

    Raises:
        QueryError: Something is malformed, or the version of EDNS is unknown.
    """
    flags = int.from_bytes(data[2:4], "big")
    _, answers, authorities, additionals = _COUNTS.unpack_from(data, 4)
    found = Options(flags=flags & (RD | CD))
    at = end
    for number in range(answers + authorities + additionals):
        start = at
        at, kind, ttl, size, rdata = _record(data, at)
        if kind == OPT:
            if number < answers + authorities or found.edns or data[start] != 0:
                raise QueryError(Rcode.FORMERR)
            if ttl >> 16 & 0xFF:
                opt = opt_record(do=bool(ttl & DO), rcode=Rcode.BADVERS)
                raise QueryError(Rcode.BADVERS, data[HEADER:end], opt)
            cookie = _cookie(rdata)
            size = max(LEAST_UDP_BYTES, min(size, MOST_UDP_BYTES))
            found = msgspec.structs.replace(found, edns=True, size=size, do=bool(ttl & DO), cookie=cookie)
        elif kind == TSIG:
            if number < answers + authorities + additionals - 1:
                raise QueryError(Rcode.FORMERR)
            found = msgspec.structs.replace(found, signed=True)
    if at != len(data):
        raise QueryError(Rcode.FORMERR)
    return found


def _record(data: bytes, at: int) -> tuple[int, int, int, int, bytes]:
    """The end of a record, its type, its TTL, its class and its data. In a query its name does not matter."""
    while at < len(data) and (length := data[at]):
        if length & _POINTER == _POINTER:
            at += 1
            break
        if length & _POINTER:
            raise QueryError(Rcode.FORMERR)
        at += 1 + length
    at += 1
    if at + _FIXED.size > len(data):
        raise QueryError(Rcode.FORMERR)
    kind, klass, ttl, length = _FIXED.unpack_from(data, at)
    at += _FIXED.size
    if at + length > len(data):
        raise QueryError(Rcode.FORMERR)
    return at + length, kind, ttl, klass, data[at : at + length]


def _cookie(options: bytes) -> bytes:
    """The cookie among the options of an OPT record, empty if there is none. Other options mean nothing here."""
    found, at = b"", 0
    while at < len(options):
        if at + 4 > len(options):
            raise QueryError(Rcode.FORMERR)
        code, length = struct.unpack_from("!HH", options, at)
        at += 4
        if at + length > len(options):
            raise QueryError(Rcode.FORMERR)
        if code == COOKIE and not found:
            found = options[at : at + length]
            server = length - _CLIENT_COOKIE
            if server and not _LEAST_SERVER_COOKIE <= server <= _MOST_SERVER_COOKIE:
                raise QueryError(Rcode.FORMERR)
        at += length
    return found
