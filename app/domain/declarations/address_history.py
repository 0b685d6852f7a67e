"""The declaration of AddressHistory."""

from app.domain.declarations.columns import NAME
from app.domain.declarations.kind import Column, Kind
from app.domain.kinds.address_history import AddressHistory

_NONE, _PRESENT = "<none>", "<present>"

ADDRESS_HISTORY = Kind(
    group="fairlead.io",
    version="v1",
    name="AddressHistory",
    plural="addresshistory",
    singular="addresshistory",
    namespaced=False,
    model=AddressHistory,
    schema="io.fairlead.v1.AddressHistory",
    columns=(
        NAME,
        Column("Resource", lambda obj, _now: obj.spec.resource, description="What was held."),
        Column("Address", lambda obj, _now: obj.spec.address or _NONE, description="The address."),
        Column(
            "Port",
            lambda obj, _now: "/".join(map(str, filter(None, (obj.spec.port, obj.spec.protocol)))) or _NONE,
            description="The port, and its protocol.",
        ),
        Column("Kind", lambda obj, _now: obj.spec.kind, description="Kind of the holder."),
        Column("Namespace", lambda obj, _now: obj.spec.namespace or _NONE, description="Namespace of the holder."),
        Column("Holder", lambda obj, _now: obj.spec.name, description="Name of the holder."),
        Column("Since", lambda obj, _now: obj.spec.since or _NONE, description="When the holder got it."),
        Column("Until", lambda obj, _now: obj.spec.until or _PRESENT, description="When the holder let go of it."),
        Column("UID", lambda obj, _now: obj.spec.uid, priority=1, description="Uid of the holder."),
    ),
    selectable={
        "address": lambda obj: obj.spec.address,
        "namespace": lambda obj: obj.spec.namespace,
        "name": lambda obj: obj.spec.name,
        "kind": lambda obj: obj.spec.kind,
        "resource": lambda obj: obj.spec.resource,
        "port": lambda obj: str(obj.spec.port or ""),
        "protocol": lambda obj: obj.spec.protocol,
    },
    verbs=("get", "list"),
    archived=True,
)
