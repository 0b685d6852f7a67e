"""Taking addresses out of an AddressPool: refused while anybody holds one of them."""

from app.domain.errors import Cause
from app.domain.kinds.address_pool import AddressPool
from app.domain.rules.address_claims import LB_ADDRESSES
from app.domain.rules.address_pool import SHOWN_HOLDERS, held_cause, leaving_addresses
from app.store.reader import Reader


class PoolShrinking:
    """Asks the claims who holds what an update takes out of a pool.

    An address may be given in the moment between this and the write, by a process that has not seen the write yet. It
    stays with its holder: see the decision on pools as objects.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def __call__(self, new: AddressPool, old: AddressPool) -> list[Cause]:
        """Name the holders of addresses that would not be in the pool any more."""
        leaving = leaving_addresses(new, old)
        if not leaving:
            return []
        spans = list(leaving.bounds())
        holders = await self._reader.holders_between(LB_ADDRESSES, spans, SHOWN_HOLDERS)
        if not holders:
            return []
        count = await self._reader.count_between(LB_ADDRESSES, spans)
        return [held_cause(new, leaving, [f"{key} by {holder}" for key, holder in holders], max(count, len(holders)))]
