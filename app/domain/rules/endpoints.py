"""The rules of an Endpoints object (ValidateEndpoints of the API server)."""

from app.domain.errors import Cause, invalid_for, required
from app.domain.kinds.endpoints import EndpointAddress, EndpointPort, Endpoints, EndpointSubset
from app.domain.rules.addresses import address_causes, address_warnings, endpoint_address_causes
from app.domain.rules.cluster import Cluster
from app.domain.rules.endpoint_subsets import repack
from app.domain.rules.names import dns_label_problems, dns_subdomain_problems
from app.domain.rules.port_fields import app_protocol_causes, port_label_causes, port_number_causes, protocol_causes
from app.domain.rules.strategy import Strategy


class EndpointsStrategy(Strategy[Endpoints]):
    """Endpoints are stored in canonical form. Errors name the fields as the client wrote them."""

    def default(self, new: Endpoints) -> None:
        """Fill in what the client left out."""
        _prepare(new)

    def validate_create(self, new: Endpoints, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        return _validate(new, loopback=cluster.loopback)

    def warnings(self, new: Endpoints, old: Endpoints | None, cluster: Cluster) -> list[str]:
        """Point out ambiguous addresses."""
        del old, cluster
        found = []
        for i, subset in enumerate(new.subsets or []):
            for path, address in _addresses(subset, f"subsets[{i}]"):
                found += address_warnings(f"{path}.ip", address.ip)
        return found


def _prepare(endpoints: Endpoints) -> None:
    """Set the protocol TCP, and bring valid subsets into canonical form, so that equal Endpoints are stored equal."""
    for subset in endpoints.subsets or []:
        for port in subset.ports or []:
            port.protocol = port.protocol or "TCP"
    if not _validate(endpoints, loopback=True):
        endpoints.subsets = repack(endpoints.subsets or []) or None


def _validate(endpoints: Endpoints, *, loopback: bool) -> list[Cause]:
    return [
        cause
        for i, subset in enumerate(endpoints.subsets or [])
        for cause in _validate_subset(subset, f"subsets[{i}]", loopback=loopback)
    ]


def _validate_subset(subset: EndpointSubset, path: str, *, loopback: bool) -> list[Cause]:
    causes: list[Cause] = []
    if not subset.addresses and not subset.not_ready_addresses:
        causes.append(required(path, "give at least one of `addresses` and `notReadyAddresses`"))
    for where, address in _addresses(subset, path):
        causes += _validate_address(address, where, loopback=loopback)
    ports = subset.ports or []
    for i, port in enumerate(ports):
        causes += _validate_port(port, f"{path}.ports[{i}]", named=len(ports) > 1)
    return causes


def _addresses(subset: EndpointSubset, path: str) -> list[tuple[str, EndpointAddress]]:
    ready = [(f"{path}.addresses[{i}]", each) for i, each in enumerate(subset.addresses or [])]
    return ready + [(f"{path}.notReadyAddresses[{i}]", each) for i, each in enumerate(subset.not_ready_addresses or [])]


def _validate_address(address: EndpointAddress, path: str, *, loopback: bool) -> list[Cause]:
    field = f"{path}.ip"
    causes = address_causes(field, address.ip) or endpoint_address_causes(field, address.ip, loopback=loopback)
    if address.hostname:
        causes += invalid_for(f"{path}.hostname", address.hostname, dns_label_problems(address.hostname))
    if address.node_name is not None:
        causes += invalid_for(f"{path}.nodeName", address.node_name, dns_subdomain_problems(address.node_name))
    return causes


def _validate_port(port: EndpointPort, path: str, *, named: bool) -> list[Cause]:
    causes: list[Cause] = []
    if port.name:
        causes += port_label_causes(f"{path}.name", port.name)
    elif named:
        causes.append(required(f"{path}.name", "each of several ports needs a name"))
    causes += port_number_causes(f"{path}.port", port.port)
    causes += protocol_causes(f"{path}.protocol", port.protocol)
    return causes + app_protocol_causes(f"{path}.appProtocol", port.app_protocol)
