"""At the first start the pools of the settings become objects; from then on only the objects count."""

from collections.abc import Mapping, Sequence

import structlog

from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.documents.objects import ObjectMeta
from app.domain.errors import AlreadyExists, Invalid
from app.domain.kinds.address_pool import AddressPool, AddressPoolSpec
from app.domain.user import ITSELF
from app.registry.options import WriteOptions
from app.registry.registry import Registry
from app.registry.target import Target
from app.store.milestones import Milestones

_MADE = "initial-pools"
_BY_US = WriteOptions(field_manager="fairlead", user=ITSELF)

_log = structlog.stdlib.get_logger(__name__)


async def make_initial_pools(registry: Registry, milestones: Milestones, pools: Mapping[str, Sequence[str]]) -> None:
    """Make a pool of each scope, unless that was done before; any number of processes may do so at once.

    Args:
        registry: The verbs.
        milestones: Tells whether it was done before, so that a pool that was deleted does not come back.
        pools: By scope, which is also the name of the pool, its addresses.

    Raises:
        ApiError: The store cannot be reached.
    """
    if await milestones.is_reached(_MADE):
        return
    for scope, addresses in pools.items():
        spec = AddressPoolSpec(scope=scope, addresses=list(addresses))
        try:
            await registry.create(Target(ADDRESS_POOL), AddressPool(metadata=ObjectMeta(name=scope), spec=spec), _BY_US)
        except AlreadyExists:
            continue
        except Invalid as error:
            _log.warning("a pool of the settings cannot be made", pool=scope, why=error.message)
        else:
            _log.debug("created", kind=ADDRESS_POOL.name, name=scope)
    await milestones.reach(_MADE)
