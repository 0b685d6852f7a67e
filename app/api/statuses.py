"""Errors and results as `Status` of Kubernetes (meta/v1)."""

import msgspec

from app.api.exchange import Exchange
from app.api.headers import Header
from app.api.meta_models import Status, StatusCause, StatusDetails
from app.domain.errors import ApiError, Unauthorized


def failure(error: ApiError) -> bytes:
    """The Status of an error."""
    causes = [StatusCause(cause.reason, cause.message, cause.field) for cause in error.causes]
    details = StatusDetails(error.name, error.group, error.kind, error.uid, causes or None, error.retry_after or 0)
    status = Status(
        kind="Status",
        api_version="v1",
        status="Failure",
        message=error.message,
        reason=error.reason,
        details=details if details != _NO_DETAILS else None,
        code=error.code,
    )
    return msgspec.json.encode(status)


_NO_DETAILS = StatusDetails()


def success(*, group: str, plural: str, name: str, uid: str) -> bytes:
    """The Status of a successful DELETE, for kinds whose DELETE does not answer the object."""
    details = StatusDetails(name, group, plural, uid)
    return msgspec.json.encode(Status(kind="Status", api_version="v1", status="Success", details=details))


async def reply_failure(exchange: Exchange, error: ApiError) -> None:
    """Answer with an error, always in JSON.

    Headers say what the client can do about it: Retry-After (RFC 9110, 10.2.3), WWW-Authenticate (RFC 6750, 3).
    """
    extra: tuple[Header, ...] = ()
    if error.retry_after is not None:
        extra = ((b"retry-after", b"%d" % error.retry_after),)
    elif isinstance(error, Unauthorized):
        extra = ((b"www-authenticate", b'Bearer realm="fairlead"'),)
    body = failure(error)
    if exchange.read_by_people:
        body = msgspec.json.format(body, indent=2) + b"\n"
    exchange.warnings = [*exchange.warnings, *error.warnings]
    await exchange.reply(error.code, body, extra=extra)
