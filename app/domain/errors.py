"""What can go wrong, as the API says it and as the reconciler retries it.

FairleadError
|-- ApiError              one Kubernetes Status: code, reason, message, causes
|   |-- BadRequest 400, Unauthorized 401, Forbidden 403, NotFound 404, MethodNotAllowed 405, NotAcceptable 406
|   |-- AlreadyExists 409, Conflict 409, Expired 410, RequestEntityTooLarge 413, UnsupportedMediaType 415
|   |-- Invalid 422, TooManyRequests 429, RequestHeaderFieldsTooLarge 431
|   `-- InternalError 500, ServiceUnavailable 503, Timeout 504
`-- RetryError
    |-- Requeue(delay)    nothing is wrong with the object: look again after so many seconds
    |-- Temporary(delay)  passing trouble: try again after so many seconds
    `-- Permanent(reason) trying again cannot help until the object changes
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

MAX_CAUSES = 100
"""Fields at fault that one error names."""

_MAX_SHOWN = 512
_MAX_MESSAGE = 32 * 1024


class FairleadError(Exception):
    """The root of everything this project raises on purpose."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that is wrong: an entry of a Status's `details.causes`.

    Attributes:
        reason: One of Kubernetes' machine-readable cause types, e.g. `FieldValueInvalid`.
        field: The path as the wire spells it, e.g. `spec.ports[0].nodePort`.
        message: What is wrong and what would be valid, in our own words.
    """

    reason: str
    field: str
    message: str


def required(field: str, message: str) -> Cause:
    """A value must be there and is not."""
    return _cause("FieldValueRequired", field, f"Required value: {message}")


def invalid(field: str, value: Any, message: str) -> Cause:
    """A value is there and is not acceptable."""
    return _cause("FieldValueInvalid", field, f"Invalid value: {_shown(value)}: {message}")


def invalid_for(field: str, value: Any, problems: Iterable[str]) -> list[Cause]:
    """A value is not acceptable for several reasons: a cause for each, as Kubernetes' validators answer."""
    return [invalid(field, value, problem) for problem in problems]


def duplicate(field: str, value: Any, message: str = "each value may appear only once") -> Cause:
    """A value appears twice where it must be unique."""
    return _cause("FieldValueDuplicate", field, f"Duplicate value: {_shown(value)}: {message}")


def forbidden(field: str, message: str) -> Cause:
    """A value must not be set here."""
    return _cause("FieldValueForbidden", field, f"Forbidden: {message}")


def not_supported(field: str, value: Any, valid: Iterable[str]) -> Cause:
    """A value is none of the listed ones."""
    shown = ", ".join(f'"{item}"' for item in valid)
    return _cause("FieldValueNotSupported", field, f"Unsupported value: {_shown(value)}: supported values: {shown}")


def too_long(field: str, limit: int, unit: str = "bytes") -> Cause:
    """A value is longer than `limit` units."""
    return _cause("FieldValueTooLong", field, f"Too long: may not be more than {limit} {unit}")


def too_many(field: str, count: int, limit: int) -> Cause:
    """A list has more than `limit` items."""
    return _cause("FieldValueTooMany", field, f"Too many: {count}: must have at most {limit} items")


def causes_text(causes: Sequence[Cause], limit: int = MAX_CAUSES) -> str:
    """Causes in one sentence: the first `limit` of them, and how many more there are."""
    text = "; ".join(f"{cause.field}: {cause.message}" for cause in causes[:limit])
    return f"{text}; and {len(causes) - limit} more" if len(causes) > limit else text


def shortened(text: str, limit: int = _MAX_SHOWN) -> str:
    """A text that is fit for a message, whatever a client sent: beyond `limit` characters it loses its middle."""
    return text if len(text) <= limit else f"{text[: limit // 2]}...{text[-limit // 2 :]}"


def _cause(reason: str, field: str, message: str) -> Cause:
    return Cause(reason, shortened(field), message)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{shortened(value)}"' if isinstance(value, str) else shortened(str(value))


