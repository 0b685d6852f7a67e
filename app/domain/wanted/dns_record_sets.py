"""The DNSRecordSets of a Service, computed from it and its slices."""

from collections.abc import Iterable
from uuid import UUID, uuid5

from app.domain.documents.objects import ObjectMeta, OwnerReference
from app.domain.kinds.dns_record_set import DNSRecordSet, DNSRecordSetSpec
from app.domain.kinds.endpoint_slice import SERVICE_NAME_LABEL, EndpointSlice
from app.domain.kinds.service import Service
from app.domain.rules.cluster import Cluster
from app.domain.wanted.dns_records import TTL, Records, dns_records


def record_sets(service: Service, slices: Iterable[EndpointSlice], cluster: Cluster) -> list[DNSRecordSet]:
    """The record sets of one Service, as objects with its revision and creation time.

    The name of a set starts with the name of its Service and a dot. Names of Services contain no dot.
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
