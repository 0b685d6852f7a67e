"""What every kind has: the wire's spelling, ObjectMeta, conditions, references.

Models are `msgspec.Struct`s: one class is the parsed object, its validation of types, its encoding and its schema.
A field that Go's types mark `omitempty` has a default and is left out of the encoding when it equals it.
"""

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, TypeVar

import msgspec
from msgspec import Meta, field

from app.domain.timestamps import MICRO_TIME_PATTERN, TIME_PATTERN

_ACRONYMS = {"ip": "IP", "ips": "IPs", "cidr": "CIDR", "cidrs": "CIDRs", "id": "ID", "uid": "UID", "url": "URL",
             "uuid": "UUID"}  # fmt: skip


def wire_name(snake: str) -> str:
    """Spell a field as the Kubernetes wire does: `load_balancer_source_ranges`, `cluster_ips` -> `clusterIPs`."""
    first, *rest = snake.rstrip("_").split("_")
    return first + "".join(_ACRONYMS.get(part, part.capitalize()) for part in rest)


class Wire(msgspec.Struct, rename=wire_name, omit_defaults=True, forbid_unknown_fields=True):
    """A piece of a document, spelled in camelCase on the wire and in snake_case here.

    No field is required: as in Go, what is left out is the zero value, and a rule says so if that will not do.

    Attributes:
        atomic: Whether server-side apply gives it one owner as a whole (`x-kubernetes-map-type: atomic`).
        required: Fields that the OpenAPI documents ask for, as Kubernetes' own do. The kind's rules refuse what lacks
            them, or defaults fill them in.
    """

    atomic: ClassVar[bool] = False
    required: ClassVar[tuple[str, ...]] = ()


def patch_key(*keys: str, strategic: str | None = None) -> Meta:
    """Declare how a list of objects merges.

    Args:
        keys: The list-map keys of server-side apply (`x-kubernetes-list-map-keys`).
        strategic: The merge key of strategic merge patch; the first of `keys` when None.
    """
    return Meta(
        extra_json_schema={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": list(keys),
            "x-kubernetes-patch-merge-key": strategic or keys[0],
            "x-kubernetes-patch-strategy": "merge",
        }
    )


MERGE_SET = Meta(extra_json_schema={"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"})
"""A list of scalars that both kinds of patch treat as a set."""

ATOMIC = Meta(extra_json_schema={"x-kubernetes-list-type": "atomic"})
"""A list that is replaced whole."""

ATOMIC_MAP = Meta(extra_json_schema={"x-kubernetes-map-type": "atomic"})
"""A map that is replaced whole by server-side apply."""


def api_default(value: str) -> Meta:
    """Declare what the API server puts where a field is left out, for fields that tell list items apart.

    Server-side apply must know a list item before defaulting has seen it.
    """
    return Meta(extra_json_schema={"default": value})


Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
"""Go's `int32`, which most integers of the API are; what does not fit is refused when it is decoded."""

Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Go's `int64`."""


Time = Annotated[str, Meta(pattern=TIME_PATTERN, extra_json_schema={"format": "date-time"})]
"""A moment in whole seconds UTC (`metav1.Time`); decoding turns any RFC 3339 timestamp into this form."""

MicroTime = Annotated[str, Meta(pattern=MICRO_TIME_PATTERN, extra_json_schema={"format": "date-time"})]
"""A moment with six digits of a second, UTC (`metav1.MicroTime`); decoding accepts any RFC 3339 timestamp."""


def null() -> None:
    """Default factory of a field that the wire shows as `null` rather than leaving it out."""


KEEPS_EMPTY = Meta(extra={"keeps_empty": True})
"""A list or map whose empty form says something else than leaving it out; mostly they mean the same."""


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


class Condition(Wire):
    """One aspect of an object's status (meta/v1 Condition).

    Attributes:
        type: Which one, in CamelCase.
        status: True, False or Unknown.
        observed_generation: Of the object when it was written, for kinds that count generations.
        last_transition_time: When `status` last changed.
        reason: Why, as one word in CamelCase.
        message: Why, for people.
    """

    required = ("type", "status", "last_transition_time", "reason", "message")

    type: str = field(default_factory=str)
    status: str = field(default_factory=str)
    observed_generation: Int64 | None = None
    last_transition_time: Time | None = field(default_factory=null)
    reason: str = field(default_factory=str)
    message: str = field(default_factory=str)


class ObjectReference(Wire):
    """A pointer to another object.

    Attributes:
        kind: Kind of the object.
        namespace: Of the object.
        name: Of the object.
        uid: Of the object.
        api_version: Group and version of the object.
        resource_version: The revision of the object that is meant.
        field_path: The part of the object that is meant, such as spec.containers{web}.
    """

    atomic = True

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    resource_version: str = ""
    field_path: str = ""


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


class Claim(msgspec.Struct, frozen=True):
    """Something of which there is only one, held by one object through a unique row.

    Attributes:
        table: `cluster_ips`, `node_ports`, `lb_addresses` or `lb_ports`.
        key: Canonical text: an address, a port number, or `address/protocol/port`.
        field: Where the object shows it, for the error when somebody else holds it.
    """

    table: str
    key: str
    field: str = ""


def families_of(cidrs: Iterable[str]) -> tuple[str, ...]:
    """The IP families of ranges, in the order of their first ones: `IPv4`, `IPv6`."""
    return tuple(dict.fromkeys("IPv6" if ":" in cidr else "IPv4" for cidr in cidrs))


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules may know of their surroundings; a value, so that rules stay pure.

    Attributes:
        service_cidrs: The ranges that new ClusterIPs come from, canonical text.
        node_port_range: First and last node port, inclusive.
        cluster_domain: Zone of the cluster's DNS records, e.g. `cluster.local`.
        manages_load_balancers: Whether our own load balancer controller serves class-less LoadBalancer Services.
        now: The present as RFC 3339 UTC in whole seconds, for timestamps.
        internal_pools: What private load balancer addresses come from: CIDRs or `first-last`.
        external_pools: The same for public ones. With neither, a Service may ask for any load balancer address.
        served_families: The IP families of all ranges, primary first, those included that give no addresses any more;
            those of `service_cidrs` when empty.
    """

    service_cidrs: tuple[str, ...]
    node_port_range: tuple[int, int]
    cluster_domain: str
    manages_load_balancers: bool
    now: str
    internal_pools: tuple[str, ...] = ()
    external_pools: tuple[str, ...] = ()
    served_families: tuple[str, ...] = ()

    @property
    def families(self) -> tuple[str, ...]:
        """The IP families served, primary first: `IPv4`, `IPv6`."""
        return self.served_families or families_of(self.service_cidrs)
