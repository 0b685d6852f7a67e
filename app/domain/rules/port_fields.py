"""Fields that the ports of Services, endpoints and containers share."""

from app.domain.errors import Cause, invalid_for, not_supported, required
from app.domain.rules.names import dns_label_problems, port_number_problems, qualified_name_problems

PROTOCOLS = ("SCTP", "TCP", "UDP")


def protocol_causes(field: str, protocol: str | None) -> list[Cause]:
    """The protocol is one of the known ones."""
    if not protocol:
        return [required(field, f"one of {', '.join(PROTOCOLS)}")]
    return [] if protocol in PROTOCOLS else [not_supported(field, protocol, PROTOCOLS)]


def app_protocol_causes(field: str, app_protocol: str | None) -> list[Cause]:
    """An application protocol is a qualified name: IANA's, `kubernetes.io/...`, or one with the user's own prefix."""
    return [] if app_protocol is None else invalid_for(field, app_protocol, qualified_name_problems(app_protocol))


def port_label_causes(field: str, name: str) -> list[Cause]:
    """The name of a port of a Service or of its endpoints is a DNS label."""
    return invalid_for(field, name, dns_label_problems(name))


def port_number_causes(field: str, number: int) -> list[Cause]:
    """The number is from 1 to 65535."""
    return invalid_for(field, number, port_number_problems(number))
