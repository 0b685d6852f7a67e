"""Load balancers that get their traffic pushed: one lease, one queue and one worker for each."""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.cluster.service_slices import ServiceSlices, services_of
from app.controllers.controller import Controller, ObjectKey, Targets
from app.controllers.own_writes import conflict, creation, update
from app.domain.declarations.data_plane import DATA_PLANE
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object
from app.domain.documents.objects import ObjectMeta
from app.domain.errors import Requeue, RetryError, Temporary
from app.domain.kinds.data_plane import DataPlane, DataPlaneRejection, DataPlaneSpec, DataPlaneStatus
from app.domain.rules.cluster import Cluster
from app.domain.rules.conditions import with_condition
from app.domain.rules.data_plane import CONNECTED, CURRENT, shown_rejections
from app.domain.timestamps import format_micro_time
from app.domain.wanted.plane_traffic import traffic_of
from app.domain.wanted.traffic import NOTHING, PlaneProfile, Traffic
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.providers.lb.pushes import LoadBalancerError, LoadBalancerPushes
from app.store.writer import Writer
from app.store.writes import Committed, LeaseGuard
from app.telemetry import tracing

_EVERYTHING = "everything"
"""The only key: a load balancer is told of all Services at once."""

_REST_SECONDS = 0.5
"""Between two pushes: what changes meanwhile goes with the next one."""

_RETRY_SECONDS = 2.0
_MOST_TRACED = 1_000


@dataclass(frozen=True, slots=True)
class PushedPlane:
    """A load balancer.

    Attributes:
        name: Of its DataPlane.
        type: HAProxy.
        profile: What it is there for.
        driver: Tells it.
    """

    name: str
    type: str
    profile: PlaneProfile
    driver: LoadBalancerPushes


@dataclass(frozen=True, slots=True)
class LoadBalancerParts:
    """What the controllers need; `slices` subscribed to the mirror."""

    writer: Writer
    mirror: Mirror
    slices: ServiceSlices
    cluster: Callable[[], Cluster]


class LoadBalancerTargets(Targets):
    """The load balancers that this process can reach."""

    kinds = ()

    def __init__(self, parts: LoadBalancerParts, planes: Sequence[PushedPlane]) -> None:
        self._parts = parts
        self._planes = {f"lb:{plane.name}": plane for plane in planes}

    def names(self) -> Collection[str]:
        """One for each."""
        return self._planes.keys()

    def controller(self, target: str) -> "LoadBalancerPush":
        """The controller of one load balancer."""
        return LoadBalancerPush(self._parts, self._planes[target])


