"""The Service `default/kubernetes`, with which Pods find the API, and its endpoints: the API processes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import structs

from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.endpoint_slice import (
    SERVICE_NAME_LABEL,
    Endpoint,
    EndpointConditions,
    EndpointPort,
    EndpointSlice,
)
from app.domain.kinds.endpoints import EndpointAddress, Endpoints, EndpointSubset
from app.domain.kinds.endpoints import EndpointPort as SubsetPort
from app.domain.kinds.service import Service, ServicePort, ServiceSpec
from app.domain.rules.addresses import family_of
from app.domain.wanted.mirrored_slices import SKIP_LABEL
from app.domain.wanted.slice_packing import SlicePlan

API_NAMESPACE, API_SERVICE = "default", "kubernetes"
API_PORT, PORT_NAME = 443, "https"
_LABELS = {"component": "apiserver", "provider": "kubernetes"}

LEASE_PREFIX = "api/"
"""The prefix of the name of the lease that an API process holds while it runs."""

ApiAddress = tuple[str, int]
"""Address and port of an API process."""


def lease_name(address: ApiAddress, process: str) -> str:
    """The name of the lease of a process. Several processes may share an address."""
    return f"{LEASE_PREFIX}{address[0]}/{address[1]}/{process}"


def address_of(lease: str) -> ApiAddress:
    """The address of the process that holds the lease of this name."""
    address, port, _ = lease.removeprefix(LEASE_PREFIX).split("/", 2)
    return address, int(port)


def api_service(address: str, port: int) -> Service:
    """The Service, with its ClusterIP and the port at which the API listens."""
    return Service(
        metadata=ObjectMeta(name=API_SERVICE, namespace=API_NAMESPACE, labels=dict(_LABELS)),
        spec=ServiceSpec(
            type="ClusterIP",
            cluster_ip=address,
            cluster_ips=[address],
            ip_family_policy="SingleStack",
            ports=[ServicePort(name=PORT_NAME, protocol="TCP", port=API_PORT, target_port=port)],
        ),
    )


def plan_api_endpoints(addresses: Iterable[ApiAddress], existing: Endpoints | None) -> Endpoints | None:
    """The Endpoints object to write, or None when there is nothing to write."""
    subsets = [
        EndpointSubset(
            addresses=[EndpointAddress(ip=address) for address in addresses],
            ports=[SubsetPort(name=PORT_NAME, port=port, protocol="TCP")],
        )
        for port, addresses in sorted(_by_port(addresses).items())
    ]
    before = existing or Endpoints(metadata=ObjectMeta(name=API_SERVICE, namespace=API_NAMESPACE))
    labels = {**(before.metadata.labels or {}), SKIP_LABEL: "true"}
    wanted = structs.replace(before, metadata=structs.replace(before.metadata, labels=labels), subsets=subsets)
    return None if wanted == existing else wanted


def plan_api_slices(addresses: Iterable[ApiAddress], existing: Sequence[EndpointSlice]) -> SlicePlan:
    """The writes to the slices: one slice for each family and port. The first slice has the name of the Service.

    Args:
        addresses: The addresses of the API processes.
        existing: The slices with the label of the Service's name.
    """
    plan = SlicePlan()
    before = {each.metadata.name: each for each in existing}
    wanted = {each.metadata.name: each for each in _slices(addresses)}
    for name, each in wanted.items():
        found = before.get(name)
        if found is None:
            plan.create.append(each)
        elif (found.endpoints, found.ports, found.address_type) != (each.endpoints, each.ports, each.address_type):
            changed = {"endpoints": each.endpoints, "ports": each.ports, "address_type": each.address_type}
            plan.update.append(structs.replace(found, **changed))
    ours = (each for name, each in before.items() if name.partition("-")[0] == API_SERVICE and name not in wanted)
    plan.delete += [each for each in ours if not each.metadata.owner_references]
    return plan


def _slices(addresses: Iterable[ApiAddress]) -> list[EndpointSlice]:
    by_family: dict[str, list[ApiAddress]] = defaultdict(list)
    for address in addresses:
        by_family[family_of(address[0])].append(address)
    slices = []
    for family, members in sorted(by_family.items()):
        base = API_SERVICE if family == min(by_family) else f"{API_SERVICE}-{family.lower()}"
        for number, (port, ips) in enumerate(sorted(_by_port(members).items())):
            slices.append(_slice(base if number == 0 else f"{base}-{port}", family, port, ips))
    return slices


def _slice(name: str, family: str, port: int, addresses: Sequence[str]) -> EndpointSlice:
    labels = {SERVICE_NAME_LABEL: API_SERVICE}
    return EndpointSlice(
        metadata=ObjectMeta(name=name, namespace=API_NAMESPACE, labels=labels),
        address_type=family,
        endpoints=[Endpoint(addresses=[each], conditions=EndpointConditions(ready=True)) for each in addresses],
        ports=[EndpointPort(name=PORT_NAME, protocol="TCP", port=port)],
    )


def _by_port(addresses: Iterable[ApiAddress]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for address, port in sorted(set(addresses)):
        found[port].append(address)
    return found
