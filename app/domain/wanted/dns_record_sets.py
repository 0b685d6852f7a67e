"""The DNSRecordSets of a Service, computed from it and its slices."""

from collections.abc import Iterable
from uuid import UUID, uuid5

from app.domain.documents.objects import ObjectMeta, OwnerReference
from app.domain.kinds.dns_record_set import DNSRecordSet, DNSRecordSetSpec, DNSRecordSetStatus
from app.domain.kinds.endpoint_slice import SERVICE_NAME_LABEL, EndpointSlice
from app.domain.kinds.service import Service
from app.domain.rules.cluster import Cluster
from app.domain.rules.conditions import with_condition
from app.domain.rules.zone_description import ZoneDescription, ancestors
from app.domain.wanted.dns_records import Records
from app.domain.wanted.service_records import service_records

SERVED = "Served"
"""The type of the condition of a DNSRecordSet."""


def record_sets(service: Service, slices: Iterable[EndpointSlice], cluster: Cluster) -> list[DNSRecordSet]:
    """The record sets of one Service, as objects with its revision and creation time.

    The name of a set starts with the name of its Service and a dot. Names of Services contain no dot.
    """
    zones = {zone.fqdn: zone for zone in cluster.zones}
    return [
        _record_set(service, records, next((zones[each] for each in ancestors(records.name) if each in zones), None))
        for records in service_records(service, slices, cluster.cluster_domain)
    ]


def _record_set(service: Service, records: Records, zone: ZoneDescription | None) -> DNSRecordSet:
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
        spec=DNSRecordSetSpec(name=records.name, type=records.type, ttl=records.ttl, values=list(records.values)),
        status=_status(zone, meta.creation_timestamp or ""),
    )


def _status(zone: ZoneDescription | None, since: str) -> DNSRecordSetStatus:
    if zone is None:
        told = with_condition(None, SERVED, "False", reason="NoZone", message="no DNSZone has the name", now=since)
        return DNSRecordSetStatus(conditions=told)
    reason, message = "Pushed" if zone.is_pushed else "Served", f"the zone {zone.name} has the records"
    told = with_condition(None, SERVED, "True", reason=reason, message=message, now=since)
    return DNSRecordSetStatus(zone.name, list(zone.copies) or None, told)
