"""What becomes of Envoys, reported as DataPlane objects: at most once a second each, and only what is new."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

import structlog
from msgspec.structs import replace

from app.domain.declarations.data_plane import DATA_PLANE
from app.domain.documents.encoding import decode_object
from app.domain.documents.objects import ObjectMeta
from app.domain.errors import ApiError
from app.domain.kinds.data_plane import DataPlane, DataPlaneRejection, DataPlaneSpec, DataPlaneStatus
from app.domain.rules.conditions import with_condition
from app.domain.rules.data_plane import CONNECTED, CURRENT, shown_rejections
from app.domain.timestamps import format_micro_time
from app.mirror.mirror import Mirror
from app.registry.options import WriteOptions
from app.registry.registry import Registry
from app.registry.target import Target
from app.serving.xds.offers import Offer
from app.serving.xds.planes import Plane, Planes
from app.serving.xds.rejections import explained
from app.telemetry.metrics import PLANE_CONNECTED, PLANE_LAG, PLANE_REVISION

REPORT_SECONDS = 1.0
HEARTBEAT_SECONDS = 10.0
"""Seconds after which a plane that is connected is reported again although nothing is new."""

_BY_US = WriteOptions(field_manager="fairlead")

_log = structlog.stdlib.get_logger(__name__)


class Reports:
    """Reports the Envoys that are connected to this process.

    Args:
        registry: The verbs.
        mirror: Of this process.
        planes: The connected Envoys.
        offer: The offer for a plane.
        server: The name of this process.
        now: The time, RFC 3339.
    """

    def __init__(
        self,
        registry: Registry,
        mirror: Mirror,
        planes: Planes,
        offer: Callable[[Plane], Offer | None],
        server: str,
        now: Callable[[], str],
    ) -> None:
        self._registry = registry
        self._mirror = mirror
        self._planes = planes
        self._offer = offer
        self._server = server
        self._now = now
        self._told: dict[str, tuple[float, DataPlaneSpec, DataPlaneStatus]] = {}

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            await self.report()
            await asyncio.sleep(REPORT_SECONDS)

    async def report(self) -> None:
        """Report what is new. What cannot be written now is written with the next report."""
        for name, plane in list(self._planes.by_name.items()):
            await self._try(name, self._report(plane))
        for name in self._told.keys() - self._planes.by_name.keys():
            await self._try(name, self._report_end(name))

    async def _try(self, name: str, writing: Awaitable[None]) -> None:
        try:
            await writing
        except ApiError as error:
            _log.warning("not reported", plane=name, error=error.message)

    async def _report(self, plane: Plane) -> None:
        before = self._told.get(plane.name)
        spec, status = self._state(plane, None if before is None else before[2])
        clock = time.monotonic()
        if before is not None and before[1:] == (spec, status) and clock < before[0] + HEARTBEAT_SECONDS:
            return
        await self._write(plane.name, spec, status)
        self._told[plane.name] = (clock, spec, status)

    async def _report_end(self, name: str) -> None:
        """Tell that an Envoy has disconnected, unless it has connected to another process since."""
        _, spec, status = self._told[name]
        entry = self._mirror.get(DATA_PLANE.key, "", name)
        if entry is not None and decode_object(DATA_PLANE, entry.wire).status.server == self._server:
            status = replace(status, conditions=list(status.conditions or []))
            message = "the connection has ended; it goes on with what it has"
            _condition(status, CONNECTED, "False", "Disconnected", message, self._now())
            await self._write(name, spec, status)
        del self._told[name]
        PLANE_CONNECTED.labels(name).set(0)

    async def _write(self, name: str, spec: DataPlaneSpec, status: DataPlaneStatus) -> None:
        status = replace(status, reported_at=format_micro_time(datetime.now(UTC)))
        target = Target(DATA_PLANE, name=name)
        entry = self._mirror.get(DATA_PLANE.key, "", name)
        if entry is None:
            await self._registry.create(
                Target(DATA_PLANE), DataPlane(metadata=ObjectMeta(name=name), spec=spec, status=status), _BY_US
            )
            return
        stored = decode_object(DATA_PLANE, entry.wire)
        stored.spec, stored.status = spec, status
        stored.metadata.resource_version = None
        await self._registry.update(target, stored, _BY_US)

    def _state(self, plane: Plane, before: DataPlaneStatus | None) -> tuple[DataPlaneSpec, DataPlaneStatus]:
        """What is to be said of a plane, but for when it is said."""
        profile, session, offer = plane.profile, plane.session, self._offer(plane)
        spec = DataPlaneSpec(
            type="Envoy",
            scopes=list(profile.scopes),
            pools=None if profile.pools is None else list(profile.pools),
            node=profile.node,
            node_addresses=list(profile.node_addresses) or None,
        )
        problems = {} if offer is None else offer.problems
        rejected = _rejections(plane, problems)
        revision = session.watermark()
        status = DataPlaneStatus(
            version=plane.version,
            server=self._server,
            connected_at=plane.connected_at,
            revision=revision,
            services=0 if offer is None else offer.services,
            rejected=shown_rejections(rejected),
            rejected_count=len(rejected),
            conditions=None if before is None else before.conditions,
        )
        _condition(status, CONNECTED, "True", "Connected", "it is told of changes", self._now())
        lag = max(0, session.offered - revision)
        told = ("True", "Current", "it has taken over all changes")
        if lag:
            told = ("False", "Pending", "it has not answered yet")
            if session.is_warming:
                told = ("False", "Warming", "it waits for the first answers of members before it answers")
        _condition(status, CURRENT, *told, self._now())
        PLANE_CONNECTED.labels(plane.name).set(1)
        PLANE_REVISION.labels(plane.name).set(revision)
        PLANE_LAG.labels(plane.name).set(lag)
        return spec, status


def _rejections(plane: Plane, problems: Mapping[tuple[str, str], str]) -> list[DataPlaneRejection]:
    refused = plane.session.refused()
    found = [
        DataPlaneRejection(namespace=owner[0], name=owner[1], resource=name, message=explained(message))
        for (_, name), (owner, message) in refused.items()
    ]
    found += [
        DataPlaneRejection(namespace=owner[0], name=owner[1], message=message) for owner, message in problems.items()
    ]
    return found


def _condition(status: DataPlaneStatus, type_: str, value: str, reason: str, message: str, now: str) -> None:
    status.conditions = with_condition(status.conditions, type_, value, reason=reason, message=message, now=now)
