"""The addresses of DNS servers, and the names of keys, in fields of objects."""

import re
from typing import NamedTuple

from app.domain.errors import Cause, invalid, invalid_for
from app.domain.kinds.dns_zone import DNSServer
from app.domain.rules.addresses import strict_address
from app.domain.rules.names import MAX_PORT, dns_subdomain_problems

DNS_PORT = 53

_FORM = re.compile(
    r"\[(?P<v6>[0-9A-Fa-f:]+)\](?::(?P<port6>\d{1,5}))?|(?P<v4>[0-9.]+)(?::(?P<port4>\d{1,5}))?|(?P<bare>.+)"
)


class Endpoint(NamedTuple):
    """Where a server listens.

    Attributes:
        host: Its IP address, as canonical text.
        port: UDP and TCP.
    """

    host: str
    port: int


def server_endpoint(text: str) -> Endpoint | None:
    """Read `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`; None if it is none of these."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    address = strict_address(found["v6"] or found["v4"] or found["bare"])
    port = int(found["port6"] or found["port4"] or DNS_PORT)
    if address is None or not 1 <= port <= MAX_PORT:
        return None
    return Endpoint(str(address), port)


def server_causes(field: str, server: DNSServer) -> list[Cause]:
    """Name everything that is wrong with a server in a spec."""
    causes = key_name_causes(f"{field}.tsigKeyName", server.tsig_key_name)
    if server_endpoint(server.address) is None:
        problem = "must be an IP address, perhaps with a port: 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353"
        causes.insert(0, invalid(f"{field}.address", server.address, problem))
    return causes


def key_name_causes(field: str, name: str) -> list[Cause]:
    """Name everything that is wrong with the name of a key; "" stands for no key."""
    return invalid_for(field, name, key_name_problems(name)) if name else []


def key_name_problems(name: str) -> list[str]:
    """The name of a TSIG key: a domain name in lower case (RFC 8945, section 4.2)."""
    return dns_subdomain_problems(name)
