"""Who may reach a load balancer: its access rules in Azure's terms."""

from collections.abc import Iterable, Mapping, Sequence

from app.domain.kinds.load_balancer import AccessRule
from app.domain.kinds.service import Service
from app.domain.rules.addresses import family_of
from app.domain.rules.service.admission import Admission
from app.domain.rules.service.load_balancer_wish import wish_of

PROTOCOLS = {"TCP": "Tcp", "UDP": "Udp", "SCTP": "Sctp"}
"""Kubernetes' name of each protocol, and Azure's."""


def access_rules(
    service: Service, admission: Admission, addresses: Iterable[str], nodes: Iterable[str]
) -> list[AccessRule]:
    """The access rules of a Service: one for each family and protocol.

    Ports whose rule is turned off are among them, as with Azure.

    Args:
        service: For its ports.
        admission: The clients it admits.
        addresses: Those of its frontends.
        nodes: Those of the nodes; without a floating IP clients are admitted to these instead, at the node ports.
    """
    wish = wish_of(service)
    direct = not wish.floating_ip_disabled
    destinations = list(dict.fromkeys([*(addresses if direct else nodes), *wish.additional_addresses]))
    ports: dict[str, list[int]] = {}
    for port in service.spec.ports or []:
        number = port.port if direct else port.node_port
        if number:
            ports.setdefault(PROTOCOLS[port.protocol], []).append(number)
    return [
        AccessRule(protocol=protocol, sources=sources, ports=sorted(set(numbers)), destinations=reached)
        for family, reached in _by_family(service, destinations).items()
        if (sources := admission.sources(family))
        for protocol, numbers in ports.items()
    ]


def _by_family(service: Service, addresses: Sequence[str]) -> Mapping[str, list[str]]:
    """Addresses by those families of the Service that have any."""
    found = {
        family: [each for each in addresses if family_of(each) == family] for family in service.spec.ip_families or []
    }
    return {family: reached for family, reached in found.items() if reached}
