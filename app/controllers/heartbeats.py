"""When each registration was last renewed, and when it expires."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.controllers.deadlines import Deadlines
from app.domain.declarations.kind import Kind
from app.domain.declarations.lease import LEASE
from app.domain.declarations.node import NODE
from app.domain.declarations.pod import POD
from app.domain.documents.encoding import decode_object
from app.domain.documents.peeking import mentions
from app.domain.kinds.lease import Lease
from app.domain.kinds.pod import READY
from app.domain.rules.registration import (
    DURATION_ANNOTATION,
    Heartbeat,
    annotated_heartbeat,
    lease_heartbeat,
    leased_node,
    leased_pods,
)
from app.mirror.entry import Entry

RegistrationKey = tuple[str, str]
"""Storage key of the kind, and the name of a Node or the uid of a Pod."""

REGISTERED: Mapping[str, Kind[Any]] = {NODE.key: NODE, POD.key: POD}
"""The kinds of registrations."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """The latest renewal by one source: a Lease, or a registration with annotations.

    Attributes:
        heartbeat: What it says.
        at: When it was seen, by the clock of this process.
        registrations: Whose it is.
    """

    heartbeat: Heartbeat
    at: float
    registrations: Sequence[RegistrationKey]

    @property
    def until(self) -> float:
        """When it expires, by the clock of this process."""
        return self.at + self.heartbeat.seconds


def registration_key(entry: Entry) -> RegistrationKey:
    """The key of a Node or a Pod: a Lease knows a Node by its name, and a Pod by its uid."""
    return (NODE.key, entry.name) if entry.kind == NODE.key else (POD.key, entry.uid)


class Heartbeats:
    """The renewals of all registrations. If a registration has several leases, the one that lasts longest counts."""

    def __init__(self) -> None:
        self._renewals: dict[str, Renewal] = {}
        self._sources: defaultdict[RegistrationKey, dict[str, None]] = defaultdict(dict)
        self._deadlines: Deadlines[RegistrationKey] = Deadlines()

    def observe(self, entry: Entry, *, gone: bool, at: float) -> Sequence[RegistrationKey]:
        """Note a state that was seen at a time; answers the registrations it renews that had expired by then."""
        before = self._renewals.get(entry.uid)
        after = None if gone else _read(entry, at)
        if before is None and after is None:
            return ()
        if before is not None and after is not None and before.heartbeat.mark == after.heartbeat.mark:
            after = replace(after, at=before.at)
        concerned = {key: None for each in (before, after) if each is not None for key in each.registrations}
        expired = [key for key in concerned if self.has_expired(key, at)]
        self._put(entry.uid, before, after)
        for key in concerned:
            self._schedule(key)
        return expired

    def _put(self, source: str, before: Renewal | None, after: Renewal | None) -> None:
        for key in before.registrations if before else ():
            self._sources[key].pop(source, None)
        for key in after.registrations if after else ():
            self._sources[key][source] = None
        if after is None:
            del self._renewals[source]
        else:
            self._renewals[source] = after

    def _schedule(self, key: RegistrationKey) -> None:
        latest = self.latest(key)
        if latest is None:
            self._deadlines.drop(key)
            self._sources.pop(key, None)
        else:
            self._deadlines.set(key, latest.until)

    def latest(self, key: RegistrationKey) -> Renewal | None:
        """The renewal that lasts longest; None when nothing says how long the registration lasts."""
        renewals = (self._renewals[source] for source in self._sources.get(key, ()))
        return max(renewals, key=lambda renewal: renewal.until, default=None)

    def has_expired(self, key: RegistrationKey, now: float) -> bool:
        """Whether a registration has a lease that has expired."""
        when = self._deadlines.when(key)
        return when is not None and when <= now

    def grant_grace(self, key: RegistrationKey, now: float, longest: float) -> None:
        """Give a registration half of its lease from now on, at most so many seconds, even if it has expired."""
        latest = self.latest(key)
        if latest is not None:
            self._deadlines.set(key, max(latest.until, now + min(latest.heartbeat.seconds / 2, longest)))

    def due(self, now: float) -> list[RegistrationKey]:
        """The registrations that have expired since the last call."""
        return self._deadlines.due(now)


def is_source(entry: Entry) -> bool:
    """Whether an object may carry a registration's lease."""
    return entry.kind == LEASE.key or (entry.kind in REGISTERED and mentions(entry.wire, DURATION_ANNOTATION))


def last_heartbeat(entry: Entry) -> tuple[Heartbeat, str]:
    """What a source of a lease says, and the message of its condition Ready if it is a registration itself."""
    obj = decode_object(REGISTERED.get(entry.kind, LEASE), entry.wire)
    if isinstance(obj, Lease):
        return lease_heartbeat(obj), ""
    ready = next((each.message for each in obj.status.conditions or [] if each.type == READY), "")
    return annotated_heartbeat(obj.metadata) or Heartbeat("", 0), ready


def _read(entry: Entry, at: float) -> Renewal | None:
    if not is_source(entry):
        return None
    if entry.kind == LEASE.key:
        lease = decode_object(LEASE, entry.wire)
        node = leased_node(lease)
        keys = [(POD.key, uid) for uid in leased_pods(lease)] + ([(NODE.key, node)] if node else [])
        return Renewal(lease_heartbeat(lease), at, keys) if keys else None
    heartbeat = annotated_heartbeat(decode_object(REGISTERED[entry.kind], entry.wire).metadata)
    return None if heartbeat is None else Renewal(heartbeat, at, [registration_key(entry)])
