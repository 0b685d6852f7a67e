"""Addresses that are about to be replaced: a Service keeps taking traffic at one until it has the other.

A condition says so. It is what the reconciler goes by, and what people see while it lasts.
"""

from collections.abc import Sequence

from app.domain.kinds.service import Service
from app.domain.rules.cluster import Cluster
from app.domain.rules.conditions import with_condition

ADDRESS_CHANGING = "AddressChanging"
"""The type of the condition. Its reason is the families: `IPv4`, `IPv6` or `IPv4AndIPv6`."""

_AND = "And"


def changing_families(service: Service) -> tuple[str, ...]:
    """The families in which the Service shall get another address than the one it has."""
    for told in service.status.conditions or ():
        if told.type == ADDRESS_CHANGING:
            return tuple(told.reason.split(_AND))
    return ()


def tell_changing(service: Service, families: Sequence[str], cluster: Cluster) -> None:
    """Note the families in which the Service shall get another address, in place."""
    conditions = service.status.conditions
    if families:
        reason = _AND.join(families)
        message = f"the {' and '.join(families)} address stays until the one that is asked for now is allocated"
        service.status.conditions = with_condition(
            conditions, ADDRESS_CHANGING, "True", reason=reason, message=message, now=cluster.now
        )
    elif changing_families(service):
        service.status.conditions = [each for each in conditions or [] if each.type != ADDRESS_CHANGING] or None


def settle_changing(service: Service, family: str, cluster: Cluster) -> None:
    """Note that a family has the address that it shall have, in place."""
    tell_changing(service, [each for each in changing_families(service) if each != family], cluster)
