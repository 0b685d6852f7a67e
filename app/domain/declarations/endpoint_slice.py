"""The declaration of EndpointSlice: its columns and its rules."""

from app.domain.declarations.columns import AGE, NAME, first_few
from app.domain.declarations.kind import SEEN, Column, Kind
from app.domain.kinds.endpoint_slice import EndpointPort, EndpointSlice
from app.domain.rules.endpoint_slice import EndpointSliceStrategy


def _ports(slice_: EndpointSlice, _now: str) -> str:
    return first_few([_port(each) for each in slice_.ports or []]) or "<unset>"


def _port(port: EndpointPort) -> str:
    if port.port is not None:
        return str(port.port)
    return "*" if port.name is None else port.name


def _endpoints(slice_: EndpointSlice, _now: str) -> str:
    return first_few([text for each in slice_.endpoints or [] for text in each.addresses or []]) or "<unset>"


ENDPOINT_SLICE = Kind(
    group="discovery.k8s.io",
    version="v1",
    name="EndpointSlice",
    plural="endpointslices",
    singular="endpointslice",
    namespaced=True,
    model=EndpointSlice,
    schema="io.k8s.api.discovery.v1.EndpointSlice",
    columns=(
        NAME,
        Column("AddressType", lambda slice_, _now: slice_.address_type, description="IPv4, IPv6 or FQDN."),
        Column("Ports", _ports, description="Ports that every endpoint offers."),
        Column("Endpoints", _endpoints, description="Addresses of the endpoints."),
        AGE,
    ),
    found_by=lambda slice_: (text for each in slice_.endpoints or [] for text in each.addresses or []),
    strategy=EndpointSliceStrategy(),
    grants=SEEN,
)
