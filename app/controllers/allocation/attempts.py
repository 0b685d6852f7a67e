"""Attempts: picks for objects, each stored as the claims allow, or undone."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from msgspec.structs import replace

from app.controllers.allocation.memory import PoolMemory
from app.controllers.allocation.waiting import Waiting
from app.controllers.event_recorder import EventRecorder, Note
from app.domain.documents.encoding import encode_body
from app.domain.errors import ApiError
from app.domain.pools.allocated_kinds import Allocated, allocate_for, has_waited, kind_of
from app.domain.pools.picking import Picks
from app.domain.rules.address_claims import claimed_address
from app.domain.rules.cluster import Cluster
from app.store.held_claims import refusal
from app.store.object_writes import write_of
from app.store.writer import Writer
from app.store.writes import Action, ClaimHeld, Committed, LeaseGuard, Missing, Outcome, Write
from app.telemetry import tracing

_log = structlog.stdlib.get_logger(__name__)


AllocationKey = tuple[str, str, str]
"""Kind key, namespace and name of an object."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One object on its way to the store, with what was picked for it; `waited` if it had been told of a shortage.

    The span is that of the attempt, in the trace of what asks for the allocation.
    """

    obj: Allocated
    picks: Picks
    write: Write
    waited: bool
    span: tracing.Span | None

    @property
    def key(self) -> AllocationKey:
        """Of the object."""
        return self.write.kind, self.write.namespace, self.write.name


class Attempts:
    """Makes attempts and stores them.

    Attributes:
        publishing: Uids of objects on their way to be published with all they ask for: their change tells nothing new.
    """

    def __init__(
        self,
        writer: Writer,
        recorder: EventRecorder,
        cluster: Callable[[], Cluster],
        memory: PoolMemory,
        waiting: Waiting[AllocationKey],
    ) -> None:
        """Prepare.

        Args:
            writer: The one write path.
            recorder: Tells people of shortages, and of their end.
            cluster: What the rules may know.
            memory: What is free.
            waiting: Gets what finds its pools exhausted.
        """
        self._writer = writer
        self._recorder = recorder
        self._cluster = cluster
        self._memory = memory
        self._waiting = waiting
        self.publishing: set[str] = set()
        # By uid: addresses that an object asks for and that were another's a moment ago, each with why, in words.
        self._refused: dict[str, dict[str, str]] = {}

    def make(
        self, obj: Allocated, action: Action, expected: int | None, lease: LeaseGuard, *, trace: str | None = None
    ) -> Attempt | None:
        """Pick for one object; None when a defect prevents it, which must not stop the others."""
        span = tracing.begin("allocate", trace) if trace else None
        waited, cluster = has_waited(obj), self._cluster()
        refused = self._refused.pop(obj.metadata.uid or "", {})
        try:
            picks = allocate_for(obj, self._memory.pools, cluster, created=action == "publish", refused=refused)
            write = write_of(kind_of(obj), action, obj, encode_body(obj), cluster, expected=expected, lease=lease)
        except Exception:  # noqa: BLE001 - logged, and the object is tried again
            _log.exception("cannot allocate", name=obj.metadata.name, namespace=obj.metadata.namespace)
            self._memory.known = False
            return None
        if span is not None:
            write = replace(write, trace=tracing.context_of(span))
        return Attempt(obj, picks, write, waited, span)

    async def store(self, attempts: Sequence[Attempt]) -> list[AllocationKey]:
        """Write what was picked; answers those whose picks turned out to be held.

        Raises:
            ApiError: The store cannot be reached; what is free is not known any more.
        """
        whole = {each.write.uid for each in attempts if each.write.action == "publish" and not each.write.pending}
        self.publishing |= whole
        try:
            outcomes = await self._writer.write_all([attempt.write for attempt in attempts])
        except (ApiError, asyncio.CancelledError):
            self._memory.known = False
            self.publishing -= whole
            raise
        notes: list[Note] = []
        again = []
        for attempt, outcome in zip(attempts, outcomes, strict=True):
            _end_span(attempt, outcome)
            if isinstance(outcome, Committed):
                notes += self._settled(attempt)
            elif self._undone(attempt, outcome):
                again.append(attempt.key)
        await self._recorder.record(notes)
        return again

    def _settled(self, attempt: Attempt) -> list[Note]:
        """Note what became of the object; answers what people should know about it."""
        if attempt.write.pending:
            self._waiting.add(attempt.key, attempt.picks)
            return [Note(attempt.obj, "Warning", s.reason, s.message) for s in attempt.picks.shortages]
        self._waiting.discard(attempt.key)
        if attempt.waited:
            return [Note(attempt.obj, "Normal", "Allocated", "what it waited for has been allocated")]
        return []

    def _undone(self, attempt: Attempt, outcome: Outcome) -> bool:
        """Give back what was picked in vain; answers whether it has to be picked for again."""
        self._memory.give_back(attempt.picks)
        self.publishing.discard(attempt.write.uid)
        if isinstance(outcome, ClaimHeld):
            self._note_held(attempt, outcome)
        if isinstance(outcome, Missing) and attempt.write.action == "publish":
            self._memory.observe(attempt.obj, None)
        return isinstance(outcome, ClaimHeld)

    def _note_held(self, attempt: Attempt, outcome: ClaimHeld) -> None:
        claim = outcome.claim
        _log.info("pick was held", claim=claim.key, object="/".join(attempt.key))
        if (claim.table, claimed_address(claim.key)) in attempt.picks.picked:
            self._memory.held(outcome)
        else:
            # It asks for the address, so that no other pick helps.
            value, problem = refusal(outcome, attempt.write.namespace)
            told = {claimed_address(claim.key): f"{problem} ({value})"}
            self._refused.setdefault(attempt.write.uid, {}).update(told)


def _end_span(attempt: Attempt, outcome: Outcome) -> None:
    if attempt.span is not None:
        shortages = [shortage.message for shortage in attempt.picks.shortages]
        tracing.tell(attempt.span, fairlead__outcome=type(outcome).__name__, fairlead__shortages=shortages)
        attempt.span.end()
