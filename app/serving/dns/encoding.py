"""Records as bytes, ready to be put behind a question."""

import socket
from functools import cached_property, lru_cache
from io import BytesIO

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from app.domain.wanted.dns_records import Records
from app.serving.dns.queries import HEADER

_SAME_NAME = (0xC000 | HEADER).to_bytes(2, "big")
"""A pointer to the name in the question."""

_FAMILIES = {dns.rdatatype.A: socket.AF_INET, dns.rdatatype.AAAA: socket.AF_INET6}


@lru_cache(maxsize=4096)
def encoded_name(name: str) -> bytes:
    """A fully qualified name as bytes."""
    return dns.name.from_text(name).to_wire() or b""


class Encoder:
    """Encodes records that answer one question. Owner names that end as the question does point to it.

    Names in the data of a record are written out: capitals of the question are not seen in the answer.

    Args:
        question: The name in the question, as bytes.
        name: The same as text, fully qualified.
    """

    def __init__(self, question: bytes, name: str) -> None:
        self._question = question
        self._name = name

    @cached_property
    def _known(self) -> "_Suffixes":
        """Where each domain that the name in the question is in begins."""
        name, _ = dns.name.from_wire(self._question, 0)
        known, at = _Suffixes(), HEADER
        for skipped in range(len(name.labels) - 1):
            dict.__setitem__(known, dns.name.Name(name.labels[skipped:]), at)
            at += 1 + len(name.labels[skipped])
        return known

    def encode(self, records: Records) -> list[bytes]:
        """Each of the records as bytes, owner name included."""
        kind = dns.rdatatype.from_text(records.type)
        head = _SAME_NAME if records.name == self._name else self._written(dns.name.from_text(records.name))
        head += kind.to_bytes(2, "big") + dns.rdataclass.IN.to_bytes(2, "big") + records.ttl.to_bytes(4, "big")
        encoded = []
        for value in records.values:
            found = _data(kind, value)
            encoded.append(head + len(found).to_bytes(2, "big") + found)
        return encoded

    def _written(self, name: dns.name.Name) -> bytes:
        data = BytesIO()
        name.to_wire(data, self._known)
        return data.getvalue()


def _data(kind: dns.rdatatype.RdataType, value: str) -> bytes:
    """The data of a record. Most are addresses, and there may be hundreds in one answer."""
    family = _FAMILIES.get(kind)
    if family is not None:
        return socket.inet_pton(family, value)
    return dns.rdata.from_text(dns.rdataclass.IN, kind, value).to_wire() or b""


class _Suffixes(dict[dns.name.Name, int]):
    """Where the suffixes of the question are in the message. What dnspython would add is elsewhere in each answer."""

    def __setitem__(self, _name: dns.name.Name, _offset: int) -> None:
        """Leave out a name that is not the question's."""
