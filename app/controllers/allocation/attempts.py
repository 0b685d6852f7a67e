"""Attempts: picks for Services, each stored as the claims allow, or undone."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from app.controllers.allocation.memory import PoolMemory
from app.controllers.allocation.waiting import Waiting
from app.controllers.controller import ObjectKey
from app.controllers.event_recorder import EventRecorder, Note
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import encode_body
from app.domain.errors import ApiError
from app.domain.kinds.service import Service
from app.domain.pools.allocation import Picks, allocate
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.conditions import is_explained
from app.store.object_writes import write_of
from app.store.writer import Writer
from app.store.writes import Action, ClaimHeld, Committed, LeaseGuard, Missing, Outcome, Write

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One Service on its way to the store, with what was picked for it; `waited` if it had been told of a shortage."""

    service: Service
    picks: Picks
    write: Write
    waited: bool

    @property
    def key(self) -> ObjectKey:
        """Namespace and name of the Service."""
        return self.service.metadata.namespace or "", self.service.metadata.name


class Attempts:
    """Makes attempts and stores them.

    Attributes:
        publishing: Uids of Services on their way to be published with all they ask for: their change tells nothing new.
    """

    def __init__(
        self,
        writer: Writer,
        recorder: EventRecorder,
        cluster: Callable[[], Cluster],
        memory: PoolMemory,
        waiting: Waiting,
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

    def make(self, service: Service, action: Action, expected: int | None, lease: LeaseGuard) -> Attempt | None:
        """Pick for one Service; None when a defect prevents it, which must not stop the others."""
        waited, cluster = is_explained(service), self._cluster()
        try:
            picks = allocate(service, self._memory.pools, cluster, created=action == "publish")
            body = encode_body(service)
            write = write_of(SERVICE, action, service, body, cluster, expected=expected, lease=lease)
        except Exception:  # noqa: BLE001 - logged, and the Service is tried again
            _log.exception("cannot allocate", service=service.metadata.name, namespace=service.metadata.namespace)
            self._memory.known = False
            return None
        return Attempt(service, picks, write, waited)

    async def store(self, attempts: Sequence[Attempt]) -> list[ObjectKey]:
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
            if isinstance(outcome, Committed):
                notes += self._settled(attempt)
            elif self._undone(attempt, outcome):
                again.append(attempt.key)
        await self._recorder.record(notes)
        return again

    def _settled(self, attempt: Attempt) -> list[Note]:
        """Note what became of the Service; answers what people should know about it."""
        if attempt.write.pending:
            self._waiting.add(attempt.key, attempt.picks.exhausted)
            return [Note(attempt.service, "Warning", s.reason, s.message) for s in attempt.picks.shortages]
        self._waiting.discard(attempt.key)
        if attempt.waited:
            return [Note(attempt.service, "Normal", "Allocated", "what it waited for has been allocated")]
        return []

    def _undone(self, attempt: Attempt, outcome: Outcome) -> bool:
        """Give back what was picked in vain; answers whether it has to be picked for again."""
        self._memory.give_back(attempt.picks)
        self.publishing.discard(attempt.write.uid)
        if isinstance(outcome, ClaimHeld):
            self._memory.held(outcome)
            _log.info("pick was held", claim=outcome.claim.key, service="/".join(attempt.key))
        if isinstance(outcome, Missing) and attempt.write.action == "publish":
            self._memory.observe(attempt.service, None)
        return isinstance(outcome, ClaimHeld)
