"""What keeps a controller from its work, shown on the objects that it concerns: in an Event and in a condition."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import structlog

from app.controllers.controller import Controller
from app.controllers.event_recorder import EventRecorder, Note
from app.controllers.own_writes import update, write_in_turn
from app.domain.declarations.catalog import Kinds
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.documents.peeking import has_condition
from app.domain.errors import ApiError, Permanent, RetryError, Temporary
from app.domain.rules.cluster import Cluster
from app.domain.rules.conditions import with_condition
from app.mirror.entry import Entry
from app.mirror.mirror import Mirror
from app.store.writer import Writer
from app.store.writes import LeaseGuard, Stale, Write

TELL_AGAIN_SECONDS = 60.0
"""A failure that stays the same is told again so often, with the number of attempts."""

_ATTEMPTS = 3
"""How often a condition is written anew when another writer was faster."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What there is to say about a key.

    Attributes:
        status: Of the condition.
        reason: Of the condition and the Event.
        message: Of both, for people.
        times: How often it happened since an Event told of it; 0 for no Event.
    """

    status: Literal["True", "False"]
    reason: str
    message: str
    times: int


@dataclass(slots=True)
class _Failing:
    reason: str
    message: str
    told_at: float
    untold: int = 0


class Failures:
    """Which keys of one controller fail, and what of that is to be told."""

    def __init__(self, controller: Controller[Any]) -> None:
        self._controller = controller
        self._failing: dict[Any, _Failing] = {}

    def findings(self, keys: Sequence[Any], failures: Mapping[Any, RetryError], now: float) -> dict[Any, Finding]:
        """What is to be told after an attempt; `now` counts seconds.

        Nothing is told of a `Requeue`, nor of a key that is as it was, except that a failure is told again at times.
        """
        if not (failures or self._failing or self._controller.condition):
            return {}
        found = {}
        for key in keys:
            failure = failures.get(key)
            finding = self._succeeded(key) if failure is None else self._failed(key, failure, now)
            if finding is not None:
                found[key] = finding
        return found

    def _succeeded(self, key: Any) -> Finding | None:
        known = self._failing.pop(key, None)
        if known is None and not self._is_shown(key):
            return None
        # Whether a former owner has told of the failure is not known: the condition alone is put right then.
        return Finding("True", "Recovered", "the last attempt succeeded", 0 if known is None else 1)

    def _is_shown(self, key: Any) -> bool:
        entry = self._controller.object_of(key) if self._controller.condition else None
        return entry is not None and has_condition(entry.wire, self._controller.condition, "False")

    def _failed(self, key: Any, failure: RetryError, now: float) -> Finding | None:
        if not isinstance(failure, Temporary | Permanent):
            return None
        known = self._failing.get(key)
        if known is None or (known.reason, known.message) != (failure.reason, str(failure)):
            self._failing[key] = _Failing(failure.reason, str(failure), now)
            return Finding("False", failure.reason, str(failure), 1)
        known.untold += 1
        if now < known.told_at + TELL_AGAIN_SECONDS:
            return None
        times, known.untold, known.told_at = known.untold, 0, now
        return Finding("False", failure.reason, str(failure), times)

    def clear(self) -> None:
        """Forget everything: the concern is another process's now."""
        self._failing.clear()


class FailureReports:
    """Shows findings on objects."""

    def __init__(
        self, writer: Writer, mirror: Mirror, kinds: Kinds, cluster: Callable[[], Cluster], recorder: EventRecorder
    ) -> None:
        self._writer = writer
        self._mirror = mirror
        self._kinds = kinds
        self._cluster = cluster
        self._recorder = recorder

    async def show(self, controller: Controller[Any], findings: Mapping[Any, Finding], lease: LeaseGuard) -> None:
        """Write Events and conditions. What cannot be written is logged: it must not hold up the work it tells of."""
        try:
            await self._recorder.record(self._notes(controller, findings))
            for attempt in range(_ATTEMPTS if controller.condition else 0):
                if attempt and findings:
                    await self._mirror.fresh()
                findings = await self._write_conditions(controller, findings, lease)
        except ApiError as error:
            _log.warning("failures are not shown", controller=controller.name, error=error.message)

    def _notes(self, controller: Controller[Any], findings: Mapping[Any, Finding]) -> list[Note]:
        notes = []
        for key, finding in findings.items():
            entry = controller.object_of(key)
            if entry is not None and finding.times:
                severity: Literal["Normal", "Warning"] = "Normal" if finding.status == "True" else "Warning"
                notes.append(Note(self._decoded(entry), severity, finding.reason, finding.message, finding.times))
        return notes

    async def _write_conditions(
        self, controller: Controller[Any], findings: Mapping[Any, Finding], lease: LeaseGuard
    ) -> dict[Any, Finding]:
        """Write the conditions; answers what is left because another writer was faster."""
        writes = {}
        for key, finding in findings.items():
            entry = controller.object_of(key)
            write = None if entry is None else self._condition_write(controller.condition, entry, finding, lease)
            if write is not None:
                writes[key] = write
        outcomes = await write_in_turn(self._writer, list(writes.values()))
        overtaken = [key for key, outcome in zip(writes, outcomes, strict=True) if isinstance(outcome, Stale)]
        return {key: findings[key] for key in overtaken}

    def _condition_write(self, type_: str, entry: Entry, finding: Finding, lease: LeaseGuard) -> Write | None:
        obj = self._decoded(entry)
        before = encode_body(obj)
        obj.status.conditions = with_condition(
            obj.status.conditions,
            type_,
            finding.status,
            reason=finding.reason,
            message=finding.message,
            now=self._cluster().now,
        )
        if encode_body(obj) == before:
            return None
        return update(self._kinds.by_key[entry.kind], obj, entry.revision, self._cluster(), lease)

    def _decoded(self, entry: Entry) -> Any:
        return decode_object(self._kinds.by_key[entry.kind], entry.wire)
