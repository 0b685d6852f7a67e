"""Who did what: a line of the audit log at each stage of a request that the policy names."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

from app.api.access.audit_lines import (
    annotations,
    as_recorded,
    beginning,
    name_of,
    reference,
    request_uri,
    sender,
    status,
    times,
)
from app.api.exchange import ANSWER_AFTER, Exchange
from app.api.paths import subresource_verbs
from app.audit.log import AuditLog
from app.domain.declarations.kind import Kind
from app.domain.errors import ApiError, ServiceUnavailable, Unauthorized
from app.domain.rules.access.requests import Request, ResourceRequest
from app.domain.rules.audit_policy import AuditPolicy, Decision, Level
from app.domain.user import User

_LONGEST_ID = 64
_CREATED = 201
_PROCESS = str(uuid.uuid4())[:24].encode()
_requests = count()
_LAST_STAGES = ("ResponseComplete", "Panic")
_NOBODY = User("")
"""Who sent a request whose credential was refused."""


class Auditor:
    """Begins the record of each request.

    Args:
        log: Where lines go.
        policy: Tells the policy of the moment.
        recordable: Resources whose objects hold no secrets, such as `services/status`, by group and path. Of all
            others, such as `serviceaccounts/token` or a bulk apply, no object is ever written.
    """

    def __init__(self, log: AuditLog, policy: Callable[[], AuditPolicy], recordable: Iterable[tuple[str, str]]) -> None:
        self._log = log
        self._policy = policy
        self._recordable = frozenset(recordable)

    def begin(self, exchange: Exchange, request: Request) -> None:
        """Begin the record of a request, and write that it was received.

        Raises:
            ServiceUnavailable: The log cannot be written, and requests are refused meanwhile.
        """
        self._record(exchange, request, exchange.impersonator or exchange.user)
        if exchange.record is not None and not self._log.accepts():
            raise ServiceUnavailable(
                "the request was not carried out: it cannot be written into the audit log", retry_after=5
            )

    def refused(self, exchange: Exchange, request: Request, error: ApiError) -> None:
        """Tell the record of a request why it is refused, also if it was refused before its record began."""
        if exchange.record is None:
            user = exchange.impersonator or exchange.user
            self._record(exchange, request, _NOBODY if isinstance(error, Unauthorized) else user)
        if exchange.record is not None:
            exchange.record.error = error

    def _record(self, exchange: Exchange, request: Request, user: User) -> None:
        decision = self._policy().decide(user, request)
        if decision.level is Level.NONE:
            return
        if decision.level > Level.METADATA and self._may_hold_secrets(request):
            decision = Decision(Level.METADATA, decision.omitted_stages)
        exchange.record = record = AuditRecord(self._log, exchange, request, decision, user)
        record.write("RequestReceived")

    def _may_hold_secrets(self, request: Request) -> bool:
        """Whether objects of a request may hold secrets: those of some kinds, and what belongs to no kind."""
        return not isinstance(request, ResourceRequest) or (request.group, request.path) not in self._recordable


def recordable_resources(kinds: Iterable[Kind[Any]]) -> Iterator[tuple[str, str]]:
    """The resources whose objects hold no secrets, by group and path."""
    for kind in kinds:
        names = ["", *("/" + each for each in subresource_verbs(kind))]
        for name in names:
            if not (kind.confidential or kind.carried_by(name[1:]).confidential):
                yield kind.group, kind.plural + name


class AuditRecord:
    """What is known of one request.

    Attributes:
        id: Tells the request from all others; it is in the answer, too.
        sent: The object or patch that was sent, in JSON; b"" while there is none.
        answered: The object that is answered, in JSON; b"" while there is none.
        error: The error that is answered.
        annotations: What else is told of it.
    """

    __slots__ = (
        "_decision",
        "_exchange",
        "_is_complete",
        "_log",
        "_request",
        "_user",
        "annotations",
        "answered",
        "error",
        "id",
        "sent",
    )

    def __init__(self, log: AuditLog, exchange: Exchange, request: Request, decision: Decision, user: User) -> None:
        self._log = log
        self._exchange = exchange
        self._request = request
        self._decision = decision
        self._user = user
        self._is_complete = False
        given = exchange.headers.get(b"audit-id")
        self.id = (given and _given_id(given)) or _new_id()
        self.sent = self.answered = b""
        self.error: ApiError | None = None
        self.annotations: dict[str, str] = {}

    @property
    def keeps_sent(self) -> bool:
        """Whether what was sent is written."""
        return self._decision.level >= Level.REQUEST

    def complete(self) -> None:
        """Write how the request is answered, unless that is written already. No answer leaves before it is written."""
        if self._is_complete:
            return
        self._is_complete = True
        if "ResponseComplete" in self._decision.omitted_stages:
            return
        answer_after = (self._exchange.scope.get("extensions") or {}).get(ANSWER_AFTER)
        if answer_after is None or not self._log.gathers:
            self._log.write(self._line("ResponseComplete"))
        else:
            answer_after(self._log)
            self._log.gather(self._line("ResponseComplete"))

    def write(self, stage: str) -> None:
        """Write a line, unless the policy leaves the stage out."""
        self._is_complete = stage in _LAST_STAGES
        if stage not in self._decision.omitted_stages:
            self._log.write(self._line(stage))

    def _line(self, stage: str) -> bytes:
        exchange, request = self._exchange, self._request
        is_answer = stage != "RequestReceived"
        name = request.name if isinstance(request, ResourceRequest) else ""
        if not name and exchange.code == _CREATED and is_answer:
            name = name_of(self.answered)
        now = time.time()
        return b"".join(
            (
                beginning(self._decision.level, self.id, stage),
                request_uri(exchange),
                sender(exchange, request.verb, self._user),
                reference(request, exchange.path, name),
                status(exchange.code, self.error) if is_answer else b"",
                self._objects(stage) if is_answer and self.keeps_sent else b"",
                times(now - (time.monotonic() - exchange.began), now),
                annotations(self.annotations),
            )
        )

    def _objects(self, stage: str) -> bytes:
        """The fields with what was sent and what is answered."""
        omits = self._decision.omits_managed_fields
        fields = as_recorded(b"requestObject", self.sent, omits_managed_fields=omits) if self.sent else b""
        if self._decision.level >= Level.REQUEST_RESPONSE and self.answered and stage == "ResponseComplete":
            fields += as_recorded(b"responseObject", self.answered, omits_managed_fields=omits)
        return fields


def _given_id(given: bytes) -> bytes:
    """The id that the client has given the request, nothing if it is not fit to be one."""
    return given if len(given) <= _LONGEST_ID and given.replace(b"-", b"").isalnum() else b""


def _new_id() -> bytes:
    """A UUID that no other request has: of this process, and counted. One by chance would cost three times as much."""
    return b"%b%012x" % (_PROCESS, next(_requests))
