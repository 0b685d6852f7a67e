"""The parts that API processes and reconcilers have in common, started on a database."""

import asyncio
import gc
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from msgspec.structs import replace

from app.cluster.address_pools import PoolDescriptions
from app.cluster.admission_policies import AdmissionPolicies
from app.cluster.authorizer import Authorizer
from app.cluster.balanced_nodes import NodesOfLoadBalancers
from app.cluster.data_planes import DescribedPlanes
from app.cluster.named_addresses import NamedAddresses
from app.cluster.role_bindings import RoleBindings
from app.cluster.service_ranges import ServiceRanges
from app.cluster.shared_frontends import FrontendHolders
from app.cluster.zone_descriptions import ZoneDescriptions
from app.domain.declarations.address_history import ADDRESS_HISTORY
from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.service import SERVICE
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.errors import ServiceUnavailable
from app.domain.pools.allocated_kinds import ALLOCATED
from app.domain.pools.stock import Stock
from app.domain.rules.cluster import Cluster
from app.domain.timestamps import format_time
from app.main.stopping import unless_stopped
from app.mirror.mirror import Mirror
from app.registry.address_history import AddressHistories
from app.registry.address_use import AddressUse
from app.registry.admission import Admission
from app.registry.context import Context
from app.registry.forms import Forms
from app.registry.pool_forecast import PoolForecasts
from app.registry.pool_shrinking import PoolShrinking
from app.registry.preview import AllocationPreview
from app.registry.quota_forecast import QuotaForecast
from app.registry.registry import Registry
from app.settings.processes import Settings
from app.store.address_ledger import AddressLedger
from app.store.agreement import agreed
from app.store.database import STARTING_SECONDS, Database
from app.store.notifications import Notifications
from app.store.reader import Reader
from app.store.sealing import Keyring
from app.store.store import Store
from app.store.writer import Writer


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that API processes and reconcilers have in common."""

    database: Database
    writer: Writer
    reader: Reader
    notifications: Notifications
    mirror: Mirror
    kinds: Kinds
    cluster: Callable[[], Cluster]
    history_retention: timedelta

    def registry(self, allocation_wait: float, allocates: Callable[[], bool], stock: Stock | None = None) -> Registry:
        """The verbs over these parts.

        Args:
            allocation_wait: Seconds that a write waits for its allocation. After that, the answer is a pending object.
            allocates: Whether some reconciler allocates at the moment.
            stock: What new Services get at once; None if everything is left to the reconciler.
        """

        def cluster() -> Cluster:
            known = self.cluster()
            return known if allocates() else replace(known, allocating=False)

        authorizer, ledger = Authorizer(self.mirror, RoleBindings(self.mirror)), AddressLedger(self.database)
        context = Context(
            kinds=self.kinds,
            writer=self.writer,
            reader=self.reader,
            mirror=self.mirror,
            cluster=cluster,
            allocation_wait=allocation_wait,
            quotas=QuotaForecast(self.reader, self.writer.ceiling),
            forms=Forms(self.kinds),
            previews=dict.fromkeys(ALLOCATED, AllocationPreview(self.reader)),
            questions={ADDRESS_POOL.key: PoolShrinking(self.reader)},
            authorizer=authorizer,
            admission=Admission(authorizer, AdmissionPolicies(self.mirror, self.kinds)),
            guards={STATIC_ADDRESS.key: AddressUse(self.reader)},
            archives={ADDRESS_HISTORY.key: AddressHistories(ledger, self.kinds)},
            stocks={} if stock is None else {SERVICE.key: stock},
            computed={(ADDRESS_POOL.key, "forecast"): PoolForecasts(ledger, cluster, self.history_retention)},
        )
        return Registry(context)

    async def check_mirror(self) -> None:
        """For `/readyz`: check that the objects are in memory and follow the log.

        Raises:
            ServiceUnavailable: They do not.
        """
        if not self.mirror.ready:
            raise ServiceUnavailable("the objects in memory do not follow the log")


@asynccontextmanager
async def started(
    settings: Settings, stopping: asyncio.Event, *, gathering: float = 0.0, kinds: Iterable[str] | None = None
) -> AsyncIterator[Parts]:
    """Start the parts, and close them at the end.

    Args:
        settings: Of the process.
        stopping: Gives up a start that has not come to its end.
        gathering: Seconds that changes may wait under load to be fetched together with others.
        kinds: Keys of the kinds whose objects the mirror keeps; None for all. A registry needs all.

    Raises:
        UnsuitableDatabaseError: The database has another version's schema, or none, or cannot be decrypted.
        DisagreementError: Other processes work on the database with other settings.
        ServiceUnavailable: The database cannot be reached, also after a moment.
    """
    store = Store(
        settings.url, keyring=Keyring(settings.encryption_keys), ceiling=settings.objects_per_namespace or None
    )
    try:
        async with AsyncExitStack() as entered:
            async with unless_stopped(stopping):
                await store.database.wait(STARTING_SECONDS)
                await store.start()
                await entered.enter_async_context(agreed(store.database, holder_name(), settings.agreed()))
                parts = await entered.enter_async_context(_working(settings, store, gathering, kinds))
            yield parts
    finally:
        await store.close()


_NEW_OBJECTS, _YOUNG_COLLECTIONS, _MIDDLE_COLLECTIONS = 20_000, 20, 50
"""When the garbage collector starts (`gc.set_threshold`)."""


def _collect_seldom() -> None:
    """Have the garbage collector visit what lives long as seldom as possible.

    What is loaded stays, and little garbage has circles: collections as often as Python makes them took two fifths of
    the time of a reconciler under load.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _YOUNG_COLLECTIONS, _MIDDLE_COLLECTIONS)


