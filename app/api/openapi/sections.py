"""The sections of the documentation: one a kind, and the kinds that people come for first."""

from typing import Any

from app.api.openapi.content import Document
from app.api.openapi.schemas import summary_of
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.kind import Kind

BULK, DISCOVERY, HEALTH = "Bulk apply", "Discovery", "Health"

_FIRST = (
    "services", "loadbalancers.fairlead.io", "staticaddresses.fairlead.io", "addresspools.fairlead.io",
    "addresshistory.fairlead.io", "dnsrecordsets.fairlead.io", "dnszones.fairlead.io", "dataplanes.fairlead.io",
    "namespaces", "pods", "nodes", "leases.coordination.k8s.io", "endpointslices.discovery.k8s.io", "endpoints",
    "servicecidrs.networking.k8s.io", "ipaddresses.networking.k8s.io", "events",
)  # fmt: skip
"""What is asked for, what comes of it, where endpoints come from. The others follow as discovery has them."""
_PLAIN = {
    BULK: "Many objects at once, all of them or none.",
    DISCOVERY: "What this server serves, and which version it is.",
    HEALTH: "Whether the process works, and its metrics.",
}


def section(kind: Kind[Any]) -> str:
    """The section of a kind: its name; generators name modules by it."""
    return "EventsEvent" if kind.key == "events.events.k8s.io" else kind.name


def sections(kinds: Kinds) -> list[Document]:
    """All sections in order, each with what it is about."""
    order = {key: number for number, key in enumerate(_FIRST)}
    sorted_kinds = sorted(kinds, key=lambda kind: order.get(kind.key, len(order)))
    described = {section(kind): summary_of(kind.model) for kind in sorted_kinds}
    bulk = {"name": BULK, "description": _PLAIN[BULK]}
    found = [{"name": name, "description": text} for name, text in described.items()]
    rest = [{"name": name, "description": text} for name, text in _PLAIN.items() if name != BULK]
    return [*found[:1], bulk, *found[1:], *rest]
