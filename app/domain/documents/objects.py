"""What all objects have: apiVersion, kind and metadata."""

from typing import Annotated, Any, TypeVar

from msgspec import field

from app.domain.documents.wire import KEEPS_EMPTY, MERGE_SET, Int64, Time, Wire, patch_key


class OwnerReference(Wire):
    """An owner of an object. When all its owners are gone, the object is deleted.

    Attributes:
        api_version: Group and version of the owner, such as apps/v1.
        kind: Kind of the owner.
        name: Name of the owner. It is in the namespace of the object, or in none.
        uid: uid of the owner. A later object of the same name is not the owner.
        controller: Whether this owner is the one that manages the object.
        block_owner_deletion: Whether a foreground deletion of the owner waits until the object is deleted.
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
    """The fields that one manager owns (KEP-555, server-side apply).

    Attributes:
        manager: Name of the manager, as the client gave it or from the beginning of its User-Agent.
        operation: Apply for server-side apply, Update for every other write.
        api_version: Group and version in which the fields are named.
        time: When the manager last changed its set of fields.
        fields_type: Always FieldsV1.
        fields_v1: The fields as a tree. Names begin with `f:` for a field, `k:` for the keys of a list item, `v:` for
            the value of a list item.
        subresource: Subresource through which the fields were set, such as status; empty for the object itself.
    """

    manager: str = ""
    operation: str = ""
    api_version: str = ""
    time: Time | None = None
    fields_type: str = ""
    fields_v1: dict[str, Any] | None = field(default=None, name="fieldsV1")
    subresource: str = ""


class ObjectMeta(Wire):
    """Metadata that every stored object has.

    Attributes:
        name: Name of the object, unique for its kind in its namespace. It cannot change.
        generate_name: If `name` is left out, the server makes a name that begins with this.
        namespace: Namespace of the object, for kinds that have one. It cannot change.
        self_link: Has no meaning any more; the server never sets it.
        uid: Identifies the object, and tells it from earlier objects of the same name. The server sets it.
        resource_version: Revision of the object. An update that has it fails if the object has changed since.
        generation: Number of changes of the desired state, for kinds that count them. The server sets it.
        creation_timestamp: When the object was created. The server sets it.
        deletion_timestamp: When its deletion was requested. The object is deleted when it has no finalizers left. The
            server sets it.
        deletion_grace_period_seconds: Time that the object was given to end in order, in seconds. The server sets it.
        labels: Keys and values by which objects are selected.
        annotations: Keys and values that tools keep with the object. Objects cannot be selected by them.
        owner_references: Owners of the object. When all of them are gone, it is deleted.
        finalizers: Names of those who have to do something before the object is deleted. Each removes its own name.
        managed_fields: Which manager owns which fields, for server-side apply. The server keeps it.
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
    """The base of all kinds, which add `spec`, `status` or fields of their own.

    Attributes:
        api_version: Group and version, such as discovery.k8s.io/v1; for the core group only the version.
        kind: Kind of the object, such as Service.
        metadata: Name, labels and annotations, and what the server keeps about the object.
        spec: Desired state.
        status: Current state, as the server or another program reports it.
    """

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = field(default_factory=ObjectMeta)


ObjectT = TypeVar("ObjectT", bound=KubeObject)
