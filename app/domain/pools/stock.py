"""The stock of one API process: addresses and ports that the reconciler has set aside for what the process creates.

A stock is only a hint, as everything that is remembered of pools: the claims' unique rows decide. What the stock cannot
give, or gives in vain, the reconciler allocates.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from app.domain.kinds.service import Service
from app.domain.pools.address_pool import PoolKey
from app.domain.pools.allocation import allocate
from app.domain.pools.number_pool import Clock, RandomBelow
from app.domain.pools.picking import CLUSTER_IPS, NODE_PORTS, Pool, Pools
from app.domain.pools.portions import CLUSTER_IP_POOL, ENOUGH, KEPT_SECONDS, POOLS_AT_ONCE, Portion, StockKey
from app.domain.rules.address_claims import LB_ADDRESSES
from app.domain.rules.address_ranges import VERSIONS, service_range
from app.domain.rules.address_sets import AddressSet
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.load_balancer_wish import is_ours, wish_of
from app.domain.rules.service.needs import ingress_addresses

_LOW = ENOUGH // 2
"""With fewer values than this, more are asked for."""

T = TypeVar("T")


class _OutOfStockError(Exception):
    """The stock does not have what is needed, or does not know."""


@dataclass(slots=True, eq=False)
class _Lot(Generic[T]):
    """Values that may be given until the same moment."""

    until: float
    values: list[T]


class _StockedPool(Generic[T]):
    """What the stock has of a pool, as a `Pool` that is picked from; nobody is told its label and size.

    Attributes:
        count: How many values there are, also of those that may not be given any more.
        taken: What was picked last.
    """

    label, size = "", 0

    def __init__(self, clock: Clock, low: Callable[[], None]) -> None:
        self._clock = clock
        self._low = low
        self._lots: deque[_Lot[T]] = deque()
        self.count = 0
        self.taken: list[_Lot[T]] = []

    @property
    def free(self) -> int:
        """How many values there are."""
        now = self._clock()
        while self._lots and self._lots[0].until <= now:
            self.count -= len(self._lots.popleft().values)
        if self.count < _LOW:
            self._low()
        return self.count

    def put(self, lot: _Lot[T]) -> None:
        """Add values."""
        if lot.values:
            self._lots.append(lot)
            self.count += len(lot.values)

    def give_back(self, lots: list[_Lot[T]]) -> None:
        """Have again what was taken."""
        for lot in lots:
            self._lots.appendleft(lot)
            self.count += len(lot.values)

    def hold(self, value: T) -> bool:
        """Take a value out; False when it is not among them."""
        for lot in self._lots:
            if value in lot.values:
                lot.values.remove(value)
                self._count_down(lot)
                return True
        return False

    def parts(self, random_below: RandomBelow) -> Iterator[tuple[T, T]]:  # noqa: ARG002 - as for `pick`
        """Each value by itself."""
        return ((value, value) for lot in self._lots for value in reversed(lot.values))

    def pick(self, random_below: RandomBelow) -> T:  # noqa: ARG002 - chance had its say when they were set aside
        """Take a value; where there is none, no other pool is a substitute."""
        if not self.free:
            raise _OutOfStockError
        lot = self._lots[0]
        value = lot.values.pop()
        self._count_down(lot)
        self.taken.append(_Lot(lot.until, [value]))
        return value

    def _count_down(self, lot: _Lot[T]) -> None:
        """A value of a lot is gone."""
        self.count -= 1
        if not lot.values:
            self._lots.remove(lot)


class _Frontends(dict[PoolKey, Pool[str]]):
    """The pools of load balancer addresses, each made when it is first asked for."""

    def __init__(self, made: Callable[[PoolKey], Pool[str]]) -> None:
        super().__init__()
        self._made = made

    def __missing__(self, key: PoolKey) -> Pool[str]:
        self[key] = self._made(key)
        return self[key]


@dataclass(frozen=True, slots=True)
class Given:
    """A Service with everything that it lacked.

    Attributes:
        service: A copy of the one that lacked it.
        taken: What it got from the stock.
    """

    service: Service
    taken: list[tuple[_StockedPool[Any], list[_Lot[Any]]]]


class Stock:
    """Gives new Services what they lack, at once, from what the reconciler has set aside for this process.

    Attributes:
        on_low: Called when there is too little of something that is needed.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.on_low: Callable[[], None] = lambda: None
        self._epoch = 0
        self._described: tuple[object, ...] = ()
        self._low: set[StockKey] = set()
        self._stocked: dict[StockKey, _StockedPool[Any]] = {}
        self._pools = self._emptied()

    def wanted(self) -> list[tuple[StockKey, int]]:
        """How much should be asked for: of some pools that had too little when something was needed, each once."""
        some = sorted(self._low)[:POOLS_AT_ONCE]
        self._low.difference_update(some)
        return [(key, ENOUGH - self._of(key).count) for key in some]

    def put(self, portion: Portion, cluster: Cluster) -> None:
        """Add what was sent, as far as the pools have it; drop what an earlier owner of the allocation has sent."""
        if portion.epoch < self._epoch:
            return
        self._describe(portion.epoch, cluster)
        covers = _covered(portion.pool, cluster)
        values = [value for value in portion.values if covers(value)]
        self._of(portion.pool).put(_Lot(self._clock() + KEPT_SECONDS, values))

    def give(self, service: Service, cluster: Cluster) -> Given | None:
        """Give a new Service everything it lacks; None if the reconciler has to allocate for it."""
        if not cluster.allocating or not _is_simple(service, cluster):
            return None
        self._describe(self._epoch, cluster)
        given = Given(_copy(service), [])
        try:
            shortages = allocate(given.service, self._pools, cluster, created=True).shortages
        except _OutOfStockError:
            shortages = None
        for pool in self._stocked.values():
            if pool.taken:
                given.taken.append((pool, pool.taken))
                pool.taken = []
        if shortages == ():
            # What is taken already is not given back: another Service would only find the same.
            return None if any(_is_taken(each, cluster) for each in ingress_addresses(given.service)) else given
        self.give_back(given)
        return None

    def give_back(self, given: Given) -> None:
        """Have again what a Service got that was not stored."""
        for pool, lots in given.taken:
            pool.give_back(lots)

    def _describe(self, epoch: int, cluster: Cluster) -> None:
        """Have nothing of pools that are other ones now, or from another owner of the allocation."""
        described = (epoch, cluster.service_cidrs, cluster.pools, cluster.node_port_range)
        if self._described != described:
            self._epoch, self._described = epoch, described
            self._pools = self._emptied()

    def _emptied(self) -> Pools:
        self._stocked.clear()
        return Pools(
            cluster_ips={family: self._of((CLUSTER_IPS, CLUSTER_IP_POOL, family)) for family in VERSIONS},
            node_ports=self._of((NODE_PORTS, "", "")),
            addresses=_Frontends(lambda key: self._of((LB_ADDRESSES, *key))),
            random_below=_no_chance,
            held_by_others=_unknown,
        )

    def _of(self, key: StockKey) -> _StockedPool[Any]:
        if key not in self._stocked:
            self._stocked[key] = _StockedPool(self._clock, lambda: self._is_low(key))
        return self._stocked[key]

    def _is_low(self, key: StockKey) -> None:
        self._low.add(key)
        self.on_low()


