"""The rules of an EndpointSlice (KEP-752; pkg/apis/discovery of the API server)."""

from collections.abc import Callable, Sequence

from app.domain.errors import Cause, duplicate, immutable, invalid, invalid_for, not_supported, required, too_many
from app.domain.kinds.endpoint_slice import Endpoint, EndpointHints, EndpointPort, EndpointSlice
from app.domain.label_syntax import label_value_problems
from app.domain.rules.addresses import address_causes, address_warnings, endpoint_address_causes, family_of
from app.domain.rules.cluster import Cluster
from app.domain.rules.names import dns_label_problems, dns_subdomain_problems
from app.domain.rules.port_fields import app_protocol_causes, port_label_causes, protocol_causes
from app.domain.rules.strategy import Strategy

ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
MAX_ENDPOINTS, MAX_ADDRESSES, MAX_PORTS, MAX_HINTS = 1000, 100, 20000, 8

_MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by"
_OWN_CONTROLLERS = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")


class EndpointSliceStrategy(Strategy[EndpointSlice]):
    """A slice has generations. Its address type cannot change."""

    def default(self, new: EndpointSlice) -> None:
        """Fill in what the client left out."""
        _default(new)

    def prepare_create(self, new: EndpointSlice, cluster: Cluster) -> None:
        """Begin with generation 1."""
        del cluster
        new.metadata.generation = 1

    def prepare_update(self, new: EndpointSlice, old: EndpointSlice, cluster: Cluster) -> None:
        """Increase the generation if more than metadata changed."""
        del cluster
        same = _content(new) == _content(old) and (new.metadata.labels or {}) == (old.metadata.labels or {})
        new.metadata.generation = (old.metadata.generation or 0) + (0 if same else 1)

    def validate_create(self, new: EndpointSlice, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        return [
            *_validate_address_type(new.address_type),
            *_validate_endpoints(new.endpoints or [], new.address_type, loopback=cluster.loopback),
            *_validate_ports(new.ports or []),
        ]

    def validate_update(self, new: EndpointSlice, old: EndpointSlice, cluster: Cluster) -> list[Cause]:
        """As on create, and the address type cannot change."""
        causes = self.validate_create(new, cluster)
        if new.address_type != old.address_type:
            causes.append(immutable("addressType", new.address_type, old.address_type))
        return causes

    def warnings(self, new: EndpointSlice, old: EndpointSlice | None, cluster: Cluster) -> list[str]:
        """Point out deprecated address types and ambiguous addresses."""
        del cluster
        if (new.metadata.labels or {}).get(_MANAGED_BY_LABEL) in _OWN_CONTROLLERS:
            return []
        found = []
        if old is None and new.address_type == "FQDN":
            found.append("addressType: FQDN is deprecated: no meaning is defined for such endpoints")
        for i, endpoint in enumerate(new.endpoints or []):
            for j, address in enumerate(endpoint.addresses or []):
                found += address_warnings(f"endpoints[{i}].addresses[{j}]", address)
        return found


def _default(slice_: EndpointSlice) -> None:
    """Set the protocol TCP and the empty name. Drop empty lists and `deprecatedTopology`."""
    for port in slice_.ports or []:
        port.name = port.name or ""
        port.protocol = port.protocol or "TCP"
    for endpoint in slice_.endpoints or []:
        endpoint.deprecated_topology = None
    slice_.endpoints = slice_.endpoints or None
    slice_.ports = slice_.ports or None


def _content(slice_: EndpointSlice) -> tuple[str, list[Endpoint] | None, list[EndpointPort] | None]:
    return (slice_.address_type, slice_.endpoints or None, slice_.ports or None)


def _validate_address_type(address_type: str) -> list[Cause]:
    if not address_type:
        return [required("addressType", f"one of {', '.join(ADDRESS_TYPES)}")]
    return [] if address_type in ADDRESS_TYPES else [not_supported("addressType", address_type, ADDRESS_TYPES)]


def _validate_endpoints(endpoints: Sequence[Endpoint], address_type: str, *, loopback: bool) -> list[Cause]:
    if len(endpoints) > MAX_ENDPOINTS:
        return [too_many("endpoints", len(endpoints), MAX_ENDPOINTS)]
    causes: list[Cause] = []
    for i, endpoint in enumerate(endpoints):
        path = f"endpoints[{i}]"
        causes += _validate_addresses(f"{path}.addresses", endpoint.addresses or [], address_type, loopback=loopback)
        if endpoint.node_name is not None:
            causes += invalid_for(f"{path}.nodeName", endpoint.node_name, dns_subdomain_problems(endpoint.node_name))
        if endpoint.hostname is not None:
            causes += invalid_for(f"{path}.hostname", endpoint.hostname, dns_label_problems(endpoint.hostname))
        if endpoint.hints is not None:
            causes += _validate_hints(f"{path}.hints", endpoint.hints)
    return causes


def _validate_addresses(path: str, addresses: Sequence[str], address_type: str, *, loopback: bool) -> list[Cause]:
    if not addresses:
        return [required(path, "give at least one address")]
    causes = [too_many(path, len(addresses), MAX_ADDRESSES)] if len(addresses) > MAX_ADDRESSES else []
    for j, address in enumerate(addresses):
        if address_type == "FQDN":
            causes += _validate_domain_name(f"{path}[{j}]", address)
        elif address_type in ADDRESS_TYPES:
            causes += _validate_ip(path, j, address, address_type, loopback=loopback)
    return causes


def _validate_ip(path: str, index: int, address: str, family: str, *, loopback: bool) -> list[Cause]:
    """An address of the slice's family that others can reach. For a wrong family, Kubernetes names the whole list."""
    causes = address_causes(f"{path}[{index}]", address)
    if causes:
        return causes
    if family_of(address) != family:
        causes.append(invalid(path, address, f"must be an {family} address, like the addressType"))
    return causes + endpoint_address_causes(f"{path}[{index}]", address, loopback=loopback)


def _validate_domain_name(field: str, name: str) -> list[Cause]:
    if not name:
        return [required(field, "give a fully qualified domain name")]
    bare = name.removesuffix(".")
    labels = bare.split(".")
    if problems := dns_subdomain_problems(bare):
        return [invalid(field, name, "; ".join(problems))]
    if len(labels) == 1:
        return [invalid(field, name, "must be a domain of at least two labels, such as example.com")]
    bad = next(((label, problems) for label in labels if (problems := dns_label_problems(label))), None)
    return [] if bad is None else [invalid(field, bad[0], "; ".join(bad[1]))]


def _validate_hints(path: str, hints: EndpointHints) -> list[Cause]:
    return [
        *_validate_names(f"{path}.forZones", [each.name for each in hints.for_zones or []], label_value_problems),
        *_validate_names(f"{path}.forNodes", [each.name for each in hints.for_nodes or []], dns_subdomain_problems),
    ]


def _validate_names(path: str, names: Sequence[str], problems_of: Callable[[str], list[str]]) -> list[Cause]:
    if len(names) > MAX_HINTS:
        return [too_many(path, len(names), MAX_HINTS)]
    causes = [duplicate(f"{path}[{i}].name", name) for i, name in enumerate(names) if name in names[:i]]
    for i, name in enumerate(names):
        causes += invalid_for(f"{path}[{i}].name", name, problems_of(name))
    return causes


def _validate_ports(ports: Sequence[EndpointPort]) -> list[Cause]:
    if len(ports) > MAX_PORTS:
        return [too_many("ports", len(ports), MAX_PORTS)]
    causes: list[Cause] = []
    seen: set[str] = set()
    for i, port in enumerate(ports):
        name = port.name or ""
        if name:
            causes += port_label_causes(f"ports[{i}].name", name)
        if name in seen:
            causes.append(duplicate(f"ports[{i}].name", name, "another port of the slice has this name"))
        seen.add(name)
        causes += protocol_causes(f"ports[{i}].protocol", port.protocol)
        causes += app_protocol_causes(f"ports[{i}].appProtocol", port.app_protocol)
    return causes
