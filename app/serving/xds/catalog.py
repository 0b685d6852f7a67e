"""What every connected Envoy is offered, kept up to date from the mirror by difference."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from app.cluster.service_slices import ServiceSlices, services_of
from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.node import NODE
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object
from app.domain.rules.cluster import Cluster
from app.domain.wanted.plane_traffic import traffic_of
from app.domain.wanted.traffic import NOTHING, PlaneProfile
from app.mirror.entry import Change, NamespacedName
from app.mirror.mirror import Mirror
from app.serving.xds.offers import Offer
from app.serving.xds.planes import Plane
from app.serving.xds.view import View

_SERVICES_IN_A_ROW = 50
"""Services that are computed before the event loop gets its turn."""

_LOOK_SECONDS = 2.0
_FOLLOWED = (SERVICE.key, ENDPOINT_SLICE.key, ADDRESS_POOL.key, NODE.key)
_SURROUNDINGS = (ADDRESS_POOL.key, NODE.key)


class Catalog:
    """Follows the mirror from its construction on. Nothing is computed before an Envoy has connected.

    Args:
        mirror: Of this process.
        cluster: What the rules know of the surroundings.
        most_services: How many Services one Envoy may have.

    Attributes:
        offers: By profile.
    """

    def __init__(self, mirror: Mirror, cluster: Callable[[], Cluster], most_services: int) -> None:
        self.offers: dict[PlaneProfile, Offer] = {}
        self._mirror = mirror
        self._cluster = cluster
        self._most_services = most_services
        self._dirty: dict[NamespacedName, int] = {}
        self._reached = 0
        self._surroundings = _surroundings(cluster())
        self._wake = asyncio.Event()
        self._filling: dict[PlaneProfile, asyncio.Lock] = {}
        self._slices = ServiceSlices(mirror)
        mirror.subscribe(self._changed, self._reload)
        self._reload()

    async def run(self) -> None:
        """Bring the offers up to date until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _LOOK_SECONDS)
            self._wake.clear()
            self.note_surroundings()  # files may have been read again
            self.let_go()
            if not self.offers:
                self._dirty.clear()
            while self._dirty or any(offer.view.revision < self._reached for offer in self.offers.values()):
                await self._step()

    async def view(self, profile: PlaneProfile) -> View:
        """The resources for Envoys of a profile, complete as of this moment."""
        async with self._filling.setdefault(profile, asyncio.Lock()):
            offer = self.offers.get(profile)
            if offer is None:
                offer = await self._filled(profile)
        return offer.view

    def offer_of(self, plane: Plane) -> Offer | None:
        """What an Envoy is offered; None before it is put together."""
        return self.offers.get(plane.profile)

    def note_surroundings(self, revision: int = 0) -> None:
        """Look whether something changed that concerns all Services: pools, nodes or service tags.

        What a pool's or a node's status says does not; it changes each second.
        """
        found = _surroundings(self._cluster())
        if found != self._surroundings:
            self._surroundings = found
            self._reached = max(self._reached, revision)
            self._all_dirty(self._reached)
            self._wake.set()

    def let_go(self) -> None:
        """Forget what no Envoy is offered any more."""
        for profile in [each for each, offer in self.offers.items() if not offer.view.is_followed]:
            if not self._filling[profile].locked():
                del self.offers[profile]

    async def _filled(self, profile: PlaneProfile) -> Offer:
        """A new offer. What changes while it is filled is put once more, like any change."""
        offer = Offer(profile, self._most_services, self._look_again)
        revision = self._mirror.revision
        self.offers[profile] = offer
        services = [decode_object(SERVICE, each.wire) for each in self._mirror.list(SERVICE.key, None)]
        services.sort(key=lambda each: (each.metadata.creation_timestamp or "", each.metadata.name))
        for number, service in enumerate(services, 1):
            key = (service.metadata.namespace or "", service.metadata.name)
            self._put(key, revision, [offer])
            if number % _SERVICES_IN_A_ROW == 0:
                await asyncio.sleep(0)
        offer.view.reach(revision)
        return offer

    async def _step(self) -> None:
        """Put the next Services; once all are, every view has reached the newest revision."""
        keys = list(self._dirty)[:_SERVICES_IN_A_ROW]
        offers = list(self.offers.values())
        for key in keys:
            self._put(key, self._dirty.pop(key), offers)
        if not self._dirty:
            for offer in offers:
                offer.view.reach(self._reached)
        elif keys:
            await asyncio.sleep(0)

    def _put(self, key: NamespacedName, revision: int, offers: Iterable[Offer]) -> None:
        entry = self._mirror.get(SERVICE.key, *key)
        service = None if entry is None else decode_object(SERVICE, entry.wire)
        slices = [] if service is None else self._slices.of(key)
        for offer in offers:
            traffic = NOTHING if service is None else traffic_of(service, slices, self._cluster(), offer.profile)
            offer.put(key, traffic, revision, time.monotonic())

    def _changed(self, changes: Sequence[Change]) -> None:
        for change in changes:
            kind, entry = change.entry.kind, change.entry
            if kind not in _FOLLOWED:
                continue
            if kind in _SURROUNDINGS:
                self.note_surroundings(change.revision)
                continue
            self._reached = change.revision
            concerned: Iterable[NamespacedName] = ()
            if kind == ENDPOINT_SLICE.key:
                concerned = services_of(change)
            elif change.alters_content:
                concerned = [(entry.namespace, entry.name)]
            for each in concerned:
                self._dirty.setdefault(each, change.revision)
        self._wake.set()

    def _reload(self) -> None:
        self._reached = self._mirror.revision
        self._all_dirty(self._mirror.revision)
        for offer in self.offers.values():
            for owner in offer.view.owners():
                self._dirty.setdefault(owner, self._reached)
        self._wake.set()

    def _all_dirty(self, revision: int) -> None:
        if self.offers:
            for entry in self._mirror.list(SERVICE.key, None):
                self._dirty.setdefault((entry.namespace, entry.name), revision)

    def _look_again(self, key: NamespacedName, seconds: float) -> None:
        def look() -> None:
            self._dirty.setdefault(key, self._reached)
            self._wake.set()

        asyncio.get_running_loop().call_later(seconds, look)


def _surroundings(cluster: Cluster) -> tuple[object, ...]:
    """What the traffic of every Service depends on."""
    return cluster.pools, cluster.nodes.excluded, cluster.service_tags
