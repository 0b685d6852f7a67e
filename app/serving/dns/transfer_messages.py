"""The messages of a zone transfer: many records each, with names compressed (RFC 5936, section 2.2)."""

import socket
import struct
from collections.abc import Callable, Mapping
from io import BytesIO

import dns.rdata
import dns.rdataclass
import dns.rdatatype

from app.domain.wanted.zone_journal import Record

MESSAGE_BYTES = 16_384
"""Pointers reach so far (RFC 1035, section 4.1.4), so that names behind it would not be compressed."""

_HEADER = struct.Struct("!HHHHHH")
_FIXED = struct.Struct("!HHIH")
_QR_AA = 0x8400
_IN = int(dns.rdataclass.IN)
_POINTER = 0xC000
_FARTHEST_POINTER = 0x3FFF
_LEAST_ROOM = 1024
"""Bytes that a record may need. One that needs more stands alone in a message that is longer."""


class _Message:
    """One message while it is written."""

    def __init__(self, question: bytes) -> None:
        self.data = bytearray(_HEADER.size) + question
        self.count = 0
        self._names: dict[str, int] = {}

    def add(self, record: Record) -> None:
        """Add one record to the answer section."""
        self.name(record.name)
        kind = _NUMBERS[record.type]
        self.data += _FIXED.pack(kind, _IN, record.ttl, 0)
        start = len(self.data)
        write = _WRITERS.get(record.type)
        if write is None:
            self.data += _rdata(record.type, record.value)
        else:
            write(self, record.value)
        struct.pack_into("!H", self.data, start - 2, len(self.data) - start)
        self.count += 1

    def name(self, name: str) -> None:
        """Write a name, its end as a pointer to where that stands already."""
        while name and name != ".":
            known = self._names.get(name)
            if known is not None:
                self.data += (_POINTER | known).to_bytes(2, "big")
                return
            if len(self.data) <= _FARTHEST_POINTER:
                self._names[name] = len(self.data)
            label, _, name = name.partition(".")
            self.data.append(len(label))
            self.data += label.encode("ascii")
        self.data.append(0)

    def whole_name(self, name: str) -> None:
        """Write a name as it is, for types whose data nobody may compress (RFC 3597, section 4)."""
        for label in name.removesuffix(".").split("."):
            self.data.append(len(label))
            self.data += label.encode("ascii")
        self.data.append(0)


def _service(message: _Message, value: str) -> None:
    priority, weight, port, target = value.split(" ")
    message.data += struct.pack("!HHH", int(priority), int(weight), int(port))
    message.whole_name(target)


_WRITERS: Mapping[str, Callable[[_Message, str], None]] = {
    "A": lambda message, value: message.data.extend(socket.inet_pton(socket.AF_INET, value)),
    "AAAA": lambda message, value: message.data.extend(socket.inet_pton(socket.AF_INET6, value)),
    "CNAME": _Message.name,
    "NS": _Message.name,
    "PTR": _Message.name,
    "SRV": _service,
}
"""The types that there are many records of. dnspython writes them, too, and takes ten times as long."""

_NUMBERS = {each.name: int(each) for each in dns.rdatatype.RdataType}


def _rdata(kind: str, value: str) -> bytes:
    data = BytesIO()
    dns.rdata.from_text(dns.rdataclass.IN, kind, value).to_wire(data)
    return data.getvalue()


class TransferMessages:
    """Puts records into messages, in their order; the first message repeats the question.

    Args:
        query: The query, of which id and question are repeated.
        question_end: Where its question ends.
    """

    def __init__(self, query: bytes, question_end: int) -> None:
        self._id = int.from_bytes(query[:2], "big")
        self._message = _Message(query[_HEADER.size : question_end])
        self._asked = 1

    def add(self, record: Record) -> bytes | None:
        """Add a record; answers the message before it, if that is full."""
        full = None
        if self._message.count and len(self._message.data) > MESSAGE_BYTES - _LEAST_ROOM:
            full = self.rest()
            self._message, self._asked = _Message(b""), 0
        self._message.add(record)
        return full

    def rest(self) -> bytes:
        """The message that is not full yet."""
        message = self._message
        _HEADER.pack_into(message.data, 0, self._id, _QR_AA, self._asked, message.count, 0, 0)
        return bytes(message.data)
