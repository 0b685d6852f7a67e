"""What the rules may know of addresses that objects hold: static ones, and those of Services by their Azure names."""

from collections.abc import Iterable
from typing import Protocol

from app.domain.kinds.static_address import StaticAddress

_BASE_LENGTH = 32
"""Characters of the base of a Service's names; Azure cuts the uid so that names of resources stay short."""

_OWN_NAME = "kubernetes-"
"""How the names of addresses begin that Services were given: the name of the cluster, then the base."""

_OF_IPV6 = "-IPv6"
"""How the name of the second family's address of a dual-stack Service ends."""


class KnownAddresses(Protocol):
    """The addresses that can be named. Each answer is of this moment."""

    def static(self, namespace: str, name: str) -> StaticAddress | None:
        """A StaticAddress by its name; nobody changes it."""

    def static_at(self, address: str) -> StaticAddress | None:
        """The StaticAddress that keeps an address, given in canonical text."""

    def given(self, namespace: str, base: str, family: str) -> str:
        """The address that a Service of the namespace has, by the base of the Service's names; "" if there is none."""


class NoAddresses:
    """No address can be named."""

    def static(self, namespace: str, name: str) -> StaticAddress | None:
        """None."""
        del namespace, name
        return None

    def static_at(self, address: str) -> StaticAddress | None:
        """None."""
        del address
        return None

    def given(self, namespace: str, base: str, family: str) -> str:
        """None."""
        del namespace, base, family
        return ""


class StoredTogether:
    """The addresses that can be named, and StaticAddresses that are to be stored together with those who name them.

    Args:
        known: What is stored already.
        together: The StaticAddresses, each with its address.
    """

    def __init__(self, known: KnownAddresses, together: Iterable[StaticAddress]) -> None:
        self._known = known
        self._by_name = {(each.metadata.namespace or "", each.metadata.name): each for each in together}
        self._by_address = {each.status.address: each for each in self._by_name.values()}

    def static(self, namespace: str, name: str) -> StaticAddress | None:
        """A StaticAddress as it will be, else as it is."""
        return self._by_name.get((namespace, name)) or self._known.static(namespace, name)

    def static_at(self, address: str) -> StaticAddress | None:
        """The StaticAddress that will keep an address, else that keeps it."""
        return self._by_address.get(address) or self._known.static_at(address)

    def given(self, namespace: str, base: str, family: str) -> str:
        """As it is stored."""
        return self._known.given(namespace, base, family)


def base_of(uid: str) -> str:
    """The beginning of the names of everything that belongs to a Service: `a` and its uid without dashes, cut."""
    return f"a{uid.replace('-', '')}"[:_BASE_LENGTH]


def names_given_to(uid: str) -> tuple[str, str]:
    """The names of the addresses that a Service was given; the second one is that of a second family."""
    name = f"{_OWN_NAME}{base_of(uid)}"
    return name, f"{name}{_OF_IPV6}"


def base_in(name: str) -> str:
    """The base in the name of an address that a Service was given; "" if it is another name."""
    base = name.removeprefix(_OWN_NAME).removesuffix(_OF_IPV6)
    return base if name.startswith(_OWN_NAME) and len(base) == _BASE_LENGTH and base.startswith("a") else ""
