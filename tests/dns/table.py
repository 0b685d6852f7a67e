"""A table of questions and answers, made from Kubernetes' DNS specification 1.1.0 for some Services.

It is written down without any function of the product, and any server that has the zones can be asked the whole of it.
"""

import ipaddress
from collections import defaultdict
from dataclasses import dataclass, field

import dns.flags
import dns.rcode
import dns.rdatatype

DOMAIN = "cluster.local."
SERVICES = f"svc.{DOMAIN}"


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of a headless Service, of one family."""

    address: str
    hostname: str = ""
    ready: bool = True

    @property
    def host(self):
        """Its label: its hostname, or its address with dashes."""
        if self.hostname:
            return self.hostname
        text = self.address.replace(":", "-").replace(".", "-")
        return ("0" if text.startswith("-") else "") + text + ("0" if text.endswith("-") else "")


@dataclass(frozen=True)
class Subject:
    """A Service of which the table speaks.

    Attributes:
        name: Of it.
        namespace: Of it.
        addresses: Its ClusterIPs; none if it is headless or an alias.
        ports: Name, protocol and number of each.
        endpoints: If it is headless; their ports have the same names and number 8080.
        target: The fully qualified name that it is an alias of; "" if it is none.
    """

    name: str
    namespace: str
    addresses: tuple = ()
    ports: tuple = ()
    endpoints: tuple = ()
    target: str = ""

    @property
    def fqdn(self):
        return f"{self.name}.{self.namespace}.{SERVICES}"


@dataclass
class Expected:
    """What is to be answered.

    Attributes:
        rcode: The result.
        answers: Name, type and value of each record of the answer.
    """

    rcode: str = "NOERROR"
    answers: set = field(default_factory=set)


def records_of(subject):
    """Name, type and value of each record that the specification has for a Service."""
    if subject.target:
        return {(subject.fqdn, "CNAME", subject.target)}
    if subject.addresses:
        return _with_addresses(subject)
    return _headless(subject)


def _with_addresses(subject):
    found = set()
    for address in subject.addresses:
        found.add((subject.fqdn, _type(address), address))
        found.add((_reverse(address), "PTR", subject.fqdn))
    for name, protocol, number in subject.ports:
        if name:
            found.add((f"_{name}._{protocol.lower()}.{subject.fqdn}", "SRV", f"0 100 {number} {subject.fqdn}"))
    return found


def _headless(subject):
    found = set()
    ready = [each for each in subject.endpoints if each.ready]
    hosts = {each.host for each in ready}
    for each in ready:
        host = f"{each.host}.{subject.fqdn}"
        found.add((subject.fqdn, _type(each.address), each.address))
        found.add((host, _type(each.address), each.address))
        found.add((_reverse(each.address), "PTR", host))
        for name, protocol, _ in subject.ports:
            if name:
                weight = max(1, 100 // len(hosts))
                found.add((f"_{name}._{protocol.lower()}.{subject.fqdn}", "SRV", f"0 {weight} 8080 {host}"))
    return found


def _type(address):
    return "AAAA" if ":" in address else "A"


def _reverse(address):
    return f"{ipaddress.ip_address(address).reverse_pointer}."


class Table:
    """Questions, and what is to be answered while just these Services are there.

    Args:
        subjects: The Services.
        formerly: Services that are not there any more, or were otherwise: their names are asked for, too.
        reverse_zones: The zones of addresses that the server has, fully qualified.
    """

    def __init__(self, subjects, formerly=(), reverse_zones=()):
        self.zones = (DOMAIN, *reverse_zones)
        records = {record for subject in subjects for record in records_of(subject)}
        records.add((f"dns-version.{DOMAIN}", "TXT", '"1.1.0"'))
        self._records = defaultdict(set)
        for record in records:
            self._records[record[0]].add(record)
        self._names = {DOMAIN, *reverse_zones}
        for owner in self._records:
            labels = owner.split(".")
            parents = (".".join(labels[at:]) for at in range(len(labels) - 1))
            self._names.update(parent for parent in parents if self.zone_of(parent))
        self.questions = sorted({each for subject in (*subjects, *formerly) for each in _questions(subject)})
        self.questions += sorted(_questions_of_the_zone())

    def zone_of(self, name):
        """The zone that a name is in, "" if it is in none."""
        return next((zone for zone in self.zones if name == zone or name.endswith(f".{zone}")), "")

    def answer(self, name, kind):
        """What is to be answered to a question."""
        expected, at = Expected(), name.lower()
        while self.zone_of(at):
            here = self._records.get(at, set())
            wanted = {record for record in here if record[1] == kind}
            alias = {record for record in here if record[1] == "CNAME"}
            if at not in self._names:
                expected.rcode = "NXDOMAIN"
            expected.answers |= wanted or alias
            if wanted or not alias:
                return expected
            ((_, _, at),) = alias
        return expected


def _questions(subject):
    """Everything that may be asked about a Service: what is there, and what is nearly there."""
    name = subject.fqdn
    for kind in ("A", "AAAA", "CNAME", "SRV", "TXT", "MX", "PTR", "NS"):
        yield name, kind
    yield name.upper(), "A"
    for kind in ("A", "SRV"):
        yield f"nothing.{name}", kind
        yield f"_tcp.{name}", kind
        yield f"_udp.{name}", kind
    for port, protocol, _ in (*subject.ports, ("nothing", "TCP", 0)):
        for label in (protocol.lower(), "udp" if protocol == "TCP" else "tcp"):
            yield f"_{port or 'unnamed'}._{label}.{name}", "SRV"
            yield f"_{port or 'unnamed'}._{label}.{name}", "A"
        yield f"below._{port or 'unnamed'}._{protocol.lower()}.{name}", "A"
    for address in subject.addresses:
        yield _reverse(address), "PTR"
        yield _reverse(address), "A"
        yield _reverse(str(ipaddress.ip_address(address) + 1)), "PTR"
        yield _reverse(address).partition(".")[2], "PTR"
        yield f"{address.replace('.', '-').replace(':', '-')}.{name}", "A"
    for endpoint in subject.endpoints:
        for kind in ("A", "AAAA", "SRV"):
            yield f"{endpoint.host}.{name}", kind
        yield _reverse(endpoint.address), "PTR"
    yield f"{subject.namespace}.{SERVICES}", "A"
    yield f"{subject.name}.no-such-namespace.{SERVICES}", "A"
    yield f"{subject.name}.{subject.namespace}.{DOMAIN}", "A"


def _questions_of_the_zone():
    yield from ((f"dns-version.{DOMAIN}", kind) for kind in ("TXT", "A"))
    yield from ((name, kind) for name in (DOMAIN, SERVICES) for kind in ("A", "TXT", "SRV"))
    yield from ((name, "A") for name in (f"pod.{DOMAIN}", f"*.{SERVICES}", f"_tcp.{SERVICES}"))


def differences(response, expected, zone):
    """What of a response is not as expected, in words; none if all is.

    Args:
        response: From the server.
        expected: What the table says.
        zone: Of the name that was asked for.
    """
    # A server may take the end of a name from the question, with its case (RFC 4343, section 4.1).
    got = {
        (rrset.name.to_text().lower(), dns.rdatatype.to_text(rrset.rdtype), each.to_text().lower())
        for rrset in response.answer
        for each in rrset
    }
    rcode = dns.rcode.to_text(response.rcode())
    if rcode != expected.rcode or got != expected.answers:
        yield f"{rcode} {sorted(got)}, and not {expected.rcode} {sorted(expected.answers)}"
    if not response.flags & dns.flags.AA:
        yield "it is not authoritative"
    if not expected.answers and [rrset.name.to_text().lower() for rrset in response.authority] != [zone]:
        yield f"{response.authority}, and not the SOA record of {zone}"
