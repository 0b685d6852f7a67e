"""The declaration of Endpoints: its columns and its rules."""

from app.domain.declarations.columns import AGE, NAME, first_few
from app.domain.declarations.kind import SEEN, Column, Kind
from app.domain.kinds.endpoints import Endpoints, EndpointSubset
from app.domain.rules.endpoints import EndpointsStrategy


def _endpoints(endpoints: Endpoints, _now: str) -> str:
    """Ready addresses with each of their ports, the first few of them."""
    if not endpoints.subsets:
        return "<none>"
    return first_few([text for subset in endpoints.subsets for text in _texts(subset)])


def _texts(subset: EndpointSubset) -> list[str]:
    ips = [each.ip for each in subset.addresses or []]
    if not subset.ports:
        return ips
    return [f"[{ip}]:{port.port}" if ":" in ip else f"{ip}:{port.port}" for port in subset.ports for ip in ips]


ENDPOINTS = Kind(
    group="",
    version="v1",
    name="Endpoints",
    plural="endpoints",
    singular="endpoints",
    namespaced=True,
    model=Endpoints,
    schema="io.k8s.api.core.v1.Endpoints",
    columns=(NAME, Column("Endpoints", _endpoints, description="Ready addresses and their ports."), AGE),
    strategy=EndpointsStrategy(),
    short_names=("ep",),
    create_on_update=True,
    deprecation="Endpoints (v1) is superseded since Kubernetes 1.33; use EndpointSlice (discovery.k8s.io/v1)",
    grants=SEEN,
)
