"""The options and the answers of the verbs: plain values between the HTTP edge and the registry."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from app.domain.rules.deletion import Propagation
from app.domain.user import ANONYMOUS, User
from app.mirror.entry import Entry


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """The options of create, update, patch.

    Attributes:
        dry_run: Answer as if the object were stored, but store nothing (`dryRun=All`).
        field_manager: The owner of the fields that are written (KEP-555), never empty.
        respond_async: Do not wait for allocation (`Prefer: respond-async`, RFC 7240).
        warnings: Texts for Warning headers that decoding has found.
        user: Who writes. What a write asks beyond its own verb, such as giving rights away, is judged by it.
        annotations: What the audit event of the request tells besides; checks of admission add to it.
    """

    dry_run: bool = False
    field_manager: str = "unknown"
    respond_async: bool = False
    warnings: tuple[str, ...] = ()
    user: User = ANONYMOUS
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """The options of delete and deletecollection.

    Attributes:
        dry_run: Answer as if the object were deleted, but delete nothing.
        uid: Precondition on the uid, or None.
        resource_version: Precondition on the revision, or None.
        propagation: `Background`, `Foreground`, `Orphan`, or "" for the kind's default.
        tells_held: Whether the answer is 202 if finalizers hold the object: only with `orphanDependents: false`, as
            older clients expect.
        user: Who deletes.
        annotations: As of `WriteOptions`.
    """

    dry_run: bool = False
    uid: str | None = None
    resource_version: str | None = None
    propagation: Propagation = ""
    tells_held: bool = False
    user: User = ANONYMOUS
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """The options of list and deletecollection, as the query has them; "" and 0 mean that one is not given."""

    label_selector: str = ""
    field_selector: str = ""
    search: str = ""
    limit: int = 0
    continue_token: str = ""
    resource_version: str = ""
    resource_version_match: str = ""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """The options of watch.

    Attributes:
        name: Watch only the object with this name.
        send_initial_events: Whether the watch begins with the objects that are there, and a bookmark after the last one
            (KEP-3157). None: it begins with the objects if there is no revision or "0", and sends no such bookmark.
    """

    label_selector: str = ""
    field_selector: str = ""
    search: str = ""
    name: str = ""
    resource_version: str = ""
    resource_version_match: str = ""
    send_initial_events: bool | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a write answers.

    Attributes:
        code: HTTP status.
        entry: The object as stored, encoded.
        deleted: Whether the object is gone; for most kinds the edge then answers a Status.
        warnings: Texts for Warning headers.
        preview: Of a dry run: what would become of the objects that are computed from this one.
        preference_applied: Whether `Prefer: respond-async` took effect.
    """

    code: int
    entry: Entry
    deleted: bool = False
    warnings: tuple[str, ...] = ()
    preview: tuple[str, ...] = ()
    preference_applied: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, all at one revision.

    Attributes:
        entries: The objects, ordered by namespace and name.
        revision: The list's resourceVersion.
        continue_token: Where the next page starts, "" at the end.
        remaining: How many objects follow, None if that is not known, as with a selector.
    """

    entries: Sequence[Entry]
    revision: int
    continue_token: str = ""
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One event for one watcher.

    Attributes:
        type: ADDED, MODIFIED, DELETED or BOOKMARK.
        entry: The object; None for a bookmark.
        revision: The revision that the watcher has reached with it.
        frame: The event as a line of JSON, if all watchers share it; else None.
        annotations: A bookmark's annotations (`k8s.io/initial-events-end`).
    """

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
    entry: Entry | None
    revision: int
    frame: bytes | None = None
    annotations: dict[str, str] = field(default_factory=dict)