@asynccontextmanager
async def _working(
    settings: Settings, store: Store, gathering: float, kinds: Iterable[str] | None
) -> AsyncIterator[Parts]:
    """The parts on a database that has passed all checks."""
    mirror = Mirror(store.reader, store.notifications, gathering=gathering, kinds=kinds)
    await mirror.start()
    ranges = ServiceRanges(mirror, tuple(map(str, settings.service_cidrs)))
    _collect_seldom()
    try:
        yield Parts(
            database=store.database,
            writer=store.writer,
            reader=store.reader,
            notifications=store.notifications,
            mirror=mirror,
            kinds=Kinds(),
            history_retention=settings.history_retention.length,
            cluster=_cluster(settings, mirror, ranges),
        )
    finally:
        await mirror.close()


def _cluster(settings: Settings, mirror: Mirror, ranges: ServiceRanges) -> Callable[[], Cluster]:
    pools, zones, nodes = PoolDescriptions(mirror, ranges), ZoneDescriptions(mirror), NodesOfLoadBalancers(mirror)
    planes = DescribedPlanes(mirror)
    addresses = NamedAddresses(mirror)
    node_port_range = (settings.node_port_range.first, settings.node_port_range.last)
    shared, tags = FrontendHolders(mirror), settings.service_tags_file
    manages_load_balancers = settings.load_balancer_controller == "fairlead"

    def cluster() -> Cluster:
        return Cluster(
            service_cidrs=ranges.cidrs,
            every_service_cidr=ranges.every,
            node_port_range=node_port_range,
            cluster_domain=settings.cluster_domain,
            manages_load_balancers=manages_load_balancers,
            now=now(),
            pools=pools.pools,
            service_tags=tags.current,
            nodes=nodes.nodes,
            shared_frontends=shared,
            zones=zones.zones,
            data_planes=planes.planes,
            loopback=settings.allows_loopback,
            addresses=addresses,
        )

    return cluster


def holder_name() -> str:
    """A name for this process that no other process has had."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


def now() -> str:
    """The present as RFC 3339, in whole seconds. It is formatted once a second, since every write asks for it."""
    return _second(int(time.time()))


@lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))
