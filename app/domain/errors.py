"""The errors of Fairlead: those that the API answers with, and those that a controller raises to be retried.

FairleadError
|-- ApiError              a Kubernetes Status: code, reason, message, causes
|   |-- BadRequest 400, Unauthorized 401, Forbidden 403, NotFound 404, MethodNotAllowed 405, NotAcceptable 406
|   |-- AlreadyExists 409, Conflict 409, Expired 410, RequestEntityTooLarge 413, UnsupportedMediaType 415
|   |-- Invalid 422, TooManyRequests 429, RequestHeaderFieldsTooLarge 431
|   `-- InternalError 500, ServiceUnavailable 503, Timeout 504
`-- RetryError
    |-- Requeue(delay)    nothing is wrong with the object: try again after `delay` seconds
    |-- Temporary(delay)  the work failed for now: try again after `delay` seconds
    `-- Permanent(reason) the work failed: try again when the object changes
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

MAX_CAUSES = 100
"""Causes that one error may have; further ones are left out."""

FIELD_IS_IMMUTABLE = "field is immutable"
"""Programs look for this phrase of Kubernetes in messages."""

_MAX_SHOWN = 512
_MAX_MESSAGE = 32 * 1024


class FairleadError(Exception):
    """The base of all errors that Fairlead raises itself."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A field that is wrong: an entry of `details.causes` in a Status.

    Attributes:
        reason: A cause type of Kubernetes for programs, such as `FieldValueInvalid`.
        field: The path on the wire, such as `spec.ports[0].nodePort`.
        message: What is wrong, and what would be valid.
    """

    reason: str
    field: str
    message: str


def required(field: str, message: str) -> Cause:
    """A value is missing."""
    return _cause("FieldValueRequired", field, f"Required value: {message}")


def invalid(field: str, value: Any, message: str) -> Cause:
    """A value is not valid."""
    return _cause("FieldValueInvalid", field, f"Invalid value: {_shown(value)}: {message}")


def invalid_for(field: str, value: Any, problems: Iterable[str]) -> list[Cause]:
    """A value is not acceptable for several reasons: a cause for each, as Kubernetes' validators answer."""
    return [invalid(field, value, problem) for problem in problems]


def immutable(field: str, value: Any, stored: Any) -> Cause:
    """A value differs from the stored one, which no update may change."""
    return invalid(field, value, f"{FIELD_IS_IMMUTABLE}: it is {stored or 'not set'}")


def duplicate(field: str, value: Any, message: str = "each value may appear only once") -> Cause:
    """A value that must be unique appears twice."""
    return _cause("FieldValueDuplicate", field, f"Duplicate value: {_shown(value)}: {message}")


def forbidden(field: str, message: str) -> Cause:
    """A value must not be set."""
    return _cause("FieldValueForbidden", field, f"Forbidden: {message}")


def not_supported(field: str, value: Any, valid: Iterable[str]) -> Cause:
    """A value is not one of the valid ones."""
    shown = ", ".join(f'"{item}"' for item in valid)
    return _cause("FieldValueNotSupported", field, f"Unsupported value: {_shown(value)}: supported values: {shown}")


def too_long(field: str, limit: int, unit: str = "bytes") -> Cause:
    """A value is longer than `limit` units."""
    return _cause("FieldValueTooLong", field, f"Too long: may not be more than {limit} {unit}")


def too_many(field: str, count: int, limit: int) -> Cause:
    """A list has more than `limit` items."""
    return _cause("FieldValueTooMany", field, f"Too many: {count}: must have at most {limit} items")


def causes_text(causes: Sequence[Cause], limit: int = MAX_CAUSES) -> str:
    """The causes as text: the first `limit` of them, and the number of the others."""
    text = "; ".join(f"{cause.field}: {cause.message}" for cause in causes[:limit])
    return f"{text}; and {len(causes) - limit} more" if len(causes) > limit else text


