"""What an API process and a reconciler have in common, started over the database."""

import gc
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from app.cluster.address_pools import PoolDescriptions
from app.cluster.service_ranges import ServiceRanges
from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.service import SERVICE
from app.domain.errors import ServiceUnavailable
from app.domain.rules.cluster import Cluster
from app.domain.timestamps import format_time
from app.mirror.mirror import Mirror
from app.registry.context import Context
from app.registry.forms import Forms
from app.registry.held_addresses import HeldAddresses
from app.registry.preview import ServicePreview
from app.registry.registry import Registry
from app.settings import Settings
from app.store.agreement import agreed
from app.store.database import Database
from app.store.notifications import Notifications
from app.store.reader import Reader
from app.store.sealing import Keyring
from app.store.store import Store
from app.store.writer import Writer


@dataclass(frozen=True, slots=True)
class Parts:
    """What an API process and a reconciler have in common."""

    database: Database
    writer: Writer
    reader: Reader
    notifications: Notifications
    mirror: Mirror
    kinds: Kinds
    cluster: Callable[[], Cluster]

    def registry(self, allocation_wait: float) -> Registry:
        """The verbs over these parts.

        Args:
            allocation_wait: Seconds that a write waits for its allocation before it is answered pending.
        """
        context = Context(
            kinds=self.kinds,
            writer=self.writer,
            reader=self.reader,
            mirror=self.mirror,
            cluster=self.cluster,
            allocation_wait=allocation_wait,
            forms=Forms(self.kinds),
            previews={SERVICE.key: ServicePreview(self.reader)},
            questions={ADDRESS_POOL.key: HeldAddresses(self.reader)},
        )
        return Registry(context)

    async def check_mirror(self) -> None:
        """For `/readyz`: the objects are in memory and follow the log."""
        if not self.mirror.ready:
            raise ServiceUnavailable("the objects in memory do not follow the log")


@asynccontextmanager
async def started(settings: Settings, *, gathering: float = 0.0) -> AsyncIterator[Parts]:
    """Build what both processes need, started, and close it at the end.

    Args:
        settings: Of the process.
        gathering: Of the mirror.

    Raises:
        UnsuitableDatabaseError: The database has another version's schema, or none, or cannot be decrypted.
        DisagreementError: Others work on the database with other settings.
    """
    store = Store(settings.url, keyring=Keyring(settings.encryption_keys))
    try:
        await store.start()
        async with (
            agreed(store.database, holder_name(), settings.agreed()),
            _working(settings, store, gathering) as parts,
        ):
            yield parts
    finally:
        await store.close()


@asynccontextmanager
async def _working(settings: Settings, store: Store, gathering: float) -> AsyncIterator[Parts]:
    """Everything that works on a database which is one to work with."""
    mirror = Mirror(store.reader, store.notifications, gathering=gathering)
    await mirror.start()
    ranges = ServiceRanges(mirror, tuple(map(str, settings.service_cidrs)))
    # What was loaded stays: a full collection need not walk it each time.
    gc.collect()
    gc.freeze()
    try:
        yield Parts(
            database=store.database,
            writer=store.writer,
            reader=store.reader,
            notifications=store.notifications,
            mirror=mirror,
            kinds=Kinds(),
            cluster=_cluster(settings, ranges, PoolDescriptions(mirror, ranges)),
        )
    finally:
        await mirror.close()


def _cluster(settings: Settings, ranges: ServiceRanges, pools: PoolDescriptions) -> Callable[[], Cluster]:
    node_port_range = (settings.node_port_range.first, settings.node_port_range.last)
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
        )

    return cluster


def holder_name() -> str:
    """A name for this process that no other ever had."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


def now() -> str:
    """The present as RFC 3339, in whole seconds: made once a second, since every write asks."""
    return _second(int(time.time()))


@lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))
