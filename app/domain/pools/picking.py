"""Picking from pools: what can be picked from, what was picked, and what was not to be had."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from app.domain.pools.address_pool import PoolKey
from app.domain.pools.number_pool import RandomBelow
from app.domain.rules.address_claims import LB_ADDRESSES, claimed_address
from app.domain.rules.service.conditions import Shortage

POOL_EXHAUSTED, NO_POOL = "PoolExhausted", "NoPool"
"""Reasons of a shortage."""

CLUSTER_IPS, NODE_PORTS = "cluster_ips", "node_ports"
"""With LB_ADDRESSES, the claim tables that mirror pools."""

_SHOWN = 3

T = TypeVar("T")


class Pool(Protocol[T]):
    """Addresses or ports, some of which are held: a FamilyPool, a PortPool or a sample of one."""

    @property
    def label(self) -> str:
        """How a shortage names it."""

    @property
    def size(self) -> int:
        """How many values there are when none is held."""

    @property
    def free(self) -> int:
        """How many can be picked."""

    def hold(self, value: T, /) -> bool:
        """Note that a value is held; False when it is not among those that can be picked."""

    def parts(self, random_below: RandomBelow) -> Iterator[tuple[T, T]]:
        """First and last of each part of it, in the order in which a pick looks through them."""

    def pick(self, random_below: RandomBelow) -> T | None:
        """Hold a value that was not held and return it, None when there is none."""


@dataclass(frozen=True, slots=True)
class Pools:
    """What can be picked from, by IP family where families differ.

    Attributes:
        cluster_ips: ClusterIPs; a family may have several ranges (KEP-1880).
        node_ports: Node ports and health check node ports.
        addresses: Load balancer addresses, by name of the pool and family.
        random_below: Source of chance: a number in 0..n-1.
        held_by_others: Whether an object other than the one with this uid holds an address.
    """

    cluster_ips: Mapping[str, Pool[str]]
    node_ports: Pool[int]
    addresses: Mapping[PoolKey, Pool[str]]
    random_below: RandomBelow
    held_by_others: Callable[[str, str], bool]

    def hold(self, table: str, key: str) -> None:
        """Keep what a claim stands for from being picked."""
        if table == NODE_PORTS:
            self.node_ports.hold(int(key))
        elif table in (CLUSTER_IPS, LB_ADDRESSES):
            pools = self.cluster_ips.values() if table == CLUSTER_IPS else self.addresses.values()
            for pool in pools:
                pool.hold(claimed_address(key))


@dataclass(frozen=True, slots=True)
class Picks:
    """What became of one attempt.

    Attributes:
        shortages: What is still missing; empty when the Service has everything.
        picked: Table and key of the claims that were picked, each held in its pool now.
        exhausted: The pools that had too little left, and how many values of each are needed at once; trying again
            makes sense when one of them has so many free.
        awaited: Addresses, and names of addresses as `namespace/name`, that could not be had; trying again makes sense
            when something changes about one of them.
    """

    shortages: tuple[Shortage, ...]
    picked: tuple[tuple[str, str], ...]
    exhausted: tuple[tuple[Pool[Any], int], ...] = ()
    awaited: tuple[str, ...] = ()


class Picking:
    """What one object gets.

    Attributes:
        pools: What to pick from.
        shortages: What was not found.
        awaited: See `Picks`.
    """

    def __init__(self, pools: Pools) -> None:
        self.pools = pools
        self.shortages: list[Shortage] = []
        self.awaited: list[str] = []
        self._picked: list[tuple[str, str]] = []
        self._exhausted: list[tuple[Pool[Any], int]] = []

    def result(self) -> Picks:
        """What became of it."""
        return Picks(tuple(self.shortages), tuple(self._picked), tuple(self._exhausted), tuple(self.awaited))

    def address(self, table: str, what: str, pools: Sequence[Pool[str]]) -> str | None:
        """An address from the first pool that has one; `what` says what is missing if none has."""
        for pool in pools:
            address = pool.pick(self.pools.random_below)
            if address is not None:
                self._picked.append((table, address))
                return address
        self._tell_exhausted(pools, what)
        return None

    def frontend(self, what: str, keys: Sequence[PoolKey]) -> str | None:
        """A load balancer address from the first of these pools that has one."""
        return self.address(LB_ADDRESSES, what, [self.pools.addresses[key] for key in keys])

    def ports(self, wanted: Sequence[str]) -> list[int]:
        """A node port for each of what is wanted; none at all where there are too few."""
        pool = self.pools.node_ports
        if wanted and pool.free < len(wanted):
            self._tell_exhausted([pool], ", ".join(f"no {what}" for what in wanted), len(wanted))
            return []
        numbers = [port for _ in wanted if (port := pool.pick(self.pools.random_below)) is not None]
        self._picked += [(NODE_PORTS, str(number)) for number in numbers]
        return numbers

    def lacks(self, reason: str, pool: str, message: str, *awaited: str) -> None:
        """Note that something is not to be had, whatever the pools have."""
        self.shortages.append(Shortage(reason, pool, 0, 0, message))
        self.awaited += awaited

    def _tell_exhausted(self, pools: Sequence[Pool[Any]], what: str, needed: int = 1) -> None:
        taken = ", ".join(f"{pool.free} of {pool.size} are free in {pool.label}" for pool in pools[:_SHOWN])
        hope = "as soon as one is released" if needed == 1 else f"as soon as {needed} are free at once"
        message = f"{what}: {taken}; it is tried again {hope}"
        size, free = sum(pool.size for pool in pools), sum(pool.free for pool in pools)
        self.shortages.append(Shortage(POOL_EXHAUSTED, pools[0].label, size, free, message))
        self._exhausted += [(pool, needed) for pool in pools]
