"""Server-side apply (KEP-555): a client sends the fields that it wants, and becomes their owner."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from app.domain.declarations.kind import Kind
from app.domain.documents.decoding import parse_json
from app.domain.documents.objects import ManagedFieldsEntry
from app.domain.documents.schema import StructType, encode_canonical, schema_of
from app.domain.documents.typed_documents import convert
from app.domain.errors import MAX_CAUSES, ApiError, BadRequest, Cause, Conflict
from app.domain.patching.applied_config import check_config
from app.domain.patching.comparison import compare
from app.domain.patching.field_sets import (
    FieldSet,
    conflict_field,
    difference,
    intersection,
    members,
    union,
    union_of,
    without,
)
from app.domain.patching.managed_fields import (
    BEFORE_FIRST_APPLY,
    UPDATE,
    Manager,
    Managers,
    Owned,
    applier,
    decode_managers,
    empty_document,
    encode_managers,
    released,
    reset_fields,
    updated,
    updater,
)
from app.domain.patching.new_fields import strip
from app.domain.patching.typed_values import field_set, merge_values, remove_fields, with_named_fields

Document = dict[str, Any]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""The annotation in which client-side apply keeps what it applied last."""

_KUBECTL = "kubectl"
_CAUSE = "FieldManagerConflict"


@dataclass(frozen=True, slots=True)
class Applying:
    """Who applies, and how.

    Attributes:
        manager: Field manager of the request.
        force: Whether the manager takes over fields that others own.
        subresource: Such as `status`; "" for the object itself.
        now: The current time, RFC 3339.
    """

    manager: str
    force: bool
    subresource: str
    now: str


def apply(kind: Kind[Any], live: Mapping[str, Any], config: Any, applying: Applying) -> Document:
    """Merge an applied configuration into an object.

    Args:
        kind: The kind of the object.
        live: The document of the stored object, empty if there is none; it is not changed.
        config: The configuration, parsed.
        applying: Who applies, and how.

    Returns:
        The new document of the object, managedFields included.

    Raises:
        BadRequest: The configuration is of another kind or version, or has managedFields.
        Invalid: It does not fit the kind.
        Conflict: It sets fields that others own, without `force`; the causes name the fields and managers.
    """
    config = check_config(kind, config)
    entries, current = _without_managers(live or _new_document(kind))
    managers = _managers(kind, entries, current, applying) if live else {}
    try:
        merged, managers = _apply(kind, current, config, managers, applying)
    except _Conflicts as conflicts:
        fields = _counted_conflicts(kind, current, conflicts, applying)
        if fields:
            raise _refusal(kind, fields) from conflicts
        merged, managers = _apply(kind, current, config, managers, _with_force(applying))
    metadata = dict(merged.get("metadata") or {})
    if applying.manager == _KUBECTL:
        _update_last_applied(metadata, config)
    metadata["managedFields"] = msgspec.to_builtins(encode_managers(kind, managers))
    return {**merged, "metadata": metadata}


class _Conflicts(Exception):  # noqa: N818 - named after what it carries
    """Fields that others own, by manager."""

    def __init__(self, fields: dict[Manager, FieldSet]) -> None:
        super().__init__()
        self.fields = fields


def _new_document(kind: Kind[Any]) -> Document:
    return {"apiVersion": kind.api_version, "kind": kind.name, **empty_document(kind)}


def _with_force(applying: Applying) -> Applying:
    return Applying(applying.manager, True, applying.subresource, applying.now)


def _without_managers(live: Mapping[str, Any]) -> tuple[list[ManagedFieldsEntry], Document]:
    metadata = dict(live.get("metadata") or {})
    entries = msgspec.convert(metadata.pop("managedFields", None) or [], list[ManagedFieldsEntry])
    return entries, {**live, "metadata": metadata}


def _managers(kind: Kind[Any], entries: list[ManagedFieldsEntry], current: Document, applying: Applying) -> Managers:
    """The managers of a stored object. If none were recorded, `before-first-apply` owns all its fields."""
    managers = decode_managers(kind, entries)
    if managers:
        return managers
    before = updater(kind, BEFORE_FIRST_APPLY, applying.subresource)
    return updated(kind, {}, empty_document(kind), current, before, applying.now)


