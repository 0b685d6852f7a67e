"""A pool of addresses, as the rules and the allocation see it."""

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
    """A pool as it is now. Which of its addresses are held is not a part of it.

    Attributes:
        name: Unique among pools.
        scope: `internal` for private load balancer addresses, `external` for public ones, "" for any other pool.
        ranges: In the order in which addresses are picked from them.
        excluded: Parts of the ranges that do not belong to the pool.
        obstacle: Why the pool gives no addresses; "" if it does.
        overlap: Which addresses of its ranges belong to an older pool or a range of ClusterIPs, in words; mostly "".
        auto_assign: Whether Services that name no pool may use the pool.
        priority: Pools with a higher priority come first.
        aliases: Other names of the pool.
        namespaces: The namespaces that may use the pool; None for all.
        reuse_after_seconds: Seconds for which a released address is not used again.
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
        """Whether the pool gives addresses."""
        return not self.obstacle

    def label(self, family: str) -> str:
        """The pool as messages name it: with its ranges of one family, or the first of many."""
        texts = [each.text for each in self.ranges if each.family == family]
        more = [f"and {len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
        return f"{self.name} {', '.join([*texts[:_SHOWN], *more])}".rstrip()

    def is_called(self, name: str) -> bool:
        """Whether this is the name or an alias of the pool."""
        return name == self.name or name in self.aliases

    def admits(self, namespace: str) -> bool:
        """Whether the objects of a namespace may use the pool."""
        return self.namespaces is None or namespace in self.namespaces
