"""Errors and results as Kubernetes' `Status` (meta/v1)."""

import msgspec
from msgspec import field

from app.api.exchange import Exchange, Header
from app.domain.errors import ApiError, Unauthorized
from app.domain.kinds.meta import Int32, Int64, Wire


class ListMeta(Wire):
    """Metadata of a list.

    Attributes:
        resource_version: The revision that the whole list shows.
        continue_: Where the next page starts, if this is not the last.
        remaining_item_count: How many objects are on the pages after this one, if known.
    """

    self_link: str = ""
    resource_version: str = ""
    continue_: str = ""
    remaining_item_count: Int64 | None = None


class StatusCause(Wire):
    """One reason for a failure.

    Attributes:
        reason: CamelCase, for machines.
        message: For people.
        field: The field at fault, as a path.
    """

    reason: str = ""
    message: str = ""
    field: str = ""


class StatusDetails(Wire):
    """What a Status is about.

    Attributes:
        name: Of the object.
        group: Of its kind.
        kind: Its resource or kind.
        uid: Of the object.
        causes: Everything that was wrong, not only the first.
        retry_after_seconds: After how long it is worth trying again.
    """

    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: list[StatusCause] | None = None
    retry_after_seconds: Int32 = 0


class Status(Wire):
    """The answer of every request that fails, and of some that succeed without an object to show.

    Attributes:
        status: `Success` or `Failure`.
        message: For people.
        reason: CamelCase, for machines; tells more than the code.
        details: What it is about.
        code: The HTTP status.
    """

    kind: str = ""
    api_version: str = ""
    metadata: ListMeta = field(default_factory=ListMeta)
    status: str = ""
    message: str = ""
    reason: str = ""
    details: StatusDetails | None = None
    code: Int32 = 0


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
    """The Status that DELETE answers for kinds whose last state it does not return."""
    details = StatusDetails(name, group, plural, uid)
    return msgspec.json.encode(Status(kind="Status", api_version="v1", status="Success", details=details))


async def reply_failure(exchange: Exchange, error: ApiError) -> None:
    """Answer with an error: always JSON, whatever form was asked for.

    Headers say what the client may do: Retry-After (RFC 9110, 10.2.3), WWW-Authenticate (RFC 6750, 3).
    """
    extra: tuple[Header, ...] = ()
    if error.retry_after is not None:
        extra = ((b"retry-after", b"%d" % error.retry_after),)
    elif isinstance(error, Unauthorized):
        extra = ((b"www-authenticate", b'Bearer realm="fairlead"'),)
    await exchange.reply(error.code, failure(error), extra=extra)
