"""Errors and results as Kubernetes' `Status` (meta/v1)."""

from typing import Any

import msgspec

from app.api.exchange import Exchange, Header
from app.domain.errors import ApiError, Unauthorized

_ENCODER = msgspec.json.Encoder()


def failure(error: ApiError) -> dict[str, Any]:
    """The Status document of an error."""
    document: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": error.message,
        "reason": error.reason,
    }
    details = _details(error)
    if details:
        document["details"] = details
    document["code"] = error.code
    return document


def _details(error: ApiError) -> dict[str, Any]:
    details: dict[str, Any] = {
        key: value
        for key, value in (("name", error.name), ("group", error.group), ("kind", error.kind), ("uid", error.uid))
        if value
    }
    if error.causes:
        details["causes"] = [
            {"reason": cause.reason, "message": cause.message} | ({"field": cause.field} if cause.field else {})
            for cause in error.causes
        ]
    if error.retry_after is not None:
        details["retryAfterSeconds"] = error.retry_after
    return details


def success(*, group: str, plural: str, name: str, uid: str) -> bytes:
    """The Status that DELETE answers for kinds whose last state it does not return."""
    details = {"name": name, "group": group, "kind": plural, "uid": uid}
    return _ENCODER.encode(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {key: value for key, value in details.items() if value},
        }
    )


async def reply_failure(exchange: Exchange, error: ApiError) -> None:
    """Answer with an error: always JSON, whatever form was asked for.

    Headers say what the client may do: Retry-After (RFC 9110, 10.2.3), WWW-Authenticate (RFC 6750, 3).
    """
    extra: tuple[Header, ...] = ()
    if error.retry_after is not None:
        extra = ((b"retry-after", b"%d" % error.retry_after),)
    elif isinstance(error, Unauthorized):
        extra = ((b"www-authenticate", b'Bearer realm="fairlead"'),)
    await exchange.reply(error.code, _ENCODER.encode(failure(error)), extra=extra)
