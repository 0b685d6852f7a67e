"""The records of a Service in the cluster's zone, by Kubernetes' DNS specification 1.1.0."""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.domain.kinds.endpoint_slice import Endpoint, EndpointSlice
from app.domain.kinds.service import Service, ServicePort
from app.domain.rules.addresses import canonical, reverse_name

TTL = 5
"""Seconds. It is short since endpoints change often; CoreDNS has the same for a cluster's zone."""

TOLERATE_UNREADY = "service.alpha.kubernetes.io/tolerate-unready-endpoints"
"""The annotation that the specification has for what became `publishNotReadyAddresses`."""

_PRIORITY, _WEIGHT = 0, 100
"""SRV data (RFC 2782): one priority; targets of one name share the weight evenly."""


@dataclass(frozen=True, slots=True)
class Records:
    """All records of one name and type.

    Attributes:
        label: The name of the set within its Service: `a`, `srv.http.tcp`, `ptr.10-96-0-10`.
        name: Fully qualified owner name in lower case, with the trailing dot.
        type: `A`, `AAAA`, `CNAME`, `PTR`, `SRV` or `TXT`; at the top of a zone also `SOA` and `NS`.
        values: Record data in presentation form; names in it end with a dot.
        ttl: Seconds that a resolver may keep the records.
    """

    label: str
    name: str
    type: str
    values: tuple[str, ...]
    ttl: int = TTL


def dns_records(service: Service, slices: Iterable[EndpointSlice], zone: str) -> list[Records]:
    """Compute the records of one Service.

    Node ports, external addresses and load balancer addresses have no records in the cluster's zone.

    Args:
        service: The Service. Without ClusterIPs it has no records yet.
        slices: Its EndpointSlices. Only a headless Service needs them.
        zone: The cluster's domain, e.g. `cluster.local`.
    """
    name = _own_name(service, zone)
    if service.spec.type == "ExternalName":
        return _external(service, name)
    if service.spec.cluster_ip == "None":
        return _headless(service, slices, name)
    return _with_cluster_ip(service, name)


def cluster_ip_names(service: Service, zone: str) -> list[str]:
    """The names of the records that `dns_records` computes of a Service with ClusterIPs; none if it has none yet.

    It takes a fraction of the time, and which zones a Service concerns follows from names alone.
    """
    addresses = [address for address in service.spec.cluster_ips or [] if address]
    if not addresses:
        return []
    name = _own_name(service, zone)
    ports = [_port_name(port, name) for port in service.spec.ports or [] if port.name]
    return [name, *ports, *map(reverse_name, addresses)]


def dashed(address: str) -> str:
    """An address as a DNS label: `1-2-3-4`, `fd00--5`; a leading or trailing `::` keeps an explicit zero."""
    text = canonical(address).replace(":", "-").replace(".", "-")
    return ("0" if text.startswith("-") else "") + text + ("0" if text.endswith("-") else "")


def _own_name(service: Service, zone: str) -> str:
    return f"{service.metadata.name}.{service.metadata.namespace}.svc.{zone.rstrip('.')}."


def _port_name(port: ServicePort, name: str) -> str:
    """The name of a port's SRV record (RFC 2782)."""
    return f"_{port.name}._{port.protocol.lower()}.{name}"


def _external(service: Service, name: str) -> list[Records]:
    target = service.spec.external_name.rstrip(".")
    return [Records("cname", name, "CNAME", (f"{target}.",))] if target else []


def _with_cluster_ip(service: Service, name: str) -> list[Records]:
    addresses = [address for address in service.spec.cluster_ips or [] if address]
    if not addresses:
        return []
    records = _address_records("", name, addresses)
    for port in service.spec.ports or []:
        if port.name:
            label, value = f"srv.{port.name}.{port.protocol.lower()}", f"{_PRIORITY} {_WEIGHT} {port.port} {name}"
            records.append(Records(label, _port_name(port, name), "SRV", (value,)))
    return records + [_pointer(address, [name]) for address in addresses]


def _headless(service: Service, slices: Iterable[EndpointSlice], name: str) -> list[Records]:
    hosts: dict[str, set[str]] = defaultdict(set)
    targets: dict[tuple[str, str], set[tuple[int, str]]] = defaultdict(set)
    publishes_all = _publishes_all(service)
    for slice_ in slices:
        for host, addresses in _hosts(slice_, publishes_all=publishes_all):
            hosts[host].update(addresses)
            for port in slice_.ports or []:
                if port.name and port.port:
                    targets[port.name, (port.protocol or "TCP").lower()].add((port.port, host))
    everything = _sorted(address for addresses in hosts.values() for address in addresses)
    records = _address_records("", name, everything)
    for host in sorted(hosts):
        records += _address_records(f".{host}", f"{host}.{name}", _sorted(hosts[host]))
    for (port_name, protocol), found in sorted(targets.items()):
        weight = max(1, _WEIGHT // len(found))
        values = tuple(f"{_PRIORITY} {weight} {number} {host}.{name}" for number, host in sorted(found))
        records.append(Records(f"srv.{port_name}.{protocol}", f"_{port_name}._{protocol}.{name}", "SRV", values))
    pointers: dict[str, list[str]] = defaultdict(list)
    for host in sorted(hosts):
        for address in hosts[host]:
            pointers[address].append(f"{host}.{name}")
    return records + [_pointer(address, pointers[address]) for address in everything]


def ready_addresses(service: Service, slices: Iterable[EndpointSlice]) -> list[str]:
    """The addresses of all endpoints of a Service that count as ready, in order."""
    publishes_all = _publishes_all(service)
    hosts = (found for slice_ in slices for found in _hosts(slice_, publishes_all=publishes_all))
    return _sorted(address for _, addresses in hosts for address in addresses)


def _publishes_all(service: Service) -> bool:
    """Whether readiness is to be disregarded (the API's `publishNotReadyAddresses`; the specification, 2.1).

    Kubernetes' own slices say so themselves. Those that users write may say otherwise.
    """
    annotations = service.metadata.annotations or {}
    return service.spec.publish_not_ready_addresses or annotations.get(TOLERATE_UNREADY) == "true"


def _sorted(addresses: Iterable[str]) -> list[str]:
    return sorted(set(addresses), key=_numeric)


def _hosts(slice_: EndpointSlice, *, publishes_all: bool) -> Iterator[tuple[str, Sequence[str]]]:
    """The hostname and the addresses of each endpoint to publish. One that is a domain name has no address."""
    if slice_.address_type not in ("IPv4", "IPv6"):
        return
    for endpoint in slice_.endpoints or []:
        if endpoint.addresses and (publishes_all or endpoint.conditions.ready is not False):
            yield _hostname(endpoint, endpoint.addresses[0]), endpoint.addresses


def _hostname(endpoint: Endpoint, address: str) -> str:
    return endpoint.hostname or dashed(address)


def _address_records(suffix: str, name: str, addresses: Sequence[str]) -> list[Records]:
    found = (
        ("A", tuple([address for address in addresses if ":" not in address])),
        ("AAAA", tuple([address for address in addresses if ":" in address])),
    )
    return [Records(f"{kind.lower()}{suffix}", name, kind, values) for kind, values in found if values]


def _pointer(address: str, names: Sequence[str]) -> Records:
    return Records(f"ptr.{dashed(address)}", reverse_name(address), "PTR", tuple(names))


def _numeric(address: str) -> tuple[int, int]:
    parsed = ipaddress.ip_address(address)
    return parsed.version, int(parsed)
