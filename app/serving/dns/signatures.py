"""Signed messages (TSIG, RFC 8945): queries are checked, and all messages of their answers signed."""

import struct
import time
from io import BytesIO

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
from dns.rdata import Rdata
from dns.rdtypes.ANY.TSIG import TSIG

from app.credentials.tsig_keys import TsigKey, TsigKeys

FUDGE_SECONDS = 300
"""The most by which two clocks may differ (RFC 8945, section 10)."""

_ADDITIONAL_COUNT = 10
"""Where a header has the number of records at the end of the message."""

_PROBLEMS: dict[type[Exception], int] = {
    dns.tsig.BadSignature: dns.rcode.BADSIG,
    dns.tsig.BadAlgorithm: dns.rcode.BADKEY,
    dns.tsig.BadKey: dns.rcode.BADKEY,
    dns.tsig.BadTime: dns.rcode.BADTIME,
}


class UnsignedError(Exception):
    """A signed query whose signature is worth nothing.

    Attributes:
        answer: What the client is told: NOTAUTH, and why. It is signed only if the clocks differ.
        problem: BADKEY, BADSIG, BADTIME or FORMERR, for people.
    """

    def __init__(self, answer: bytes, problem: str) -> None:
        super().__init__(problem)
        self.answer = answer
        self.problem = problem


class Signer:
    """Signs the messages of an answer, one after the other.

    Args:
        key: With which the query was signed.
        mac: The signature of the query, which that of the first message covers, too.
    """

    def __init__(self, key: TsigKey, mac: bytes) -> None:
        self.key = key
        self._mac = mac
        self._context: dns.tsig.HMACTSig | dns.tsig.GSSTSig | None = None

    def sign(self, message: bytes) -> bytes:
        """The message with its signature."""
        rdata = _signature(self.key.algorithm, int.from_bytes(message[:2], "big"))
        now = int(time.time())
        signed, self._context = dns.tsig.sign(message, self.key, rdata, now, self._mac, self._context, multi=True)  # type: ignore[no-untyped-call]  # ships partial types
        return _with_record(message, self.key.name, signed)


def checked(query: bytes, keys: TsigKeys) -> tuple[bytes, Signer]:
    """Check the signature of a query; answers the query without it, and what signs the answer.

    Raises:
        UnsignedError: It is not right.
    """
    try:
        # Without its signature being checked, so that one of an unknown key can be read, too.
        message = dns.message.from_wire(query, keyring=lambda _message, _name: False)
        if message.tsig is None:
            raise dns.exception.FormError
    except (dns.exception.DNSException, ValueError, struct.error) as error:
        refusal = query[:2] + bytes([0x80, dns.rcode.FORMERR]) + bytes(8)
        raise UnsignedError(refusal, "FORMERR") from error
    owner, signature = message.tsig.name, message.tsig[0]
    key = keys.get(owner)
    try:
        if key is None:
            raise dns.tsig.BadKey
        dns.message.from_wire(query, keyring=key)
    except tuple(_PROBLEMS) as error:
        problem = dns.rcode.Rcode(_PROBLEMS[type(error)])
        raise UnsignedError(_refusal(message, key, problem), dns.rcode.to_text(problem, tsig=True)) from error
    message.tsig = None
    return message.to_wire(), Signer(key, signature.mac)


def _refusal(query: dns.message.Message, key: TsigKey | None, problem: int) -> bytes:
    """NOTAUTH, with the reason in a TSIG record; signed, with the time of here, if the clocks differ."""
    if query.tsig is None:
        raise TypeError("only a signed query is refused for its signature")
    owner, asked = query.tsig.name, query.tsig[0]
    query.tsig = None
    answer = dns.message.make_response(query)
    answer.set_rcode(dns.rcode.NOTAUTH)
    message = answer.to_wire()
    now = int(time.time())
    if key is None or problem != dns.rcode.BADTIME:
        rdata = _signature(asked.algorithm, query.id, problem).replace(time_signed=asked.time_signed)
        return _with_record(message, owner, rdata)
    rdata = _signature(key.algorithm, query.id, problem, now.to_bytes(6, "big"))
    signed, _ = dns.tsig.sign(message, key, rdata, asked.time_signed, asked.mac)  # type: ignore[no-untyped-call]
    return _with_record(message, owner, signed)


def _signature(algorithm: dns.name.Name, query_id: int, problem: int = 0, other: bytes = b"") -> Rdata:
    """A TSIG record that is not signed yet."""
    kind = dns.rdatatype.TSIG
    return TSIG(dns.rdataclass.ANY, kind, algorithm, 0, FUDGE_SECONDS, b"", query_id, problem, other)  # type: ignore[no-untyped-call]


def _with_record(message: bytes, owner: dns.name.Name, rdata: Rdata) -> bytes:
    data = BytesIO()
    owner.to_wire(data)
    data.write(struct.pack("!HHI", dns.rdatatype.TSIG, dns.rdataclass.ANY, 0))
    encoded = rdata.to_wire() or b""
    data.write(len(encoded).to_bytes(2, "big") + encoded)
    count = int.from_bytes(message[_ADDITIONAL_COUNT : _ADDITIONAL_COUNT + 2], "big") + 1
    head, rest = message[:_ADDITIONAL_COUNT], message[_ADDITIONAL_COUNT + 2 :]
    return head + count.to_bytes(2, "big") + rest + data.getvalue()
