"""Which manager owns which fields of an object (`metadata.managedFields`, KEP-555)."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from app.domain.declarations.kind import Kind
from app.domain.documents.objects import KubeObject, ManagedFieldsEntry
from app.domain.documents.schema import schema_of
from app.domain.patching.comparison import compare
from app.domain.patching.field_sets import FieldSet, difference, intersection, is_field_set, union, union_of, without
from app.domain.patching.new_fields import empty, fields_of_new, strip
from app.domain.patching.typed_values import field_set

APPLY, UPDATE = "Apply", "Update"

BEFORE_FIRST_APPLY = "before-first-apply"
"""The manager of the fields that an object had before its managers were recorded."""

ANCIENT_CHANGES = "ancient-changes"
"""The manager that gets the fields of the oldest updates when there are too many."""

MAX_UPDATE_MANAGERS = 10
"""Entries of updates that an object may have before the oldest are merged."""

_FIELDS_V1 = "FieldsV1"


class Manager(NamedTuple):
    """What identifies an entry. A manager that applies has one entry for all versions, so its version is empty."""

    name: str
    operation: str
    version: str
    subresource: str


class Owned(NamedTuple):
    """The fields that a manager owns, and when that set last changed."""

    fields: FieldSet
    time: str | None


Managers = dict[Manager, Owned]


def applier(name: str, subresource: str) -> Manager:
    """The manager with this name that applies."""
    return Manager(name, APPLY, "", subresource)


def updater(kind: Kind[Any], name: str, subresource: str) -> Manager:
    """The manager with this name that writes in other ways than by apply."""
    return Manager(name, UPDATE, kind.api_version, subresource)


def record_update(
    kind: Kind[Any], old: KubeObject | None, new: KubeObject, manager: str, now: str, subresource: str = ""
) -> None:
    """Make the manager of a write (other than an apply) the owner of the fields that it changes.

    An object whose managedFields a client has cleared has none until the next apply.

    Args:
        kind: The kind of the object.
        old: The stored object, None on create.
        new: The new object; its managedFields are set.
        manager: Field manager of the request.
        now: The current time, RFC 3339.
        subresource: Such as `status`; a manager has an entry for each.
    """
    managers = _managers_of(kind, old, new, subresource)
    new.metadata.managed_fields = None
    if not managers and old is not None:
        return
    own, after = updater(kind, manager, subresource), msgspec.to_builtins(new)
    if not managers:
        written = fields_of_new(kind.model, after, reset_fields(kind, subresource))
        managers = {own: Owned(written, now)} if written else {}
    else:
        before = empty_document(kind) if old is None else msgspec.to_builtins(old)
        before["metadata"].pop("managedFields", None)
        managers = updated(kind, managers, before, after, own, now)
    new.metadata.managed_fields = encode_managers(kind, capped(kind, managers))


def record_apply(kind: Kind[Any], new: KubeObject, manager: str, now: str) -> None:
    """Make the manager of an apply the owner of all fields of a new object. It is `apply` for thousands of objects.

    Args:
        kind: The kind of the object.
        new: The object as the client sent it; its managedFields are set.
        manager: Field manager of the request.
        now: The current time, RFC 3339.
    """
    new.metadata.managed_fields = None
    fields = field_set(schema_of(kind.model), msgspec.to_builtins(new))
    fields = strip(without(fields, reset_fields(kind, "")))
    new.metadata.managed_fields = encode_managers(kind, {applier(manager, ""): Owned(fields, now)})


def updated(
    kind: Kind[Any], managers: Managers, before: Mapping[str, Any], after: Mapping[str, Any], manager: Manager, now: str
) -> Managers:
    """The managers after an update: its manager owns the fields that it wrote, and nobody owns those it removed."""
    changes = compare(schema_of(kind.model), before, after)
    tracked = changes.ignoring(reset_fields(kind, manager.subresource))
    result = released(released(managers, tracked.removed), tracked.written)
    written = strip(tracked.written)
    if written:
        known = result.get(manager)
        result[manager] = Owned(union(known.fields, written) if known else written, now)
    return {each: owned for each, owned in result.items() if owned.fields}


def released(managers: Managers, gone: FieldSet) -> Managers:
    """The managers without some fields. Entries that have none of these fields stay the same object."""
    return {
        each: owned._replace(fields=difference(owned.fields, gone)) if intersection(owned.fields, gone) else owned
        for each, owned in managers.items()
    }


def reset_fields(kind: Kind[Any], subresource: str) -> tuple[str, ...]:
    """Top-level fields that a write cannot change and does not own: `spec` for a write to `/status`, else `status`."""
    if not kind.has_status:
        return ()
    return ("spec",) if subresource == "status" else ("status",)


def empty_document(kind: Kind[Any]) -> dict[str, Any]:
    """The document of an object of the kind without any fields set."""
    return empty(kind.model)


def _managers_of(kind: Kind[Any], old: KubeObject | None, new: KubeObject, subresource: str) -> Managers:
    """The managers before a write: those in the request if they are valid, else those of the stored object.

    A request without managedFields keeps them. One with an empty list, or with a single empty entry, clears them.
    """
    live = old.metadata.managed_fields if old is not None else None
    given = new.metadata.managed_fields
    if subresource or given == live:
        return _served(kind, live)
    if given is not None and (not given or given == [ManagedFieldsEntry()]):
        return {}
    return decode_managers(kind, given) or _served(kind, live)


def decode_managers(kind: Kind[Any], entries: Iterable[ManagedFieldsEntry] | None) -> Managers | None:
    """Read managedFields; None if an entry is not valid. Entries of versions that are not served are left out."""
    for entry in entries or ():
        wrong = entry.operation not in (APPLY, UPDATE) or not entry.api_version or entry.fields_type != _FIELDS_V1
        if wrong or not is_field_set(entry.fields_v1 or {}):
            return None
    return _served(kind, entries)


def _served(kind: Kind[Any], entries: Iterable[ManagedFieldsEntry] | None) -> Managers:
    """Read managedFields that are valid, as those of stored objects are: they were when they were written."""
    managers: Managers = {}
    for entry in entries or ():
        if entry.api_version == kind.api_version:
            version = "" if entry.operation == APPLY else entry.api_version
            manager = Manager(entry.manager, entry.operation, version, entry.subresource)
            managers[manager] = Owned(entry.fields_v1 or {}, entry.time)
    return managers


def encode_managers(kind: Kind[Any], managers: Managers) -> list[ManagedFieldsEntry] | None:
    """Write managedFields: first the entries of apply, then those of updates, each from the oldest to the newest."""
    order = sorted(managers.items(), key=lambda pair: (pair[0].operation, pair[1].time or "", *pair[0]))
    return [
        ManagedFieldsEntry(
            manager=each.name,
            operation=each.operation,
            api_version=kind.api_version,
            time=owned.time,
            fields_type=_FIELDS_V1,
            fields_v1=owned.fields,
            subresource=each.subresource,
        )
        for each, owned in order
    ] or None


def capped(kind: Kind[Any], managers: Managers) -> Managers:
    """Merge the oldest updates into one entry if there are more than `MAX_UPDATE_MANAGERS`."""
    updates = [each for each in managers if each.operation == UPDATE]
    surplus = len(updates) - MAX_UPDATE_MANAGERS
    if surplus <= 0:
        return managers
    updates.sort(key=lambda each: (managers[each].time or "", each))
    ancient = updates[: surplus + 1]
    bucket = updater(kind, ANCIENT_CHANGES, "")
    merged = {*ancient, bucket}
    kept = {each: owned for each, owned in managers.items() if each not in merged}
    fields = union_of([owned.fields for each, owned in managers.items() if each in merged])
    return {**kept, bucket: Owned(fields, managers[ancient[-1]].time)}
