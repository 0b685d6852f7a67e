"""DNSRecordSet (fairlead.io/v1): one name's records of one type, computed from a Service; read-only."""

from collections.abc import Iterable
from typing import Annotated
from uuid import UUID, uuid5

from msgspec import field

from app.domain.kinds.columns import AGE, NAME
from app.domain.kinds.endpoint_slice import SERVICE_NAME_LABEL, EndpointSlice
from app.domain.kinds.kind import Column, Derivation, Kind
from app.domain.kinds.meta import (
    ATOMIC,
    Cluster,
    Condition,
    Int32,
    Int64,
    KubeObject,
    ObjectMeta,
    OwnerReference,
    Wire,
    patch_key,
)
from app.domain.kinds.service import Service
from app.domain.wanted.dns_records import TTL, Records, dns_records


class DNSRecordSetSpec(Wire):
    """The records.

    Attributes:
        name: Fully qualified, with the trailing dot.
        type: `A`, `AAAA`, `CNAME`, `PTR`, `SRV` or `TXT`.
        ttl: Seconds a resolver may keep them.
        values: Record data in RFC 1035 presentation form; names in it are fully qualified.
    """

    required = ("name", "type", "ttl", "values")

    name: str = field(default_factory=str)
    type: str = field(default_factory=str)
    ttl: Int32 = field(default_factory=int)
    values: Annotated[list[str], ATOMIC] | None = None


class DNSServerStatus(Wire):
    """What one DNS server answers.

    Attributes:
        name: The server, as configured.
        serial: SOA serial of the zone at which it answers the records of the spec.
    """

    required = ("name", "serial")

    name: str = field(default_factory=str)
    serial: Int64 = field(default_factory=int)


class DNSRecordSetStatus(Wire):
    """Which servers answer the records; empty while no server is configured.

    Attributes:
        servers: What each server answers.
        conditions: Whether all of them answer what the spec says.
    """

    servers: Annotated[list[DNSServerStatus], patch_key("name")] | None = None
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class DNSRecordSet(KubeObject):
    """All records of one name and type."""

    spec: DNSRecordSetSpec = field(default_factory=DNSRecordSetSpec)
    status: DNSRecordSetStatus = field(default_factory=DNSRecordSetStatus)


def record_sets(service: Service, slices: Iterable[EndpointSlice], cluster: Cluster) -> list[DNSRecordSet]:
    """The record sets of one Service, as objects that carry its revision and age.

    A set's name starts with its Service's and a dot, which no Service's name contains.
    """
    return [_record_set(service, records) for records in dns_records(service, slices, cluster.cluster_domain)]


def _record_set(service: Service, records: Records) -> DNSRecordSet:
    meta = service.metadata
    name = f"{meta.name}.{records.label}"
    uid = meta.uid or ""
    owner = OwnerReference(api_version="v1", kind="Service", name=meta.name, uid=uid, controller=True)
    return DNSRecordSet(
        api_version="fairlead.io/v1",
        kind="DNSRecordSet",
        metadata=ObjectMeta(
            name=name,
            namespace=meta.namespace,
            uid=str(uuid5(UUID(uid), name)) if uid else None,
            resource_version=meta.resource_version,
            creation_timestamp=meta.creation_timestamp,
            labels={SERVICE_NAME_LABEL: meta.name},
            owner_references=[owner],
        ),
        spec=DNSRecordSetSpec(name=records.name, type=records.type, ttl=TTL, values=list(records.values)),
    )


DNS_RECORD_SET = Kind(
    group="fairlead.io",
    version="v1",
    name="DNSRecordSet",
    plural="dnsrecordsets",
    singular="dnsrecordset",
    namespaced=True,
    model=DNSRecordSet,
    schema="io.fairlead.v1.DNSRecordSet",
    columns=(
        NAME,
        Column("DNS-Name", lambda obj, _now: obj.spec.name, description="Fully qualified name of the records."),
        Column("Type", lambda obj, _now: obj.spec.type, description="Type of the records."),
        Column("Values", lambda obj, _now: ",".join(obj.spec.values or []), description="Data of the records."),
        Column("TTL", lambda obj, _now: obj.spec.ttl, type="integer", description="Seconds they may be kept."),
        AGE,
    ),
    short_names=("dnsrs",),
    selectable={"spec.name": lambda obj: obj.spec.name, "spec.type": lambda obj: obj.spec.type},
    verbs=("get", "list", "watch"),
    derivation=Derivation(
        "services",
        record_sets,
        source_name=lambda name: name.partition(".")[0],
        parts="endpointslices.discovery.k8s.io",
        part_label=SERVICE_NAME_LABEL,
    ),
)