def shortened(text: str, limit: int = _MAX_SHOWN) -> str:
    """A text for a message: without its middle if a client sent more than `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit // 2]}...{text[-limit // 2 :]}"


def _cause(reason: str, field: str, message: str) -> Cause:
    return Cause(reason, shortened(field), message)


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{shortened(value)}"' if isinstance(value, str) else shortened(str(value))


class ApiError(FairleadError):
    """An answer other than success. The HTTP edge writes it as a Kubernetes Status.

    Attributes:
        code: The HTTP status.
        reason: Kubernetes' reason for programs.
        group: API group of the object that the error is about, or "".
        kind: Its plural resource name or kind, as in Kubernetes' `details.kind`, or "".
        name: Its name, or "".
        uid: Its uid, or "".
        causes: The fields that are wrong, at most `MAX_CAUSES` of them.
        retry_after: Seconds after which the client should try again, or None.
        warnings: Texts for Warning headers of the answer.
    """

    code: ClassVar[int] = 500
    reason: ClassVar[str] = "InternalError"

    def __init__(
        self,
        message: str,
        *,
        group: str = "",
        kind: str = "",
        name: str = "",
        uid: str = "",
        causes: Sequence[Cause] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = shortened(message, _MAX_MESSAGE)
        self.group = group
        self.kind = kind
        self.name = shortened(name)
        self.uid = uid
        self.causes = tuple(causes[:MAX_CAUSES])
        self.retry_after = retry_after
        self.warnings: tuple[str, ...] = ()


class BadRequest(ApiError):  # noqa: N818 - named after Kubernetes' reason
    """The request cannot be understood."""

    code, reason = 400, "BadRequest"


class Unauthorized(ApiError):  # noqa: N818 - as above
    """The request has no valid credentials."""

    code, reason = 401, "Unauthorized"


class Forbidden(ApiError):  # noqa: N818 - as above
    """The request was understood, and is refused."""

    code, reason = 403, "Forbidden"


class NotFound(ApiError):  # noqa: N818 - as above
    """The object or path does not exist."""

    code, reason = 404, "NotFound"


class MethodNotAllowed(ApiError):  # noqa: N818 - as above
    """The path exists, but not for this verb."""

    code, reason = 405, "MethodNotAllowed"


class NotAcceptable(ApiError):  # noqa: N818 - as above
    """The answer has none of the media types in Accept."""

    code, reason = 406, "NotAcceptable"


class AlreadyExists(ApiError):  # noqa: N818 - as above
    """Another object has the name."""

    code, reason = 409, "AlreadyExists"


class Conflict(ApiError):  # noqa: N818 - as above
    """The object has changed since the client read it, or a precondition is not fulfilled."""

    code, reason = 409, "Conflict"


class Expired(ApiError):  # noqa: N818 - as above
    """The requested revision is no longer in the log."""

    code, reason = 410, "Expired"


class RequestEntityTooLarge(ApiError):  # noqa: N818 - as above
    """The body is larger than the limit."""

    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):  # noqa: N818 - as above
    """The verb does not accept the media type of the body."""

    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiError):  # noqa: N818 - as above
    """The object breaks rules; `causes` names the fields."""

    code, reason = 422, "Invalid"


class TooManyRequests(ApiError):  # noqa: N818 - as above
    """A limit is reached, such as that of a queue. Nothing was stored."""

    code, reason = 429, "TooManyRequests"


class RequestHeaderFieldsTooLarge(ApiError):  # noqa: N818 - as above
    """What a request has beside its body is more than the server reads (RFC 6585, 5)."""

    code, reason = 431, "RequestHeaderFieldsTooLarge"


class InternalError(ApiError):
    """The server has a defect."""

    code, reason = 500, "InternalError"


class ServiceUnavailable(ApiError):  # noqa: N818 - as above
    """The database cannot be reached. Nothing was stored."""

    code, reason = 503, "ServiceUnavailable"


class Timeout(ApiError):  # noqa: N818 - as above
    """There was no answer in time. Whether a write was stored is not known."""

    code, reason = 504, "Timeout"


class RetryError(FairleadError):
    """A controller could not finish its work on a key.

    Attributes:
        delay: Seconds until the next attempt; None means the backoff of the queue.
    """

    def __init__(self, message: str, delay: float | None = None) -> None:
        super().__init__(message)
        self.delay = delay


class Requeue(RetryError):  # noqa: N818 - a word of the glossary
    """The work could not be done at this moment: another writer was faster, or the database was away.

    Nothing is wrong with the object, so nothing is shown on it.
    """


class Temporary(RetryError):  # noqa: N818 - a word of the glossary
    """The work failed for now. A condition and an Event of the object show it until an attempt succeeds."""

    reason = "Retrying"


class Permanent(RetryError):  # noqa: N818 - a word of the glossary
    """The work failed, and is tried again only when the object changes. A condition and an Event of it show that.

    Attributes:
        reason: The `reason` of the condition and of the Event, in CamelCase.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
