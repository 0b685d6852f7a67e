"""The end of the audit log, for whoever has the right to read it."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response

from app.audit.log import AuditLog

AUDIT_TAIL_PATH = "/logs/audit"
"""Below the path of Kubernetes for logs of the server. A right to it is a rule with nonResourceURLs."""

_MOST_BYTES = 1024 * 1024
_MOST_EVENTS = 500
_USUAL_EVENTS = 100
_READS = frozenset({"get", "list", "watch", "head"})


class AuditTail(msgspec.Struct):
    """The answer.

    Attributes:
        place: Where the log is; "" where none is written.
        readable: Whether it can be read back from there.
        events: The last events of that place, the latest first. Other machines have logs of their own.
    """

    place: str = ""
    readable: bool = False
    events: list[dict[str, Any]] = msgspec.field(default_factory=list)


def audit_routes(log: AuditLog | None) -> APIRouter:
    """`/logs/audit`: at most 500 events, and at most what is in the last MiB; with `writes=true` no reads."""
    router = APIRouter(include_in_schema=False)

    async def answer(
        limit: Annotated[int, Query(ge=1, le=_MOST_EVENTS)] = _USUAL_EVENTS, *, writes: bool = False
    ) -> Response:
        if log is None:
            return _json(AuditTail())
        tail = await log.tail(_MOST_BYTES)
        if tail is None:
            return _json(AuditTail(log.place))
        return _json(
            AuditTail(log.place, readable=True, events=_events(tail, limit, _READS if writes else frozenset()))
        )

    router.add_api_route(AUDIT_TAIL_PATH, answer, methods=["GET"])
    return router


def _events(tail: bytes, limit: int, without: frozenset[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for line in reversed(tail.splitlines()):
        if len(found) == limit:
            break
        try:
            event = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError:  # the first line begins before the tail; a full disk leaves others unfinished
            continue
        if event.get("verb") not in without:
            found.append(event)
    return found


def _json(answer: AuditTail) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