def _apply(
    kind: Kind[Any], live: Document, config: Document, managers: Managers, applying: Applying
) -> tuple[Document, Managers]:
    of = schema_of(kind.model)
    me = applier(applying.manager, applying.subresource)
    last = managers.get(me)
    reset = reset_fields(kind, applying.subresource)
    mine = without(field_set(of, config), reset)
    merged: Document = merge_values(of, live, config)
    if last is not None and last.fields:
        merged = _prune(
            of, merged, last.fields, [mine, *(owned.fields for each, owned in managers.items() if each != me)]
        )
    changes = compare(of, live, merged).ignoring(reset)
    others = {each: owned for each, owned in managers.items() if each != me}
    conflicts = {each: intersection(owned.fields, changes.written) for each, owned in others.items()}
    conflicts = {each: fields for each, fields in conflicts.items() if fields}
    if conflicts and not applying.force:
        raise _Conflicts(conflicts)
    others = released(released(others, changes.written), changes.removed)
    mine = strip(mine)
    again = last is not None and last.fields == mine and _is_same_object(kind, live, merged)
    others[me] = last if again and last is not None else Owned(mine, applying.now)
    return merged, {each: owned for each, owned in others.items() if owned.fields}


def _is_same_object(kind: Kind[Any], live: Document, merged: Document) -> bool:
    """Whether two documents decode to the same object. Then the manager's entry keeps its time."""
    try:
        return bool(convert(kind.model, live)[0] == convert(kind.model, merged)[0])
    except BadRequest:
        # The result is decoded again later, and then the error is told.
        return False


def _prune(of: StructType, merged: Document, last: FieldSet, owned: list[FieldSet]) -> Document:
    """Remove the fields that the manager applied last time and does not apply now, unless somebody else owns them.

    When a list item or object is removed, fields inside of it that nobody owns are removed with it.
    """
    managed = union_of(owned)
    every = with_named_fields(of, field_set(of, merged))
    last = with_named_fields(of, last)
    pruned = remove_fields(of, merged, last)
    left = union(with_named_fields(of, field_set(of, pruned)), with_named_fields(of, managed))
    pruned = remove_fields(of, merged, difference(every, left))
    left = with_named_fields(of, field_set(of, pruned))
    result: Document = remove_fields(of, merged, intersection(difference(every, left), last))
    return result


def _counted_conflicts(
    kind: Kind[Any], live: Document, conflicts: _Conflicts, applying: Applying
) -> dict[Manager, FieldSet]:
    """The conflicts that are told: kubectl may take over the fields that its client-side apply set."""
    if applying.manager != _KUBECTL:
        return conflicts.fields
    own = _last_applied(kind, live)
    fields = {each: difference(found, own) for each, found in conflicts.fields.items()}
    return {each: found for each, found in fields.items() if found}


def _last_applied(kind: Kind[Any], live: Document) -> FieldSet:
    """The fields that client-side apply set last, and that nobody has changed since."""
    annotation = (live["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    try:
        config = check_config(kind, parse_json(annotation.encode())[0]) if annotation else None
    except ApiError:
        return {}
    if config is None:
        return {}
    of = schema_of(kind.model)
    changes = compare(of, config, live)
    return difference(field_set(of, config), union(changes.written, changes.removed))


def _update_last_applied(metadata: Document, config: Document) -> None:
    """Update the annotation of client-side apply, if there is one, so that kubectl can return to client-side apply."""
    annotations = metadata.get("annotations") or {}
    if not annotations.get(LAST_APPLIED):
        return
    applied = dict(config.get("metadata") or {})
    if applied.get("annotations"):
        applied["annotations"] = {key: text for key, text in applied["annotations"].items() if key != LAST_APPLIED}
    text = encode_canonical({**config, "metadata": applied}).decode() + "\n"
    metadata["annotations"] = {**annotations, LAST_APPLIED: text}


def _refusal(kind: Kind[Any], conflicts: dict[Manager, FieldSet]) -> Conflict:
    causes = list(islice(_causes(kind, conflicts), MAX_CAUSES))
    total = sum(1 for fields in conflicts.values() for _ in members(fields))
    count = "1 conflict" if total == 1 else f"{total} conflicts"
    shown = "; ".join(f"{cause.message}: {cause.field}" for cause in causes)
    return Conflict(f"Apply failed with {count}: {shown}", causes=causes)


def _causes(kind: Kind[Any], conflicts: dict[Manager, FieldSet]) -> Iterator[Cause]:
    for each, fields in sorted(conflicts.items()):
        who = f'"{each.name}"'
        if each.subresource:
            who += f' with subresource "{each.subresource}"'
        if each.operation == UPDATE:
            who += f" using {kind.api_version}"
        for path in members(fields):
            yield Cause(_CAUSE, conflict_field(path), f"conflict with {who}")