class ApiError(FairleadError):
    """An answer that is not success; the HTTP edge writes it as a Kubernetes Status.

    Attributes:
        code: The HTTP status.
        reason: Kubernetes' machine-readable reason.
        group: API group of the object concerned, or "".
        kind: Its plural resource name or kind, as Kubernetes' `details.kind` has it, or "".
        name: Its name, or "".
        uid: Its uid, or "".
        causes: The fields at fault, at most `MAX_CAUSES` of them.
        retry_after: Seconds after which trying again is worth it, or None.
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


class BadRequest(ApiError):  # noqa: N818 - these carry Kubernetes' reason as their name
    """The request itself cannot be understood."""

    code, reason = 400, "BadRequest"


class Unauthorized(ApiError):  # noqa: N818 - as above
    """No valid credentials."""

    code, reason = 401, "Unauthorized"


class Forbidden(ApiError):  # noqa: N818 - as above
    """Understood and refused."""

    code, reason = 403, "Forbidden"


class NotFound(ApiError):  # noqa: N818 - as above
    """No such object or path."""

    code, reason = 404, "NotFound"


class MethodNotAllowed(ApiError):  # noqa: N818 - as above
    """The path exists, the verb does not."""

    code, reason = 405, "MethodNotAllowed"


class NotAcceptable(ApiError):  # noqa: N818 - as above
    """None of the media types in Accept can be served."""

    code, reason = 406, "NotAcceptable"


class AlreadyExists(ApiError):  # noqa: N818 - as above
    """The name is held by another object."""

    code, reason = 409, "AlreadyExists"


class Conflict(ApiError):  # noqa: N818 - as above
    """The object changed since the client read it, or a precondition does not hold."""

    code, reason = 409, "Conflict"


class Expired(ApiError):  # noqa: N818 - as above
    """The revision asked for is no longer in the log."""

    code, reason = 410, "Expired"


class RequestEntityTooLarge(ApiError):  # noqa: N818 - as above
    """The body is larger than the server accepts."""

    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):  # noqa: N818 - as above
    """The body's media type is not one the verb accepts."""

    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiError):  # noqa: N818 - as above
    """The object breaks a rule; `causes` says which fields."""

    code, reason = 422, "Invalid"


class TooManyRequests(ApiError):  # noqa: N818 - as above
    """A bounded queue is full; nothing was stored."""

    code, reason = 429, "TooManyRequests"


class RequestHeaderFieldsTooLarge(ApiError):  # noqa: N818 - as above
    """What a request has beside its body is more than the server reads (RFC 6585, 5)."""

    code, reason = 431, "RequestHeaderFieldsTooLarge"


class InternalError(ApiError):
    """A defect of the server."""

    code, reason = 500, "InternalError"


class ServiceUnavailable(ApiError):  # noqa: N818 - as above
    """The database cannot be reached; certainly nothing was stored."""

    code, reason = 503, "ServiceUnavailable"


class Timeout(ApiError):  # noqa: N818 - as above
    """No answer in time; the outcome of a write is unknown."""

    code, reason = 504, "Timeout"


class RetryError(FairleadError):
    """How a controller says that its work on a key is not done.

    Attributes:
        delay: Seconds until the next attempt; None leaves it to the queue's backoff.
    """

    def __init__(self, message: str, delay: float | None = None) -> None:
        super().__init__(message)
        self.delay = delay


class Requeue(RetryError):  # noqa: N818 - the retry vocabulary's own word
    """Nothing is wrong with the object, only the moment was: another writer was faster, or the database was away.

    It is not shown on the object.
    """


class Temporary(RetryError):  # noqa: N818 - the retry vocabulary's own word
    """Passing trouble. It is shown on the object, in a condition and an Event, until an attempt succeeds."""

    reason = "Retrying"


class Permanent(RetryError):  # noqa: N818 - the retry vocabulary's own word
    """Trying again cannot help until the object changes. It is shown on the object, in a condition and an Event.

    Attributes:
        reason: CamelCase, fit for a condition's and an Event's `reason`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
