"""Events: what a controller wants people to know about an object."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import structlog

from app.controllers.controller import ObjectKey
from app.domain.declarations.event import EVENT
from app.domain.documents.encoding import decode_object, encode_body
from app.domain.documents.objects import KubeObject, ObjectMeta
from app.domain.kinds.event import Event, EventSource
from app.domain.kinds.meta import ObjectReference
from app.domain.rules.cluster import Cluster
from app.mirror.mirror import Mirror
from app.store.object_writes import write_of
from app.store.writer import Writer
from app.store.writes import Committed, Missing, NameTaken, Stale, Write
from app.uids import new_uid

COMPONENT = "fairlead-controller"

_ATTEMPTS = 3
"""How often an Event is written anew that another process counted at the same moment."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to tell about one object.

    Attributes:
        about: The object.
        type: Normal or Warning.
        reason: One word in CamelCase.
        message: A sentence for people.
        times: How often it happened since it was told last.
    """

    about: KubeObject
    type: Literal["Normal", "Warning"]
    reason: str
    message: str
    times: int = 1


class EventRecorder:
    """Writes Events. The same thing told again raises the count of the Event that is there.

    An Event's name is computed from what it says, so that any process finds the one to count up without remembering.
    """

    def __init__(self, writer: Writer, mirror: Mirror, cluster: Callable[[], Cluster]) -> None:
        self._writer = writer
        self._mirror = mirror
        self._cluster = cluster

    async def record(self, notes: Iterable[Note]) -> None:
        """Store notes as Events. One that cannot be stored is logged: it must not hold up the work it tells of."""
        left: dict[ObjectKey, tuple[Note, int]] = {}
        for note in notes:
            key = (note.about.metadata.namespace or "default", _name(note))
            left[key] = (note, note.times + (left[key][1] if key in left else 0))
        for attempt in range(_ATTEMPTS):
            if attempt and left:
                await self._mirror.fresh()
            if left:
                left = await self._store(left, last=attempt == _ATTEMPTS - 1)

    async def _store(
        self, notes: Mapping[ObjectKey, tuple[Note, int]], *, last: bool
    ) -> dict[ObjectKey, tuple[Note, int]]:
        """Write Events; answers those that another process has created or counted since the mirror was fresh."""
        cluster = self._cluster()
        writes = [self._write(key, note, times, cluster) for key, (note, times) in notes.items()]
        outcomes = await self._writer.write_all(writes)
        overtaken: dict[ObjectKey, tuple[Note, int]] = {}
        for (key, told), outcome in zip(notes.items(), outcomes, strict=True):
            if isinstance(outcome, NameTaken | Stale | Missing) and not last:
                overtaken[key] = told
            elif not isinstance(outcome, Committed):
                _log.info("event not stored", namespace=key[0], name=key[1], outcome=type(outcome).__name__)
        return overtaken

    def _write(self, key: ObjectKey, note: Note, times: int, cluster: Cluster) -> Write:
        entry = self._mirror.get(EVENT.key, *key)
        if entry is None:
            event: Any = _new(note, *key, times, cluster.now)
            return write_of(EVENT, "create", event, encode_body(event), cluster)
        event = decode_object(EVENT, entry.wire)
        event.count += times
        event.last_timestamp = cluster.now
        return write_of(EVENT, "update", event, encode_body(event), cluster, expected=entry.revision)


def _name(note: Note) -> str:
    said = "\0".join((note.about.metadata.uid or "", note.type, note.reason, note.message))
    return f"{note.about.metadata.name}.{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def _new(note: Note, namespace: str, name: str, times: int, now: str) -> Event:
    about = note.about
    return Event(
        api_version=EVENT.api_version,
        kind=EVENT.name,
        metadata=ObjectMeta(name=name, namespace=namespace, uid=new_uid(), creation_timestamp=now),
        involved_object=ObjectReference(
            api_version=about.api_version,
            kind=about.kind,
            name=about.metadata.name,
            namespace=about.metadata.namespace or "",
            uid=about.metadata.uid or "",
        ),
        type=note.type,
        reason=note.reason,
        message=note.message,
        source=EventSource(component=COMPONENT),
        first_timestamp=now,
        last_timestamp=now,
        count=times,
        reporting_component=COMPONENT,
    )