def _is_simple(service: Service, cluster: Cluster) -> bool:
    """Whether it need not be known who holds which address, nor which namespaces have just been admitted to a pool."""
    if not is_ours(service, cluster):
        return True
    wish = wish_of(service)
    chosen = any(pool.namespaces is not None for pool in cluster.pools)
    return not (wish.asked or wish.additional_addresses or chosen)


def _is_taken(address: str, cluster: Cluster) -> bool:
    """Whether somebody has asked for a load balancer address that is in the stock: claims allow a second holder."""
    return cluster.addresses.static_at(address) is not None or any(cluster.shared_frontends.names_at(address))


def _copy(service: Service) -> Service:
    """A copy that an allocation can change without changing the other one."""
    ports = service.spec.ports
    spec = replace(service.spec, ports=None if ports is None else [replace(port) for port in ports])
    return replace(service, spec=spec, status=replace(service.status))


def _covered(pool: StockKey, cluster: Cluster) -> Callable[[Any], bool]:
    """Whether a value is one of a pool's."""
    table, name, _ = pool
    if table == NODE_PORTS:
        first, last = cluster.node_port_range
        return range(first, last + 1).__contains__
    if table == CLUSTER_IPS:
        return AddressSet.of(map(service_range, cluster.service_cidrs)).__contains__
    usable = [each.usable for each in cluster.pools if each.name == name and each.gives]
    return usable[0].__contains__ if usable else AddressSet().__contains__


def _no_chance(_: int) -> int:
    return 0


def _unknown(_address: str, _uid: str) -> bool:
    raise _OutOfStockError
