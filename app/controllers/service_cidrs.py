"""ServiceCIDRs: which are ready, and when one that is being deleted may go (KEP-1880)."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from ipaddress import ip_address, ip_network

from app.controllers.controller import SEEN_SECONDS, Controller, ObjectKey
from app.controllers.own_writes import conflict, removal, update
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.documents.peeking import is_deleting
from app.domain.errors import Requeue, RetryError
from app.domain.kinds.service_cidr import ServiceCIDR
from app.domain.rules.cluster import Cluster
from app.domain.rules.deletion import is_released
from app.domain.rules.service_cidr import FINALIZER, hold, set_ready, would_orphan
from app.domain.timestamps import parse_time
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.notifications import RELEASED
from app.store.reader import Reader
from app.store.writer import Writer
from app.store.writes import Committed, LeaseGuard, Missing

READY, TERMINATING = "Ready", "Terminating"
"""Reasons of the condition Ready."""

_DELAY = timedelta(seconds=SEEN_SECONDS)
"""How long ranges stay after their deletion was asked for, in use or not: until then other API processes may still
accept addresses of them."""

_CLAIMS_AT_ONCE = 2_000

_LOOK_AGAIN_SECONDS = 1.0
"""Time between looks at ranges whose deletion waits for the other processes."""


class ServiceCIDRs(Controller[ObjectKey]):
    """Keeps ranges that are being deleted as long as they alone contain an address in use."""

    name = "service-cidrs"
    kinds = (SERVICE_CIDR.key,)
    resync = 30.0
    channels: Sequence[str] = (RELEASED,)

    def __init__(self, writer: Writer, reader: Reader, mirror: Mirror, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._reader = reader
        self._mirror = mirror
        self._cluster = cluster

    def keys_of(self, changes: Sequence[Change]) -> Iterable[ObjectKey]:
        """All ServiceCIDRs whenever one changed: it may contain the addresses of another."""
        del changes
        return self.all_keys()

    def hinted(self, channel: str, message: str) -> Iterable[ObjectKey]:
        """The ServiceCIDRs that are being deleted, when addresses were released."""
        del channel, message
        entries = self._mirror.list(SERVICE_CIDR.key, None)
        return [("", entry.name) for entry in entries if is_deleting(entry.wire)]

    def all_keys(self) -> Iterable[ObjectKey]:
        """All ServiceCIDRs."""
        return [("", entry.name) for entry in self._mirror.list(SERVICE_CIDR.key, None)]

    def object_of(self, key: ObjectKey) -> Entry | None:
        """The ServiceCIDR."""
        return self._mirror.get(SERVICE_CIDR.key, *key)

    async def reconcile(self, keys: Sequence[ObjectKey], lease: LeaseGuard) -> Mapping[ObjectKey, RetryError]:
        """Say which are ready, and remove the finalizer of those that nothing needs."""
        await self._mirror.fresh()
        failures: dict[ObjectKey, RetryError] = {}
        for key in keys:
            entry = self._mirror.get(SERVICE_CIDR.key, *key)
            if entry is not None:
                failure = await self._reconcile(entry, lease)
                if failure is not None:
                    failures[key] = failure
        return failures

    async def _reconcile(self, entry: Entry, lease: LeaseGuard) -> RetryError | None:
        service_cidr = decode_object(SERVICE_CIDR, entry.wire)
        now = self._cluster().now
        deleted = service_cidr.metadata.deletion_timestamp
        if deleted is None:
            hold(service_cidr)
            set_ready(service_cidr, "True", reason=READY, message="addresses are allocated from these ranges", now=now)
            return await self._write(service_cidr, entry, lease)
        needed = await self._needed_for(service_cidr)
        if needed is None and parse_time(now) - parse_time(deleted) >= _DELAY:
            kept = [each for each in service_cidr.metadata.finalizers or [] if each != FINALIZER]
            service_cidr.metadata.finalizers = kept or None
            return await self._write(service_cidr, entry, lease)
        message = f"{needed} is in use and in no other range" if needed else "no address of these ranges is in use"
        set_ready(service_cidr, "False", reason=TERMINATING, message=message, now=now)
        failure = await self._write(service_cidr, entry, lease)
        return failure or (None if needed else Requeue("other processes may not know it yet", _LOOK_AGAIN_SECONDS))

    async def _needed_for(self, service_cidr: ServiceCIDR) -> str | None:
        """An address in use that would be in no range any more, or None."""
        entries = self._mirror.list(SERVICE_CIDR.key, None)
        others = [decode_object(SERVICE_CIDR, entry.wire) for entry in entries]
        async for addresses in self._in_use(service_cidr):
            orphans = would_orphan(service_cidr, others, addresses)
            if orphans:
                return orphans[0]
        return None

    async def _in_use(self, service_cidr: ServiceCIDR) -> AsyncIterator[list[str]]:
        """The claimed addresses of the ranges, a page at a time."""
        for cidr in service_cidr.spec.cidrs or []:
            network = ip_network(cidr)
            low, high = network[0], network[-1]
            while True:
                claims = await self._reader.claimed_between("cluster_ips", str(low), str(high), _CLAIMS_AT_ONCE)
                yield [claim.key for claim in claims]
                if len(claims) < _CLAIMS_AT_ONCE or claims[-1].key == str(high):
                    break
                low = ip_address(claims[-1].key) + 1

    async def _write(self, service_cidr: ServiceCIDR, entry: Entry, lease: LeaseGuard) -> RetryError | None:
        if encode_body(service_cidr) == encode_body(decode_object(SERVICE_CIDR, entry.wire)):
            return None
        made = removal if is_released(SERVICE_CIDR, service_cidr) else update
        outcome = await self._writer.write(made(SERVICE_CIDR, service_cidr, entry.revision, self._cluster(), lease))
        if isinstance(outcome, Committed | Missing):
            return None
        return conflict(outcome)
