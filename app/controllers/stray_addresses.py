"""Addresses whose pool changes while they are held: a condition of the holder says whether a pool has its address."""

from collections.abc import AsyncIterator, Callable, Sequence
from ipaddress import ip_address

from app.controllers.controller import SEEN_SECONDS
from app.controllers.own_writes import update
from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.documents.peeking import mentions
from app.domain.rules.address_claims import LB_ADDRESSES, claimed_address
from app.domain.rules.address_pool import usable_addresses
from app.domain.rules.address_sets import AddressSet
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.conditions import OUTSIDE_POOLS, refresh_conditions
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.reader import Reader
from app.store.rows import ClaimRow
from app.store.writer import Writer
from app.store.writes import LeaseGuard

_KEPT_SECONDS = 60.0
_CLAIMS_AT_ONCE = 2_000


class StrayAddresses:
    """Remembers which addresses came into pools or left them, and tells the holders once nothing can come after it.

    Taking addresses out of a pool is refused while they are held, but one may be given at that very moment. It stays
    with its holder, and this makes it visible.
    """

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        mirror: Mirror,
        cluster: Callable[[], Cluster],
        clock: Callable[[], float],
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._mirror = mirror
        self._cluster = cluster
        self._clock = clock
        self._changed: list[tuple[float, AddressSet]] = []

    def observe(self, changes: Sequence[Change]) -> None:
        """Note what came and what left."""
        now = self._clock()
        for change in changes:
            if change.entry.kind == ADDRESS_POOL.key:
                moved = _moved(change)
                if moved:
                    self._changed.append((now, moved))
        self._forget_old(now)

    async def tell(self, lease: LeaseGuard) -> None:
        """Bring the conditions of holders up to date.

        Raises:
            ApiError: The database cannot be reached; it is tried again.
        """
        now = self._clock()
        self._forget_old(now)
        due = [each for each in self._changed if now - each[0] >= SEEN_SECONDS]
        for each in due:
            async for claim in self._claims(each[1]):
                await self._tell_holder(claim, lease)
            self._changed.remove(each)

    def _forget_old(self, now: float) -> None:
        self._changed = [(since, moved) for since, moved in self._changed if now - since < _KEPT_SECONDS]

    async def _claims(self, addresses: AddressSet) -> AsyncIterator[ClaimRow]:
        for low, high in addresses.bounds():
            start = low
            while True:
                claims = await self._reader.claimed_between(LB_ADDRESSES, start, high, _CLAIMS_AT_ONCE)
                for claim in claims:
                    yield claim
                if len(claims) < _CLAIMS_AT_ONCE:
                    break
                # Holders that share the last address may be on the next page.
                last = claimed_address(claims[-1].key)
                start = last if last != start else str(ip_address(last) + 1)

    async def _tell_holder(self, claim: ClaimRow, lease: LeaseGuard) -> None:
        entry, cluster = self._mirror.by_uid(claim.owner), self._cluster()
        address = claimed_address(claim.key)
        inside = any(address in pool.usable for pool in cluster.pools)
        if entry is None or entry.kind != SERVICE.key or inside != mentions(entry.wire, OUTSIDE_POOLS):
            return
        await self._refresh(entry, cluster, lease)

    async def _refresh(self, entry: Entry, cluster: Cluster, lease: LeaseGuard) -> None:
        service = decode_object(SERVICE, entry.wire)
        before = encode_body(service)
        refresh_conditions(service, cluster)
        if encode_body(service) != before:
            # A write that is faster than this one brings the conditions up to date, too.
            await self._writer.write(update(SERVICE, service, entry.revision, cluster, lease))


def _moved(change: Change) -> AddressSet:
    """The addresses that a pool has now and had not, or had and has not."""
    before, after = (
        AddressSet() if entry is None else usable_addresses(decode_object(ADDRESS_POOL, entry.wire).spec)
        for entry in (change.before, change.after)
    )
    return (before - after) | (after - before)
