"""The parameters of the operations, as OpenAPI describes them."""

from dataclasses import dataclass, field
from typing import Any, Literal

from app.domain.declarations.search import LONGEST


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Attributes:
        name: The name on the wire.
        description: What it means, in words for people.
        schema: The JSON Schema of its value: `type`, and perhaps bounds.
        where: The part of the request that carries it.
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
DRY_RUN = Parameter("dryRun", "`All`: answer as if the request were carried out, and store nothing.", _words("All"))
FIELD_MANAGER = Parameter(
    "fieldManager",
    "The name of the owner of the fields that are written (KEP-555); by default the first word of the user agent. "
    "Server-side apply requires it.",
    {"type": "string", "maxLength": 128},
)
FIELD_VALIDATION = Parameter(
    "fieldValidation",
    "What happens to unknown and duplicate fields. `Ignore` drops them, `Warn` (the default) drops them with a Warning "
    "header, `Strict` refuses the request.",
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
SEARCH = Parameter(
    "search",
    "Only objects in whose namespace, name, columns of the Table, addresses or labels each of these words is found: "
    "`web 443`, `app=web`. Case does not matter. Kubernetes has no such parameter.",
    {"type": "string", "maxLength": LONGEST},
)
LIMIT = Parameter(
    "limit",
    "The largest number of objects on a page; `metadata.continue` of the answer leads to the next one.",
    _INTEGER,
)
CONTINUE = Parameter("continue", "`metadata.continue` of the previous page; all pages show the same revision.")
RESOURCE_VERSION = Parameter(
    "resourceVersion",
    "A watch begins after this revision. A read shows a state that is not older; `0` accepts whatever is in memory. "
    "Without the parameter a read shows the newest state.",
)
RESOURCE_VERSION_MATCH = Parameter(
    "resourceVersionMatch", "How `resourceVersion` of a list is understood.", _words("Exact", "NotOlderThan")
)
WATCH = Parameter(
    "watch", "Stream changes instead of answering with a list: one WatchEvent a line, until `timeoutSeconds`.", _BOOLEAN
)
BOOKMARKS = Parameter(
    "allowWatchBookmarks", "Whether the watch may send BOOKMARK events, which carry only a revision.", _BOOLEAN
)
SEND_INITIAL_EVENTS = Parameter(
    "sendInitialEvents",
    "Whether the watch begins with an ADDED event for each object and a BOOKMARK with the annotation "
    "`k8s.io/initial-events-end` (KEP-3157). It requires `resourceVersionMatch=NotOlderThan`.",
    _BOOLEAN,
)
TIMEOUT_SECONDS = Parameter("timeoutSeconds", "Seconds after which a watch ends.", _INTEGER)
GRACE_PERIOD = Parameter(
    "gracePeriodSeconds", "Seconds that the object may take to end; objects of this server take none.", _INTEGER
)
PROPAGATION = Parameter(
    "propagationPolicy", "What happens to the objects that this one owns.", _words("Background", "Foreground", "Orphan")
)
ORPHAN_DEPENDENTS = Parameter("orphanDependents", "Deprecated; use `propagationPolicy`.", _BOOLEAN)

READING = (RESOURCE_VERSION,)
LISTING = (
    BOOKMARKS,
    CONTINUE,
    FIELD_SELECTOR,
    LABEL_SELECTOR,
    LIMIT,
    RESOURCE_VERSION,
    RESOURCE_VERSION_MATCH,
    SEARCH,
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
    SEARCH,
)
EVERYWHERE = (PRETTY,)
