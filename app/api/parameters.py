"""The query parameters and headers of the verbs, read as Kubernetes reads them."""

from app.api.exchange import Exchange
from app.domain.documents.decoding import Strictness
from app.domain.errors import BadRequest, Cause, Invalid, causes_text, forbidden, invalid, not_supported, required
from app.registry.options import ListOptions, WatchOptions, WriteOptions

_FIELD_MANAGER_LIMIT = 128
_FALSE = ("false", "0")
_OPTIONS_KINDS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}


def flag(query: dict[str, str], name: str) -> bool:
    """A boolean parameter: present and neither `false` nor `0`, in any case (conversion of url.Values)."""
    value = query.get(name)
    return value is not None and value.lower() not in _FALSE


def whole_number(query: dict[str, str], name: str) -> int:
    """A whole number, 0 when absent or empty.

    Raises:
        BadRequest: It is something else.
    """
    value = query.get(name, "")
    if not value:
        return 0
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:  # noqa: PLR2004 - fits into 64 bits
        raise BadRequest(f"query parameter {name} must be a whole number, not {value!r}")
    return int(value)


def is_watch(query: dict[str, str]) -> bool:
    """Whether a list request asks for a watch."""
    return "watch" in query and flag(query, "watch")


def list_options(query: dict[str, str]) -> ListOptions:
    """The options of list and deletecollection.

    Raises:
        BadRequest: `limit` is no number.
        Invalid: `sendInitialEvents` is given, which is for watches.
    """
    if not query:
        return _NO_LIST_OPTIONS
    if "sendInitialEvents" in query:
        cause = forbidden("sendInitialEvents", "only a watch begins with initial events")
        raise Invalid(f"sendInitialEvents: {cause.message}", group="meta.k8s.io", kind="ListOptions", causes=[cause])
    return ListOptions(
        label_selector=query.get("labelSelector", ""),
        field_selector=query.get("fieldSelector", ""),
        search=query.get("search", ""),
        limit=max(0, whole_number(query, "limit")),
        continue_token=query.get("continue", ""),
        resource_version=query.get("resourceVersion", ""),
        resource_version_match=query.get("resourceVersionMatch", ""),
    )


_NO_LIST_OPTIONS = ListOptions()


def watch_options(query: dict[str, str], name: str = "") -> WatchOptions:
    """The options of watch; `name` narrows it to one object."""
    return WatchOptions(
        label_selector=query.get("labelSelector", ""),
        field_selector=query.get("fieldSelector", ""),
        search=query.get("search", ""),
        name=name,
        resource_version=query.get("resourceVersion", ""),
        resource_version_match=query.get("resourceVersionMatch", ""),
        send_initial_events=flag(query, "sendInitialEvents") if "sendInitialEvents" in query else None,
    )


def write_options(exchange: Exchange, *, apply: bool = False) -> WriteOptions:
    """The options of create, update and patch.

    Args:
        exchange: The request.
        apply: Whether it is a server-side apply, which must name its field manager.

    Raises:
        Invalid: One of them has no meaning; causes name it.
    """
    query = exchange.query
    manager = query.get("fieldManager", "")
    causes = [*_dry_run_causes(query), *_manager_causes(manager, needed=apply)]
    if not apply and "force" in query and exchange.method == "PATCH":
        causes.append(forbidden("force", "only a server-side apply can be forced"))
    if causes:
        kind = _OPTIONS_KINDS[exchange.method]
        message = f'{kind}.meta.k8s.io "" is invalid: {causes_text(causes)}'
        raise Invalid(message, kind=kind, group="meta.k8s.io", causes=causes)
    return WriteOptions(
        dry_run="dryRun" in query,
        field_manager=manager or _manager_from_agent(exchange),
        respond_async="respond-async" in exchange.header(b"prefer").lower(),
        user=exchange.user,
        annotations={} if exchange.record is None else exchange.record.annotations,
    )


def strictness(query: dict[str, str]) -> Strictness:
    """How strictly the body is decoded, as `fieldValidation` says; Warn if it is absent.

    Raises:
        Invalid: It is none of Ignore, Warn and Strict.
    """
    value = query.get("fieldValidation", "")
    if not value:
        return Strictness.WARN
    try:
        return Strictness(value)
    except ValueError:
        cause = not_supported("fieldValidation", value, [str(level) for level in Strictness])
        raise Invalid(f"fieldValidation: {cause.message}", causes=[cause]) from None


def _dry_run_causes(query: dict[str, str]) -> list[Cause]:
    value = query.get("dryRun", "All")
    return [] if value == "All" else [not_supported("dryRun", value, ["All"])]


def _manager_causes(manager: str, *, needed: bool) -> list[Cause]:
    if needed and not manager:
        return [required("fieldManager", "a server-side apply must name its field manager")]
    if len(manager) > _FIELD_MANAGER_LIMIT:
        return [invalid("fieldManager", manager, f"must have at most {_FIELD_MANAGER_LIMIT} characters")]
    return [] if manager.isprintable() else [invalid("fieldManager", manager, "must consist of printable characters")]


def _manager_from_agent(exchange: Exchange) -> str:
    agent = exchange.header(b"user-agent").split("/", 1)[0][:_FIELD_MANAGER_LIMIT]
    return "".join(letter for letter in agent if letter.isprintable()) or "unknown"