class LoadBalancerPush(Controller[str]):
    """One load balancer, with the traffic of all Services; only that of changed ones is computed anew."""

    name = "load-balancer-pushes"
    resync = 10.0

    def __init__(self, parts: LoadBalancerParts, plane: PushedPlane) -> None:
        self._parts = parts
        self._plane = plane
        self._traffic: dict[ObjectKey, Traffic] = {}
        self._dirty: set[ObjectKey] = set()
        self._surroundings: tuple[object, ...] = ()
        self._pushed_at = 0.0
        # The contexts of traced changes that were not pushed yet, each with when it came.
        self._traced: deque[tuple[str, float]] = deque(maxlen=_MOST_TRACED)

    def observe(self, changes: Sequence[Change]) -> None:
        """Note which Services changed."""
        for change in changes:
            if change.entry.kind == SERVICE.key:
                self._dirty.add((change.entry.namespace, change.entry.name))
            elif change.entry.kind == ENDPOINT_SLICE.key:
                self._dirty.update(services_of(change))
            else:
                continue
            if change.trace and tracing.is_on():
                self._traced.append((change.trace, time.monotonic()))

    async def take_over(self) -> None:
        """Compute everything anew."""
        self._surroundings = ()
        self._traced.clear()

    def keys_of(self, changes: Sequence[Change]) -> Iterable[str]:
        """Everything, if something changed."""
        del changes
        return [_EVERYTHING] if self._dirty or self._surroundings != self._now_around() else ()

    def all_keys(self) -> Iterable[str]:
        """Everything."""
        return [_EVERYTHING]

    def object_of(self, key: str) -> Entry | None:
        """The DataPlane."""
        del key
        return self._parts.mirror.get(DATA_PLANE.key, "", self._plane.name)

    async def reconcile(self, keys: Sequence[str], lease: LeaseGuard) -> Mapping[str, RetryError]:
        """Push what is wanted now, and report."""
        del keys
        if time.monotonic() < self._pushed_at + _REST_SECONDS:
            return {_EVERYTHING: Requeue("it was told a moment ago", _REST_SECONDS)}
        revision = await self._parts.mirror.fresh()
        self._compute()
        traced = list(self._traced)
        driver = self._plane.driver
        try:
            refused = await driver.push(self._traffic)
            version = await driver.version()
        except LoadBalancerError as error:
            await self._report(self._state(error, "", {}, None), lease)
            return {_EVERYTHING: Temporary(str(error), _RETRY_SECONDS)}
        finally:
            self._pushed_at = time.monotonic()
        self._delivered(traced)
        failure = await self._report(self._state(None, version, refused, revision), lease)
        return {} if failure is None else {_EVERYTHING: failure}

    def _delivered(self, traced: Sequence[tuple[str, float]]) -> None:
        """Tell, in their traces, that the load balancer has these changes."""
        for context, came in traced:
            self._traced.popleft()
            ago = time.monotonic() - came
            span = tracing.begin(
                "deliver", context, kind=tracing.SpanKind.CLIENT, ago=ago, fairlead__plane=self._plane.name
            )
            if span is not None:
                span.end()

    def _now_around(self) -> tuple[object, ...]:
        cluster = self._parts.cluster()
        return cluster.pools, cluster.nodes.excluded, cluster.service_tags

    def _compute(self) -> None:
        around = self._now_around()
        if around != self._surroundings:
            self._surroundings = around
            self._dirty.update((each.namespace, each.name) for each in self._parts.mirror.list(SERVICE.key, None))
            self._dirty.update(self._traffic)
        cluster = self._parts.cluster()
        dirty, self._dirty = self._dirty, set()
        for key in dirty:
            entry, found = self._parts.mirror.get(SERVICE.key, *key), NOTHING
            if entry is not None:
                service = decode_object(SERVICE, entry.wire)
                found = traffic_of(service, self._parts.slices.of(key), cluster, self._plane.profile)
            if found == NOTHING:
                self._traffic.pop(key, None)
            else:
                self._traffic[key] = found

    def _state(
        self, error: LoadBalancerError | None, version: str, refused: Mapping[ObjectKey, str], revision: int | None
    ) -> DataPlaneStatus:
        entry = self.object_of(_EVERYTHING)
        before = DataPlaneStatus() if entry is None else decode_object(DATA_PLANE, entry.wire).status
        rejected = [
            DataPlaneRejection(namespace=key[0], name=key[1], message=message) for key, message in refused.items()
        ]
        count = len(rejected)
        told = ("True", "Current", "it has taken over all changes")
        connected = ("True", "Connected", "it is told of changes")
        if error is not None:
            told = ("False", error.reason, str(error))
            connected = told if error.reason == "NotRunning" else connected
            rejected, count, version = list(before.rejected or []), before.rejected_count, before.version
        conditions = before.conditions
        for type_, (status, reason, message) in ((CONNECTED, connected), (CURRENT, told)):
            conditions = with_condition(
                conditions, type_, status, reason=reason, message=message, now=self._parts.cluster().now
            )
        return DataPlaneStatus(
            version=version,
            revision=before.revision if revision is None else revision,
            services=sum(bool(each.listeners) for each in self._traffic.values()),
            rejected=shown_rejections(rejected),
            rejected_count=count,
            conditions=conditions,
        )

    async def _report(self, status: DataPlaneStatus, lease: LeaseGuard) -> RetryError | None:
        """Write the DataPlane; also where nothing is new, since one that is silent counts as disconnected."""
        profile, cluster = self._plane.profile, self._parts.cluster()
        spec = DataPlaneSpec(
            type=self._plane.type,
            scopes=list(profile.scopes),
            pools=None if profile.pools is None else list(profile.pools),
            node=profile.node,
            node_addresses=list(profile.node_addresses) or None,
        )
        status.reported_at = format_micro_time(datetime.now(UTC))
        entry = self.object_of(_EVERYTHING)
        if entry is None:
            made = DataPlane(metadata=ObjectMeta(name=self._plane.name), spec=spec, status=status)
            write = creation(DATA_PLANE, made, cluster, lease)
        else:
            plane = decode_object(DATA_PLANE, entry.wire)
            plane.spec, plane.status = spec, status
            write = update(DATA_PLANE, plane, entry.revision, cluster, lease)
        outcome = await self._parts.writer.write(write)
        return None if isinstance(outcome, Committed) else conflict(outcome)
