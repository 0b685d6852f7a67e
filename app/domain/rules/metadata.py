"""Metadata of every kind: names, labels, annotations, owners, finalizers, and what no update may change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol

from app.domain.documents.objects import ManagedFieldsEntry, ObjectMeta, OwnerReference
from app.domain.errors import Cause, forbidden, immutable, invalid, invalid_for, required, too_long
from app.domain.label_syntax import label_key_problems, label_value_problems
from app.domain.rules.names import (
    dns_label_problems,
    dns_subdomain_problems,
    path_segment_problems,
    qualified_name_problems,
)

MAX_ANNOTATION_BYTES = 256 * 1024
"""Bytes of the keys and values of all annotations of an object together."""

MAX_MANAGER, MAX_SUBRESOURCE = 128, 256
KUBERNETES, ORPHAN, FOREGROUND = "kubernetes", "orphan", "foregroundDeletion"
STANDARD_FINALIZERS = (KUBERNETES, ORPHAN, FOREGROUND)
_NAME_RULES = {
    "dns_label": dns_label_problems,
    "dns_subdomain": dns_subdomain_problems,
    "any_path_segment": path_segment_problems,
}
_OPERATIONS = ("Apply", "Update")


NameRule = Literal["dns_label", "dns_subdomain", "any_path_segment"]
"""How the names of a kind's objects are checked."""


class Named(Protocol):
    """A declared kind, as far as the rules of names need it."""

    @property
    def name(self) -> str:
        """The kind as the wire has it, `Service`."""

    @property
    def namespaced(self) -> bool:
        """Whether objects are in a namespace."""

    @property
    def name_rule(self) -> NameRule:
        """How names are checked."""


def validate_metadata(kind: Named, meta: ObjectMeta) -> list[Cause]:
    """Everything wrong with the metadata of a new object, after its name was generated."""
    return [*_name_causes(kind, meta), *_namespace_causes(kind, meta), *_content_causes(meta)]


def validate_metadata_update(kind: Named, new: ObjectMeta, old: ObjectMeta) -> list[Cause]:
    """Everything wrong with the metadata of a changed object."""
    return [*_immutable_causes(new, old), *_namespace_causes(kind, new), *_content_causes(new)]


def label_causes(field: str, labels: Mapping[str, str]) -> Iterator[Cause]:
    """What is wrong with keys and values of labels or of a selector."""
    for key, value in labels.items():
        yield from invalid_for(field, key, label_key_problems(key))
        yield from invalid_for(field, value, label_value_problems(value))


def _name_causes(kind: Named, meta: ObjectMeta) -> Iterator[Cause]:
    """`generateName` may end with '-', since the server appends characters to it."""
    problems_of = _NAME_RULES[kind.name_rule]
    if meta.generate_name:
        problems = problems_of(_with_dash_masked(meta.generate_name))
        yield from invalid_for("metadata.generateName", meta.generate_name, problems)
    if not meta.name:
        yield required("metadata.name", "give a name, or generateName to have the server make one")
        return
    yield from invalid_for("metadata.name", meta.name, problems_of(meta.name))


def _with_dash_masked(prefix: str) -> str:
    return f"{prefix[:-2]}a" if len(prefix) > 1 and prefix.endswith("-") else prefix


def _namespace_causes(kind: Named, meta: ObjectMeta) -> Iterator[Cause]:
    if not kind.namespaced:
        if meta.namespace:
            yield forbidden("metadata.namespace", f"a {kind.name} has no namespace; leave it out")
        return
    if not meta.namespace:
        yield required("metadata.namespace", f"a {kind.name} needs a namespace")
        return
    yield from invalid_for("metadata.namespace", meta.namespace, dns_label_problems(meta.namespace))


def _content_causes(meta: ObjectMeta) -> list[Cause]:
    return [
        *_generation_causes(meta.generation),
        *label_causes("metadata.labels", meta.labels or {}),
        *_annotation_causes(meta.annotations or {}),
        *_owner_causes(meta.owner_references or []),
        *_finalizer_causes(meta.finalizers or []),
        *_managed_fields_causes(meta.managed_fields or []),
    ]


def _generation_causes(generation: int | None) -> Iterator[Cause]:
    if generation is not None and generation < 0:
        yield invalid("metadata.generation", generation, "must be greater than or equal to zero")


