"""The frame of every object: apiVersion, kind and metadata."""

from typing import Annotated, Any, TypeVar

from msgspec import field

from app.domain.documents.wire import KEEPS_EMPTY, MERGE_SET, Int64, Time, Wire, patch_key


class OwnerReference(Wire):
    """An object that this one belongs to; when all its owners are gone it is collected.

    Attributes:
        api_version: Group and version of the owner.
        kind: Kind of the owner.
        name: Of the owner, in the same namespace or without one.
        uid: Of the owner. Another object of the same name is no owner.
        controller: Whether it is the one owner that manages this object.
        block_owner_deletion: Whether a foreground deletion of the owner waits for this object to go.
    """

    required = ("api_version", "kind", "name", "uid")

    atomic = True

    api_version: str = field(default_factory=str)
    kind: str = field(default_factory=str)
    name: str = field(default_factory=str)
    uid: str = field(default_factory=str)
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ManagedFieldsEntry(Wire):
    """Which fields one manager owns (KEP-555, server-side apply).

    Attributes:
        manager: Who: the name that a client gave, or its User-Agent's first word.
        operation: Apply for server-side apply, Update for every other write.
        api_version: In which the fields are named.
        time: When the manager last changed what it owns.
        fields_type: FieldsV1.
        fields_v1: The fields as a tree: `f:` before a field, `k:` before a list item's keys, `v:` before a value.
        subresource: Through which the fields were set, such as status; nothing for the object itself.
    """

    manager: str = ""
    operation: str = ""
    api_version: str = ""
    time: Time | None = None
    fields_type: str = ""
    fields_v1: dict[str, Any] | None = field(default=None, name="fieldsV1")
    subresource: str = ""


class ObjectMeta(Wire):
    """Metadata of every persisted object.

    Attributes:
        name: Unique in its namespace, for its kind; stays.
        generate_name: The beginning of a name that the server makes up, where `name` is left out.
        namespace: The scope of its name, for kinds that have one; stays.
        self_link: Not served any more.
        uid: Tells it from all other objects, also from earlier ones of its name. Set by the server.
        resource_version: Its revision. Sent with an update, it makes that fail if somebody else was faster.
        generation: Counts what was wanted of it, for kinds that count.
        creation_timestamp: When it was created. Set by the server.
        deletion_timestamp: When its deletion was asked for; it goes once it has no finalizers. Set by the server.
        deletion_grace_period_seconds: What it was given to end in order. Set by the server.
        labels: By which it can be selected.
        annotations: Anything else that tools want to keep with it.
        owner_references: What it belongs to: when all of them are gone it is deleted, too.
        finalizers: Who has something to do before it may go; each removes his own.
        managed_fields: Who set which fields, for server-side apply. Kept by the server.
    """

    name: str = ""
    generate_name: str = ""
    namespace: str | None = None
    self_link: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: Int64 | None = None
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    deletion_grace_period_seconds: Int64 | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: Annotated[list[OwnerReference], patch_key("uid")] | None = None
    finalizers: Annotated[list[str], MERGE_SET] | None = None
    managed_fields: Annotated[list[ManagedFieldsEntry], KEEPS_EMPTY] | None = None


class KubeObject(Wire):
    """The frame of every kind: a subclass adds `spec`, `status` or its own fields.

    Attributes:
        api_version: Group and version, such as discovery.k8s.io/v1; only the version for the core group.
        kind: Which kind of object this is, such as Service.
        metadata: Name, labels and annotations, and what the server keeps about the object.
        spec: What is wanted.
        status: How it is.
    """

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = field(default_factory=ObjectMeta)


ObjectT = TypeVar("ObjectT", bound=KubeObject)
