"""What is answered to a question: which records, and with which result (RFC 1034, 4.3.2; RFC 2308; RFC 8482)."""

from dataclasses import dataclass, field

from app.cluster.dns_names import DNSNames
from app.cluster.dns_zones import DNSZones
from app.domain.rules.zone_description import ZoneDescription
from app.domain.wanted.dns_records import TTL, Records
from app.domain.wanted.dns_zones import Node
from app.serving.dns.queries import Rcode

ANY = "ANY"
_LONGEST_CHAIN = 16
"""Aliases that are followed for one question."""


@dataclass(slots=True)
class Resolution:
    """The answer to a question.

    Attributes:
        rcode: The result. With aliases, that of the last name (RFC 6604).
        aliases: The CNAME records that led to the last name, in order.
        answers: The records of the last name.
        negative: The zone whose SOA record says how long it may be kept that nothing was found; None where it was.
        additional: Addresses of the names in the answer.
        places: What the answer follows from: it holds until one of them changes.
    """

    rcode: Rcode = Rcode.NOERROR
    aliases: list[Records] = field(default_factory=list)
    answers: list[Records] = field(default_factory=list)
    negative: ZoneDescription | None = None
    additional: list[Records] = field(default_factory=list)
    places: set[str] = field(default_factory=set)


class Resolver:
    """Finds the answers in the zones of this moment."""

    def __init__(self, zones: DNSZones, names: DNSNames) -> None:
        self._zones = zones
        self._names = names

    def resolve(self, name: str, kind: str) -> Resolution:
        """Answer a question.

        Args:
            name: Fully qualified, in lower case.
            kind: The type as text, such as `A` or `TYPE1234`; `ANY` for any.
        """
        found = Resolution()
        visited: set[str] = set()
        while self._look(found, name, kind):
            visited.add(name)
            (name,) = found.aliases[-1].values
            if name in visited or len(visited) >= _LONGEST_CHAIN:
                break
        return found

    def _look(self, found: Resolution, name: str, kind: str) -> bool:
        """Add what one name contributes. Answers whether the name is an alias, whose target decides."""
        zone = self._zones.zone_of(name)
        found.places.add(self._names.place_of(name))
        node = self._names.find(name, zone)
        if zone is None and not (node and kind in node):
            # An alias may lead out of all zones; then somebody else knows the rest.
            found.rcode = found.rcode if found.aliases else Rcode.REFUSED
        elif node is None:
            found.rcode, found.negative = Rcode.NXDOMAIN, zone
        elif kind in node:
            found.answers.extend(node[kind])
            self._add_addresses(found)
        elif node.get("CNAME"):
            found.aliases.extend(node["CNAME"][:1])
            return kind != ANY
        elif kind == ANY and node:
            found.answers.append(Records("hinfo", name, "HINFO", ('"RFC8482" ""',), TTL))
        else:
            found.negative = zone
        return False

    def _add_addresses(self, found: Resolution) -> None:
        """Add the addresses of the servers that SRV and NS records name (RFC 2782; RFC 1035, 3.3.11)."""
        naming = [each.values for each in found.answers if each.type in ("SRV", "NS")]
        for name in dict.fromkeys(value.rpartition(" ")[2] for values in naming for value in values):
            node: Node = self._names.find(name, self._zones.zone_of(name)) or {}
            found.places.add(self._names.place_of(name))
            for kind in ("A", "AAAA"):
                found.additional.extend(node.get(kind, ()))
