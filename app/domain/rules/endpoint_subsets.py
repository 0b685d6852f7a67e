"""The one canonical form of an Endpoints object's subsets."""

from collections import defaultdict
from collections.abc import Iterable

from app.domain.kinds.endpoints import EndpointAddress, EndpointPort, EndpointSubset

_AddressKey = tuple[str, str]
_PortKey = tuple[str, int, str, str] | None


def repack(subsets: Iterable[EndpointSubset]) -> list[EndpointSubset]:
    """Rearrange subsets so that each port appears once, with all the addresses that offer it.

    Addresses differ by IP and target. An address that is listed both as ready and as not ready for a port is not
    ready. Ports with the same addresses in the same state share a subset. Everything is sorted, so that equal
    Endpoints have equal subsets. A subset without ports keeps having none.
    """
    addresses: dict[_AddressKey, EndpointAddress] = {}
    ports: dict[_PortKey, EndpointPort] = {}
    states: dict[_PortKey, dict[_AddressKey, bool]] = defaultdict(dict)
    for subset in subsets:
        listed = [(each, True) for each in subset.addresses or []]
        listed += [(each, False) for each in subset.not_ready_addresses or []]
        offered = [(_port_key(port), port) for port in subset.ports or []]
        ports.update(offered)
        for port_key in [key for key, _ in offered] or [None]:
            for address, ready in listed:
                key = _address_key(address)
                addresses.setdefault(key, address)
                states[port_key][key] = states[port_key].get(key, True) and ready
    shared: dict[frozenset[tuple[_AddressKey, bool]], list[_PortKey]] = defaultdict(list)
    for port_key, state in states.items():
        shared[frozenset(state.items())].append(port_key)
    packed = [
        _subset(state, [ports[key] for key in sorted(filter(None, keys))], addresses) for state, keys in _split(shared)
    ]
    return sorted(packed, key=_subset_key)


def _split(
    shared: dict[frozenset[tuple[_AddressKey, bool]], list[_PortKey]],
) -> Iterable[tuple[frozenset[tuple[_AddressKey, bool]], list[_PortKey]]]:
    """Separate subsets without ports from those with ports."""
    for state, keys in shared.items():
        if None in keys:
            yield state, []
        if any(keys):
            yield state, keys


def _subset(
    state: frozenset[tuple[_AddressKey, bool]], ports: list[EndpointPort], addresses: dict[_AddressKey, EndpointAddress]
) -> EndpointSubset:
    ready = [addresses[key] for key, is_ready in sorted(state) if is_ready]
    not_ready = [addresses[key] for key, is_ready in sorted(state) if not is_ready]
    return EndpointSubset(addresses=ready or None, not_ready_addresses=not_ready or None, ports=ports or None)


def _address_key(address: EndpointAddress) -> _AddressKey:
    return (address.ip, address.target_ref.uid if address.target_ref else "")


def _port_key(port: EndpointPort) -> _PortKey:
    return (port.name, port.port, port.protocol, port.app_protocol or "")


def _subset_key(subset: EndpointSubset) -> tuple[list[_PortKey], list[_AddressKey], list[_AddressKey]]:
    return (
        [_port_key(port) for port in subset.ports or []],
        [_address_key(address) for address in subset.addresses or []],
        [_address_key(address) for address in subset.not_ready_addresses or []],
    )
