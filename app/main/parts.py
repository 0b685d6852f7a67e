"""The parts that API processes and reconcilers have in common, started on a database."""

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

from msgspec.structs import replace

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
from app.registry.pool_shrinking import PoolShrinking
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
    """The parts that API processes and reconcilers have in common."""

    database: Database
    writer: Writer
    reader: Reader
    notifications: Notifications
    mirror: Mirror
    kinds: Kinds
    cluster: Callable[[], Cluster]

    def registry(self, allocation_wait: float, allocates: Callable[[], bool]) -> Registry:
        """The verbs over these parts.

        Args:
            allocation_wait: Seconds that a write waits for its allocation. After that, the answer is a pending object.
            allocates: Whether some reconciler allocates at the moment.
        """

        def cluster() -> Cluster:
            known = self.cluster()
            return known if allocates() else replace(known, allocating=False)

        context = Context(
            kinds=self.kinds,
            writer=self.writer,
            reader=self.reader,
            mirror=self.mirror,
            cluster=cluster,
            allocation_wait=allocation_wait,
            forms=Forms(self.kinds),
            previews={SERVICE.key: ServicePreview(self.reader)},
            questions={ADDRESS_POOL.key: PoolShrinking(self.reader)},
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
async def started(settings: Settings, *, gathering: float = 0.0) -> AsyncIterator[Parts]:
    """Start the parts, and close them at the end.

    Args:
        settings: Of the process.
        gathering: Seconds that changes may wait to be fetched together with others.

    Raises:
        UnsuitableDatabaseError: The database has another version's schema, or none, or cannot be decrypted.
        DisagreementError: Other processes work on the database with other settings.
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
    """The parts on a database that has passed all checks."""
    mirror = Mirror(store.reader, store.notifications, gathering=gathering)
    await mirror.start()
    ranges = ServiceRanges(mirror, tuple(map(str, settings.service_cidrs)))
    # The loaded objects stay, so full garbage collections need not visit them.
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
    """A name for this process that no other process has had."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


def now() -> str:
    """The present as RFC 3339, in whole seconds. It is formatted once a second, since every write asks for it."""
    return _second(int(time.time()))


@lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))
