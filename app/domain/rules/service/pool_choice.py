"""The choice of the pools for a load balancer address of a Service."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.domain.kinds.service import Service
from app.domain.rules.addresses import family_of
from app.domain.rules.pool_description import EXTERNAL, INTERNAL, PoolDescription
from app.domain.rules.service.load_balancer_wish import wish_of

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class PoolWish:
    """What the choice of a pool depends on.

    Attributes:
        namespace: The namespace of the Service.
        internal: Whether the address is private.
        pool: The pool that the Service names, by name or alias; "" if it names none.
    """

    namespace: str
    internal: bool
    pool: str = ""

    @classmethod
    def of(cls, service: Service) -> "PoolWish":
        """The wish of a Service."""
        wish = wish_of(service)
        return cls(service.metadata.namespace or "", wish.internal, wish.pool)

    @property
    def scope(self) -> str:
        """The scope of the pools in question."""
        return INTERNAL if self.internal else EXTERNAL

    @property
    def side(self) -> str:
        """The pools in question, in words."""
        return f'the pool "{self.pool}"' if self.pool else f"the {self.scope} pools"


def pools_for(wish: PoolWish, family: str, pools: Iterable[PoolDescription]) -> Sequence[PoolDescription]:
    """The pools that can give the Service an address of a family, in order."""
    found = [pool for pool in _in_question(wish, pools) if not _why_not_picked(pool, wish, family)]
    return sorted(found, key=lambda pool: (-pool.priority, pool.name))


def why_not_asked(wish: PoolWish, address: str, pools: Iterable[PoolDescription]) -> str:
    """Why a Service may not ask for an address; "" where a pool that it may use has the address."""
    found = list(_in_question(wish, pools))
    holding = [pool for pool in found if address in pool.usable]
    if not holding:
        return f"must be a usable address of {wish.side}: {_listed(found, address)}"
    told = [_why_not_given(pool, wish) for pool in holding]
    return "" if "" in told else f'pool "{holding[0].name}" {told[0]}'


def keeps_address(wish: PoolWish, address: str, pools: Iterable[PoolDescription]) -> bool:
    """Whether a Service can keep its address: a pool in question has it, even if the pool gives no more addresses."""
    return any(address in pool.usable for pool in _in_question(wish, pools))


def why_none(wish: PoolWish, family: str, pools: Iterable[PoolDescription]) -> str:
    """Why no pool can give an address, and what helps."""
    found = list(_in_question(wish, pools))
    told = [f'pool "{pool.name}" {_why_not_picked(pool, wish, family)}' for pool in found[:_SHOWN]]
    if not told:
        missing = f'there is no {wish.scope} pool "{wish.pool}"' if wish.pool else "there is no pool of such addresses"
        return f"{missing}; add one, and it is given at once"
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return "; ".join([*told, *more])


def _listed(pools: Sequence[PoolDescription], address: str) -> str:
    family = family_of(address)
    found = [pool.label(family) for pool in pools if pool.gives and family in pool.families]
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return ", ".join([*found[:_SHOWN], *more]) or "there is no such pool"


def _in_question(wish: PoolWish, pools: Iterable[PoolDescription]) -> Iterator[PoolDescription]:
    return (pool for pool in pools if pool.scope == wish.scope and (not wish.pool or pool.is_called(wish.pool)))


def _why_not_picked(pool: PoolDescription, wish: PoolWish, family: str) -> str:
    """Why a pool cannot give an address of a family; "" if it can."""
    if family not in pool.families:
        return f"has no {family} addresses"
    if not (pool.auto_assign or wish.pool):
        return "is only for Services that name it"
    return _why_not_given(pool, wish)


def _why_not_given(pool: PoolDescription, wish: PoolWish) -> str:
    """Why a Service can get no address of a pool at all, not even one that it asks for."""
    if not pool.gives:
        return f"gives no addresses: {pool.obstacle}"
    return "" if pool.admits(wish.namespace) else f"does not admit the namespace {wish.namespace}"
