"""The parameters of the operations, as OpenAPI describes them."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Attributes:
        name: As the wire has it.
        description: For people.
        schema: JSON Schema of its value; one of `type` and what limits it.
        where: Part of the request that carries it.
    """

    name: str
    description: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    where: Literal["query", "path", "header"] = "query"


_BOOLEAN = {"type": "boolean"}
_INTEGER = {"type": "integer", "minimum": 0}


def _words(*words: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}


NAME = Parameter("name", "Name of the object.", where="path")
NAMESPACE = Parameter("namespace", "Namespace of the object.", where="path")
PRETTY = Parameter("pretty", "Indent the answer; the default for curl and browsers.", _BOOLEAN)
DRY_RUN = Parameter("dryRun", "`All`: answer as if, store nothing.", _words("All"))
FIELD_MANAGER = Parameter(
    "fieldManager",
    "Who owns the fields that are written (KEP-555); the user agent's first word when left out. Server-side apply "
    "needs it.",
    {"type": "string", "maxLength": 128},
)
FIELD_VALIDATION = Parameter(
    "fieldValidation",
    "What becomes of unknown and duplicate fields: dropped (`Ignore`), dropped with a Warning header (`Warn`, the "
    "default), or refused (`Strict`).",
    _words("Ignore", "Warn", "Strict"),
)
FORCE = Parameter("force", "Server-side apply only: take over fields that other managers own.", _BOOLEAN)
PREFER = Parameter(
    "Prefer",
    "`respond-async`: do not wait until addresses and ports are allocated (RFC 7240).",
    where="header",
)
LABEL_SELECTOR = Parameter("labelSelector", "Only objects with these labels: `app=web,tier in (a,b),!legacy`.")
FIELD_SELECTOR = Parameter(
    "fieldSelector", "Only objects with these field values: `metadata.name=web,spec.type!=NodePort`."
)
LIMIT = Parameter(
    "limit", "At most so many objects; `metadata.continue` of the answer leads to the next page.", _INTEGER
)
CONTINUE = Parameter("continue", "`metadata.continue` of the page before; all pages show one revision.")
RESOURCE_VERSION = Parameter(
    "resourceVersion",
    "For a watch: what happened after it. For a read: not older than it; `0` is whatever is at hand, nothing is the "
    "present.",
)
RESOURCE_VERSION_MATCH = Parameter(
    "resourceVersionMatch", "How a list's resourceVersion is meant.", _words("Exact", "NotOlderThan")
)
WATCH = Parameter(
    "watch", "Stream changes instead of answering a list: one WatchEvent a line, until timeoutSeconds.", _BOOLEAN
)
BOOKMARKS = Parameter(
    "allowWatchBookmarks", "A watch may send BOOKMARK events that carry the revision alone.", _BOOLEAN
)
SEND_INITIAL_EVENTS = Parameter(
    "sendInitialEvents",
    "A watch starts with an ADDED for each object and a BOOKMARK annotated `k8s.io/initial-events-end` (KEP-3157); "
    "needs `resourceVersionMatch=NotOlderThan`.",
    _BOOLEAN,
)
TIMEOUT_SECONDS = Parameter("timeoutSeconds", "Seconds after which a watch ends.", _INTEGER)
GRACE_PERIOD = Parameter("gracePeriodSeconds", "Seconds to wait before the object goes.", _INTEGER)
PROPAGATION = Parameter(
    "propagationPolicy", "What becomes of objects owned by this one.", _words("Background", "Foreground", "Orphan")
)
ORPHAN_DEPENDENTS = Parameter("orphanDependents", "Deprecated: use propagationPolicy.", _BOOLEAN)

READING = (RESOURCE_VERSION,)
LISTING = (
    BOOKMARKS,
    CONTINUE,
    FIELD_SELECTOR,
    LABEL_SELECTOR,
    LIMIT,
    RESOURCE_VERSION,
    RESOURCE_VERSION_MATCH,
    SEND_INITIAL_EVENTS,
    TIMEOUT_SECONDS,
    WATCH,
)
WRITING = (DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION, PREFER)
PATCHING = (DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION, FORCE, PREFER)
DELETING = (DRY_RUN, GRACE_PERIOD, ORPHAN_DEPENDENTS, PROPAGATION)
DELETING_COLLECTION = (
    CONTINUE,
    DRY_RUN,
    FIELD_SELECTOR,
    GRACE_PERIOD,
    LABEL_SELECTOR,
    LIMIT,
    ORPHAN_DEPENDENTS,
    PROPAGATION,
    RESOURCE_VERSION,
    RESOURCE_VERSION_MATCH,
)
EVERYWHERE = (PRETTY,)
