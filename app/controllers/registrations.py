"""Registrations: a Node or Pod that stops renewing its lease becomes not ready, and ready again when it renews."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.controllers.backend_index import BackendIndex
from app.controllers.controller import Controller, stored_entries
from app.controllers.event_recorder import EventRecorder, Note
from app.controllers.heartbeats import (
    REGISTERED,
    Heartbeats,
    RegistrationKey,
    Renewal,
    is_source,
    last_heartbeat,
    registration_key,
)
from app.controllers.own_writes import conflict, update, write_in_turn
from app.domain.declarations.lease import LEASE
from app.domain.declarations.node import NODE
from app.domain.declarations.pod import POD
from app.domain.documents.encoding import decode_object
from app.domain.documents.peeking import mentions
from app.domain.errors import RetryError
from app.domain.kinds.node import Node
from app.domain.kinds.pod import READY, Pod
from app.domain.rules.cluster import Cluster
from app.domain.rules.registration import (
    LEASE_EXPIRED,
    LEASE_RENEWED,
    NODE_LEASE_EXPIRED,
    not_ready,
    own_reason,
    ready_again,
)
from app.domain.timestamps import parse_time
from app.mirror.entry import Change, Entry
from app.mirror.mirror import Mirror
from app.store.reader import Reader
from app.store.writer import Writer
from app.store.writes import Committed, LeaseGuard, Missing, Write

GRACE_SECONDS = 10.0
"""After this process has taken over, a registration gets at most so long to renew its lease.

A lease may have expired because its holder was silent, or because the holder could not reach the API.
"""

SOURCES = (LEASE.key, NODE.key, POD.key)
"""Kinds that may carry a registration's lease."""


