"""The zones that there are without being asked for: that of the cluster, and those of the names of our addresses."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network, summarize_address_range
from itertools import islice

from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.dns_zone import DNSZone, DNSZoneSpec
from app.domain.rules.address_ranges import AddressRange, address_text
from app.domain.rules.cluster import Cluster
from app.domain.rules.zone_description import CLUSTER, REVERSE, ancestors

MANAGED_LABEL = ("app.kubernetes.io/managed-by", "fairlead")
"""On the zones that the server makes by itself."""

_Network = IPv4Network | IPv6Network

_BITS = {4: 32, 6: 128}
"""Of an address."""

_STEPS = {4: 8, 6: 4}
"""Bits of an address for each label of its reverse name (RFC 1035, section 3.5; RFC 3596, section 2.5)."""

_LONGEST = {4: 24, 6: 112}
"""A reverse zone is no smaller than this prefix: delegations are seldom finer, and its neighbours are mostly ours."""


def reverse_zones(networks: Iterable[_Network]) -> list[str]:
    """The names of the zones in which the addresses of some networks have their reverse names.

    A network whose prefix ends within a label has several zones: 10.96.0.0/15 those of 10.96.0.0/16 and 10.97.0.0/16.
    """
    names = {_zone_name(part): None for network in networks for part in _parts(network)}
    # A zone within another one would need a delegation there, and nobody asked for it.
    return [name for name in names if not any(other in names for other in islice(ancestors(name), 1, None))]


def address_networks(cluster: Cluster) -> Iterator[_Network]:
    """The networks that our addresses are of: the service ranges and the pools of load balancer addresses."""
    yield from map(ip_network, cluster.every_service_cidr or cluster.service_cidrs)
    for pool in cluster.pools:
        for each in pool.ranges:
            yield from _networks(each)


def initial_zones(cluster: Cluster) -> list[DNSZone]:
    """The zones that there have to be, as objects without a uid. The name of each is that of its zone."""
    key, value = MANAGED_LABEL
    kinds = {cluster.cluster_domain.rstrip("."): CLUSTER} | dict.fromkeys(
        reverse_zones(address_networks(cluster)), REVERSE
    )
    return [
        DNSZone(
            metadata=ObjectMeta(name=name, labels={key: value}, generation=1), spec=DNSZoneSpec(name=name, kind=kind)
        )
        for name, kind in kinds.items()
    ]


def _networks(
    addresses: AddressRange,
) -> Iterator[IPv4Network] | Iterator[IPv6Network] | list[_Network]:
    """The CIDR of a range that was written as one; else those that have it, none smaller than a zone."""
    if "-" not in addresses.text:
        return [ip_network(addresses.text)]
    beyond = _BITS[addresses.version] - _LONGEST[addresses.version]
    first, last = addresses.first >> beyond << beyond, addresses.last | (1 << beyond) - 1
    texts = (address_text(addresses.version, number) for number in (first, last))
    return summarize_address_range(*map(ip_address, texts))


def _parts(network: _Network) -> Iterator[_Network]:
    """The network in parts whose prefixes end between two labels."""
    step, longest = _STEPS[network.version], _LONGEST[network.version]
    if network.prefixlen >= longest:
        yield network.supernet(new_prefix=longest)
    else:
        yield from network.subnets(new_prefix=-(-network.prefixlen // step) * step)


def _zone_name(network: _Network) -> str:
    labels = network.network_address.reverse_pointer.split(".")
    significant = network.prefixlen // _STEPS[network.version]
    return ".".join(labels[-significant - 2 :])
