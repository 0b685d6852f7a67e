"""Answers to questions that were not asked before, or whose answer has changed: found, encoded, and made ready."""

import dns.rdatatype

from app.cluster.dns_names import DNSNames
from app.cluster.dns_zones import DNSZones
from app.domain.rules.zone_description import ZoneDescription
from app.domain.wanted.dns_records import Records
from app.domain.wanted.dns_zones import soa_record
from app.serving.dns.answer import Answer, ZoneAnswer
from app.serving.dns.encoding import Encoder, encoded_name
from app.serving.dns.queries import HEADER, QueryError, Rcode, name_text
from app.serving.dns.resolution import Resolution, Resolver
from app.serving.dns.tallies import Tallies

_META_TYPES = frozenset((41, *range(128, 255)))
"""Types that are no data: OPT, and QTYPEs but ANY (RFC 6895, 3.1)."""

_IXFR, _AXFR = 251, 252
_MAIL = (253, 254)
_SOA = "SOA"
_POINTER = 0xC000


class Answering:
    """Makes answers from the zones of this moment.

    Args:
        zones: Those of this server.
        names: In them.
        tallies: Which each answer adds to.
    """

    def __init__(self, zones: DNSZones, names: DNSNames, tallies: Tallies) -> None:
        self._zones = zones
        self._resolver = Resolver(zones, names)
        self._tallies = tallies
        self._soa: dict[str, tuple[int, bytes]] = {}

    def answer(self, question: bytes) -> Answer | ZoneAnswer:
        """Answer a question.

        Args:
            question: Its name in lower case, its type and its class.

        Raises:
            QueryError: There is no answer to such a type.
        """
        number = int.from_bytes(question[-4:-2], "big")
        if number == _IXFR:
            # Over UDP: the client sees whether there is anything to transfer (RFC 1995, section 2).
            number = dns.rdatatype.SOA
        if number in _META_TYPES:
            refused = Rcode.REFUSED if number == _AXFR else Rcode.NOTIMP if number in _MAIL else Rcode.FORMERR
            raise QueryError(refused)
        kind = dns.rdatatype.to_text(dns.rdatatype.RdataType.make(number))
        name = name_text(question)
        found = self._resolver.resolve(name, kind)
        tally = self._tallies.of(kind, found.rcode.name)
        if found.negative is not None or (kind == _SOA and found.answers):
            return self._zone_answer(question, name, found, tally)
        encoder = Encoder(question, name)
        return Answer(
            found.rcode,
            tally,
            records=_encoded(encoder, found.answers),
            aliases=_encoded(encoder, found.aliases),
            additional=_encoded(encoder, found.additional),
            authoritative=found.rcode != Rcode.REFUSED,
            places=tuple(found.places),
        )

    def _zone_answer(self, question: bytes, name: str, found: Resolution, tally: list[int]) -> ZoneAnswer:
        zone = found.negative or self._zones.zones[found.answers[0].name]
        owner = encoded_name(zone.fqdn)
        aliases = _encoded(Encoder(question, name), found.aliases) if found.aliases else []
        if name == zone.fqdn or name.endswith(f".{zone.fqdn}"):
            owner = (_POINTER | HEADER + len(question) - 4 - len(owner)).to_bytes(2, "big")
        return ZoneAnswer(
            found.rcode,
            tally,
            owner=owner,
            zone=zone,
            soa=self._soa_of,
            aliases=aliases,
            is_asked=found.negative is None,
            places=tuple(found.places),
        )

    def _soa_of(self, zone: ZoneDescription) -> bytes:
        """The SOA record of a zone at this moment, without its owner name."""
        serial, found = self._zones.serial(zone), self._soa.get(zone.name)
        if found is None or found[0] != serial:
            (record,) = Encoder(b"\0", ".").encode(soa_record(zone, serial))
            found = self._soa[zone.name] = (serial, record[len(encoded_name(zone.fqdn)) :])
        return found[1]


def _encoded(encoder: Encoder, sets: list[Records]) -> list[bytes]:
    return [record for each in sets for record in encoder.encode(each)]
