"""What the rules may know of addresses at which several Services take traffic."""

from collections.abc import Iterable
from typing import Protocol

from app.domain.kinds.service import Service


class SharedFrontends(Protocol):
    """The Services that take traffic at the same addresses. Each answer is of this moment."""

    def first_at(self, address: str) -> Service | None:
        """Of several Services at an address, given in canonical text, the first; None unless there are several."""

    def names_at(self, address: str) -> Iterable[tuple[str, str]]:
        """The namespaces and names of all Services at an address, given in canonical text."""


class NothingShared:
    """No address is shared."""

    def first_at(self, address: str) -> Service | None:
        """None."""
        del address
        return None

    def names_at(self, address: str) -> Iterable[tuple[str, str]]:
        """None."""
        del address
        return ()


NOTHING_SHARED = NothingShared()
