"""Deleting a StaticAddress: refused while Services use the address, unless it drains."""

from app.domain.declarations.service import SERVICE
from app.domain.kinds.static_address import StaticAddress
from app.domain.rules.address_claims import LB_ADDRESSES
from app.domain.rules.address_pool import SHOWN_HOLDERS
from app.domain.rules.static_address import why_not_deleted
from app.store.reader import Reader


class AddressUse:
    """Asks the claims who uses the address.

    A Service may begin to use it in the moment between this and the write. Then the deletion waits for the Service.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def __call__(self, address: StaticAddress) -> str:
        """Why it may not be deleted; "" if it may."""
        text = address.status.address
        if not text or address.spec.drain:
            return ""
        # One more than is shown: the StaticAddress itself is a holder, too.
        holders = await self._reader.holders_between(LB_ADDRESSES, [(text, text)], SHOWN_HOLDERS + 1)
        users = [str(each) for _, each in holders if each.kind == SERVICE.key]
        if not users:
            return ""
        count = await self._reader.count_between(LB_ADDRESSES, [(text, text)]) - 1
        return why_not_deleted(address, users[:SHOWN_HOLDERS], count)