class Registrations(Controller[RegistrationKey]):
    """Watches the leases of Nodes and Pods.

    Time counts from the moment at which a renewal is seen in the log; the clock of the lease's holder is not trusted.
    """

    name = "registrations"
    kinds = SOURCES
    resync = 0.25

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        mirror: Mirror,
        index: BackendIndex,
        cluster: Callable[[], Cluster],
        recorder: EventRecorder,
        clock: Callable[[], float],
    ) -> None:
        """Prepare; `clock` counts seconds and never jumps."""
        self._writer = writer
        self._reader = reader
        self._mirror = mirror
        self._index = index
        self._cluster = cluster
        self._recorder = recorder
        self._clock = clock
        self._heartbeats = Heartbeats()
        self._expired_nodes: set[str] = set()
        self._unsure: list[RegistrationKey] = []
        # What the latest batch of changes concerns.
        self._concerned: list[RegistrationKey] = []

    async def learn(self) -> None:
        """Learn when the leases were renewed, and which Nodes have expired.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        self._heartbeats, self._expired_nodes = Heartbeats(), set()
        sources = [entry for kind in SOURCES for entry in self._mirror.list(kind, None) if is_source(entry)]
        ages = await self._reader.ages([entry.revision for entry in sources])
        async for entry in stored_entries(self._mirror, SOURCES):
            self._heartbeats.observe(entry, gone=False, at=self._clock() - self._age(entry, ages))
            if entry.kind == NODE.key:
                self._note_node(entry, gone=False)

    def observe(self, changes: Sequence[Change]) -> None:
        """Know when each lease was renewed, and which Nodes have expired."""
        now = self._clock()
        self._concerned = []
        for change in changes:
            entry, gone = change.entry, change.type == "DELETED"
            if entry.kind in SOURCES:
                self._concerned += self._heartbeats.observe(entry, gone=gone, at=now)
            if entry.kind == NODE.key:
                self._concerned += self._observe_node(entry, appeared=change.type == "ADDED", gone=gone)

    def _observe_node(self, entry: Entry, *, appeared: bool, gone: bool) -> Iterator[RegistrationKey]:
        """A Node that expires makes its pods not ready. They are looked at again when it renews or is created anew."""
        had_expired = entry.name in self._expired_nodes
        self._note_node(entry, gone=gone)
        if not gone:
            yield registration_key(entry)
        if appeared or had_expired != (entry.name in self._expired_nodes):
            yield from self._pods_on(entry.name)

    def keys_of(self, changes: Sequence[Change]) -> Iterable[RegistrationKey]:
        """Registrations that renewed an expired lease, and pods whose condition Ready may be wrong after a change."""
        now = self._clock()
        pods = (each.entry for each in changes if each.entry.kind == POD.key and each.type != "DELETED")
        return [*self._concerned, *(registration_key(pod) for pod in pods if self._may_be_wrong(pod, now))]

    def _may_be_wrong(self, pod: Entry, now: float) -> bool:
        expired_node = self._expired_nodes and self._index.node_of((pod.namespace, pod.name)) in self._expired_nodes
        return bool(expired_node) or _may_be_marked(pod) or self._heartbeats.has_expired(registration_key(pod), now)

    def _note_node(self, entry: Entry, *, gone: bool) -> None:
        if not gone and _may_be_marked(entry) and own_reason(decode_object(NODE, entry.wire).status.conditions):
            self._expired_nodes.add(entry.name)
        else:
            self._expired_nodes.discard(entry.name)

    def _pods_on(self, node: str) -> Iterator[RegistrationKey]:
        for place in self._index.pods_on(node):
            pod = self._mirror.get(POD.key, *place)
            if pod is not None:
                yield registration_key(pod)

    def all_keys(self) -> Iterable[RegistrationKey]:
        """The registrations that have expired since the last call."""
        unsure, self._unsure = self._unsure, []
        return [*unsure, *self._heartbeats.due(self._clock())]

    async def take_over(self) -> None:
        """Give registrations time to renew, and look again at those that were made not ready."""
        self._unsure = []
        async for entry in stored_entries(self._mirror, REGISTERED):
            key = registration_key(entry)
            if _may_be_marked(entry):
                self._unsure.append(key)
            else:
                self._heartbeats.grant_grace(key, self._clock(), GRACE_SECONDS)
            if entry.kind == NODE.key and entry.name in self._expired_nodes:
                self._unsure += self._pods_on(entry.name)

    def _age(self, entry: Entry, ages: Mapping[int, float]) -> float:
        """Seconds since an object that carries a lease was written: by the log, or else by the clock of the holder."""
        if not is_source(entry):
            return 0.0
        heartbeat, message = last_heartbeat(entry)
        if message == heartbeat.condition_message:
            # The last write was no renewal: it made the registration not ready.
            return float("inf")
        if entry.revision in ages:
            return ages[entry.revision]
        try:
            renewed = parse_time(heartbeat.mark)
        except ValueError:
            return float("inf")
        return (parse_time(self._cluster().now) - renewed).total_seconds()

    def object_of(self, key: RegistrationKey) -> Entry | None:
        """The Node or the Pod."""
        kind, name = key
        return self._mirror.get(kind, "", name) if kind == NODE.key else self._mirror.by_uid(name)

    async def reconcile(
        self, keys: Sequence[RegistrationKey], lease: LeaseGuard
    ) -> Mapping[RegistrationKey, RetryError]:
        """Write into the registrations whether they are ready."""
        await self._mirror.fresh()
        judged: list[tuple[RegistrationKey, list[Note], Write]] = []
        for key in dict.fromkeys(keys):
            kind, entry = REGISTERED[key[0]], self.object_of(key)
            if entry is not None:
                obj = decode_object(kind, entry.wire)
                conditions = self._conditions(key, obj)
                if conditions != obj.status.conditions:
                    obj.status.conditions = conditions
                    write = update(kind, obj, entry.revision, self._cluster(), lease)
                    judged.append((key, _notes(obj, self._heartbeats.latest(key)), write))
        outcomes = await write_in_turn(self._writer, [write for _, _, write in judged])
        failures: dict[RegistrationKey, RetryError] = {}
        notes: list[Note] = []
        for (key, told, _), outcome in zip(judged, outcomes, strict=True):
            if isinstance(outcome, Committed):
                notes += told
            elif not isinstance(outcome, Missing):
                failures[key] = conflict(outcome)
        await self._recorder.record(notes)
        return failures

    def _conditions(self, key: RegistrationKey, obj: Node | Pod) -> Any:
        """The conditions of a registration as they should be."""
        conditions, now = obj.status.conditions, self._cluster().now
        latest = self._heartbeats.latest(key)
        node = obj.spec.node_name if isinstance(obj, Pod) else ""
        if latest is not None and self._heartbeats.has_expired(key, self._clock()):
            return not_ready(conditions, LEASE_EXPIRED, latest.heartbeat.condition_message, now)
        if node in self._expired_nodes:
            return not_ready(conditions, NODE_LEASE_EXPIRED, f"the lease of node {node} has expired", now)
        reason = own_reason(conditions)
        unknown_node = reason == NODE_LEASE_EXPIRED and node and node not in self._index.nodes
        if unknown_node or (reason == LEASE_EXPIRED and latest is None):
            return conditions
        return ready_again(conditions, now)


def _notes(obj: Node | Pod, latest: Renewal | None) -> list[Note]:
    """The Event of a registration whose own lease has expired or was renewed."""
    ready = next(each for each in obj.status.conditions or [] if each.type == READY)
    if ready.reason == LEASE_EXPIRED and latest is not None:
        return [Note(obj, "Warning", LEASE_EXPIRED, latest.heartbeat.event_message)]
    return [Note(obj, "Normal", LEASE_RENEWED, "the lease was renewed")] if ready.reason == LEASE_RENEWED else []


def _may_be_marked(entry: Entry) -> bool:
    """Whether an object may have been made not ready here; to find out that it was not costs little."""
    return mentions(entry.wire, LEASE_EXPIRED) or mentions(entry.wire, NODE_LEASE_EXPIRED)