def _annotation_causes(annotations: Mapping[str, str]) -> Iterator[Cause]:
    """Keys are qualified names in upper or lower case. Values are any text, up to a total size."""
    for key in annotations:
        yield from invalid_for("metadata.annotations", key, qualified_name_problems(key.lower()))
    size = sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items())
    if size > MAX_ANNOTATION_BYTES:
        yield too_long("metadata.annotations", MAX_ANNOTATION_BYTES)


def _owner_causes(owners: Sequence[OwnerReference]) -> Iterator[Cause]:
    """Each owner has all of its fields and is no Event. At most one owner is the controller."""
    field = "metadata.ownerReferences"
    for owner in owners:
        for name, value in (("kind", owner.kind), ("name", owner.name), ("uid", owner.uid)):
            if not value:
                yield invalid(f"{field}.{name}", value, f"must be the {name} of the owner")
        _, _, version = owner.api_version.rpartition("/")
        if not version or owner.api_version.count("/") > 1:
            yield invalid(f"{field}.apiVersion", owner.api_version, "must be the <group>/<version> of the owner, or v1")
        if (owner.api_version, owner.kind) == ("v1", "Event"):
            yield invalid(field, owner.name, "an Event cannot own anything")
    controllers = [f"{owner.kind}/{owner.name}" for owner in owners if owner.controller]
    if len(controllers) > 1:
        yield invalid(field, ", ".join(controllers), "only one owner can be the controller")


def finalizer_domain_problems(name: str) -> list[str]:
    """A finalizer has the domain of its controller before its name, unless it is a standard one."""
    if "/" in name or name in STANDARD_FINALIZERS:
        return []
    return [f"must begin with a domain, such as example.com/hold, or be one of {', '.join(STANDARD_FINALIZERS)}"]


def _finalizer_causes(finalizers: Sequence[str]) -> Iterator[Cause]:
    """Finalizers are qualified names with a domain, except for the standard ones."""
    for index, name in enumerate(finalizers):
        yield from invalid_for("metadata.finalizers", name, qualified_name_problems(name))
        yield from invalid_for(f"metadata.finalizers[{index}]", name, finalizer_domain_problems(name))
    if ORPHAN in finalizers and FOREGROUND in finalizers:
        yield invalid("metadata.finalizers", ", ".join(finalizers), f"must not have both {ORPHAN} and {FOREGROUND}")


def _managed_fields_causes(entries: Sequence[ManagedFieldsEntry]) -> Iterator[Cause]:
    for index, entry in enumerate(entries):
        field = f"metadata.managedFields[{index}]"
        if entry.operation not in _OPERATIONS:
            yield invalid(f"{field}.operation", entry.operation, f"must be {' or '.join(_OPERATIONS)}")
        if entry.fields_type and entry.fields_type != "FieldsV1":
            yield invalid(f"{field}.fieldsType", entry.fields_type, "must be FieldsV1")
        if len(entry.manager.encode()) > MAX_MANAGER:
            yield too_long(f"{field}.manager", MAX_MANAGER)
        if not entry.manager.isprintable():
            yield invalid(f"{field}.manager", entry.manager, "must have only printable characters")
        if len(entry.subresource.encode()) > MAX_SUBRESOURCE:
            yield too_long(f"{field}.subresource", MAX_SUBRESOURCE)


def _immutable_causes(new: ObjectMeta, old: ObjectMeta) -> Iterator[Cause]:
    if old.deletion_timestamp is not None:
        added = sorted(set(new.finalizers or []) - set(old.finalizers or []))
        if added:
            problem = f"no new finalizers can be added if the object is being deleted: leave out {', '.join(added)}"
            yield forbidden("metadata.finalizers", problem)
    if (new.generation or 0) < (old.generation or 0):
        yield invalid(
            "metadata.generation", new.generation, f"must not be less than the stored generation, {old.generation}"
        )
    for name, is_, was in (
        ("name", new.name, old.name),
        ("namespace", new.namespace or "", old.namespace or ""),
        ("uid", new.uid, old.uid),
        ("creationTimestamp", new.creation_timestamp, old.creation_timestamp),
        ("deletionTimestamp", new.deletion_timestamp, old.deletion_timestamp),
        ("deletionGracePeriodSeconds", new.deletion_grace_period_seconds, old.deletion_grace_period_seconds),
    ):
        if is_ != was:
            yield immutable(f"metadata.{name}", is_, was)
