"""Service tags: names under which Azure publishes the addresses of its services."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from ipaddress import collapse_addresses

import msgspec

from app.domain.rules.addresses import Network, strict_network

INTERNET, VIRTUAL_NETWORK = "Internet", "VirtualNetwork"
"""Tags that Azure does not publish: every client, and the clients of the private network."""

_REMEMBERED = 256


class _Properties(msgspec.Struct, rename="camel"):
    address_prefixes: list[str]


class _Value(msgspec.Struct):
    name: str
    properties: _Properties


class _Published(msgspec.Struct):
    values: list[_Value]


class ServiceTags:
    """The prefixes of tags. As in Azure, upper and lower case are the same."""

    def __init__(self, prefixes: Mapping[str, Iterable[Network]]) -> None:
        self._prefixes = {name.lower(): tuple(found) for name, found in prefixes.items()}

    @classmethod
    def read(cls, document: bytes) -> "ServiceTags":
        """Read a document in the form in which Azure publishes its service tags (ServiceTags_Public_*.json).

        Raises:
            ValueError: It has another form, or a prefix is no CIDR.
        """
        try:
            published = msgspec.json.decode(document, type=_Published)
        except msgspec.MsgspecError as error:
            raise ValueError(f"no list of service tags as Azure publishes it: {error}") from None
        return cls({each.name: list(_networks(each)) for each in published.values})

    def networks(self, name: str) -> tuple[Network, ...]:
        """The networks of a tag of both families; none if it has none, or nobody knows them."""
        return self._prefixes.get(name.lower(), ())


NO_SERVICE_TAGS = ServiceTags({})


def is_internet(tag: str) -> bool:
    """Whether a tag means every client."""
    return tag.lower() == INTERNET.lower()


@lru_cache(maxsize=_REMEMBERED)
def merged_networks(networks: tuple[Network, ...], version: int) -> tuple[str, ...]:
    """The networks of an IP version as few CIDRs. Remembered, since some tags have thousands of prefixes."""
    found = (each for each in networks if each.version == version)
    return tuple(str(each) for each in collapse_addresses(found))  # type: ignore[type-var]


def _networks(value: _Value) -> Iterator[Network]:
    for prefix in value.properties.address_prefixes:
        network = strict_network(prefix)
        if network is None:
            raise ValueError(f"tag {value.name}: {prefix!r} is no CIDR")
        yield network
