"""What the rules and the allocation know of one pool of addresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from app.domain.rules.address_ranges import AddressRange, pool_range, range_of
from app.domain.rules.address_sets import AddressSet

INTERNAL, EXTERNAL = "internal", "external"
SCOPES = (INTERNAL, EXTERNAL)

_SHOWN = 3


@dataclass(frozen=True)
class PoolDescription:
    """A pool as it is now, without what is held of it.

    Attributes:
        name: Unique among pools.
        scope: `internal` for private load balancer addresses, `external` for public ones, "" for what is neither.
        ranges: In the order in which addresses are picked from them.
        excluded: Parts of them that are not the pool's.
        obstacle: Why nobody may get an address from it; "" while that is possible.
        overlap: Which of its addresses it does not have because somebody else was there first, in words; mostly "".
        auto_assign: Whether those get one who do not name the pool.
        priority: Pools with a higher one are picked from first.
        aliases: Other names of the pool.
        namespaces: Those that may use it; None for all.
        reuse_after_seconds: How long an address is given to nobody after it was released.
    """

    name: str
    scope: str
    ranges: tuple[AddressRange, ...]
    excluded: tuple[AddressRange, ...] = ()
    obstacle: str = ""
    overlap: str = ""
    auto_assign: bool = True
    priority: int = 0
    aliases: tuple[str, ...] = ()
    namespaces: frozenset[str] | None = None
    reuse_after_seconds: int = 0

    @classmethod
    def of(
        cls, name: str, scope: str, addresses: Sequence[str], exclude: Sequence[str] = (), **more: object
    ) -> "PoolDescription":
        """A pool of load balancer addresses from texts that were found to be valid."""
        ranges, excluded = tuple(map(pool_range, addresses)), tuple(map(range_of, exclude))
        return cls(name, scope, ranges, excluded, **more)  # type: ignore[arg-type]

    @cached_property
    def usable(self) -> AddressSet:
        """The addresses of the pool."""
        return AddressSet.of(self.ranges) - AddressSet.of(self.excluded)

    @cached_property
    def families(self) -> tuple[str, ...]:
        """The families of which it has ranges: `IPv4`, `IPv6`."""
        return tuple(sorted({each.family for each in self.ranges}))

    @property
    def gives(self) -> bool:
        """Whether somebody may get an address that nobody has yet."""
        return not self.obstacle

    def label(self, family: str) -> str:
        """The pool as messages name it: with its ranges of one family, or the first of many."""
        texts = [each.text for each in self.ranges if each.family == family]
        more = [f"and {len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
        return f"{self.name} {', '.join([*texts[:_SHOWN], *more])}".rstrip()

    def is_called(self, name: str) -> bool:
        """Whether somebody who says this name means the pool."""
        return name == self.name or name in self.aliases

    def admits(self, namespace: str) -> bool:
        """Whether the objects of a namespace may use it."""
        return self.namespaces is None or namespace in self.namespaces
