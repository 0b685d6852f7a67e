"""The fields that ports have alike, whatever they are ports of: endpoints, slices, containers."""

from app.domain.errors import Cause, invalid, not_supported, required
from app.domain.rules.names import dns_label_problem, port_number_problem, qualified_name_problem

PROTOCOLS = ("SCTP", "TCP", "UDP")


def protocol_causes(field: str, protocol: str | None) -> list[Cause]:
    """A port has one of the known protocols."""
    if not protocol:
        return [required(field, f"one of {', '.join(PROTOCOLS)}")]
    return [] if protocol in PROTOCOLS else [not_supported(field, protocol, PROTOCOLS)]


def app_protocol_causes(field: str, app_protocol: str | None) -> list[Cause]:
    """An application protocol is a qualified name: IANA's, `kubernetes.io/...`, or one with the user's own prefix."""
    problem = None if app_protocol is None else qualified_name_problem(app_protocol)
    return [invalid(field, app_protocol, problem)] if problem else []


def port_label_causes(field: str, name: str) -> list[Cause]:
    """A port of a Service or of its endpoints is named by a DNS label."""
    problem = dns_label_problem(name)
    return [invalid(field, name, problem)] if problem else []


def port_number_causes(field: str, number: int) -> list[Cause]:
    """A port has a number that exists."""
    problem = port_number_problem(number)
    return [invalid(field, number, problem)] if problem else []
