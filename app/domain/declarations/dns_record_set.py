"""The declaration of DNSRecordSet."""

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import Column, Derivation, Kind
from app.domain.kinds.dns_record_set import DNSRecordSet
from app.domain.kinds.endpoint_slice import SERVICE_NAME_LABEL
from app.domain.wanted.dns_record_sets import record_sets

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
