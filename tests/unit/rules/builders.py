"""Services from short descriptions, and what the rules make of them."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from app.domain.declarations.service import SERVICE
from app.domain.documents.decoding import Strictness, decode
from app.domain.errors import Cause
from app.domain.kinds.service import Service
from app.domain.rules.cluster import Cluster
from app.domain.rules.metadata import validate_metadata, validate_metadata_update

NOW = "2026-01-02T03:04:05Z"
LATER = "2026-01-02T04:04:05Z"
V4, V6 = "10.96.0.0/16", "fd00:10:96::/112"

WEB = {"ports": [{"port": 80}], "selector": {"app": "x"}}
ALIAS = {"type": "ExternalName", "externalName": "db.example.com"}
TWO = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
DNS = [{"name": "udp", "port": 53, "protocol": "UDP"}, {"name": "tcp", "port": 53}]

_REASONS = {
    "required": "FieldValueRequired",
    "invalid": "FieldValueInvalid",
    "duplicate": "FieldValueDuplicate",
    "forbidden": "FieldValueForbidden",
    "unsupported": "FieldValueNotSupported",
    "long": "FieldValueTooLong",
}


def cluster(*cidrs: str, ours: bool = False, now: str = NOW, **more: Any) -> Cluster:
    return Cluster(
        service_cidrs=cidrs or (V4,),
        node_port_range=(30000, 32767),
        cluster_domain="cluster.local",
        manages_load_balancers=ours,
        now=now,
        **more,
    )


SINGLE, DUAL, DUAL_V6 = cluster(V4), cluster(V4, V6), cluster(V6, V4)
OURS, OURS_DUAL = cluster(V4, ours=True), cluster(V4, V6, ours=True)


def service(spec: Mapping[str, Any], **metadata: Any) -> Service:
    """A Service as it arrives, decoded and no more; `status` may be given beside metadata."""
    document = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop", "uid": "1", **metadata},
        "spec": spec,
    }
    if "status" in metadata:
        document["status"] = document["metadata"].pop("status")  # type: ignore[index, attr-defined]
    decoded, warnings = decode(Service, document, strictness=Strictness.STRICT)
    assert warnings == []
    return decoded


def web(**spec: Any) -> dict[str, Any]:
    """The spec of a plain Service with some fields changed; `None` leaves one out."""
    return {key: value for key, value in {**WEB, **spec}.items() if value is not None}


def created(spec: Mapping[str, Any], at: Cluster = SINGLE, **metadata: Any) -> tuple[Service, list[Cause]]:
    """A Service after `prepare_create`, and what is wrong with it."""
    new = service(spec, **metadata)
    rules = SERVICE.strategy
    rules.default(new)
    rules.prepare_create(new, at)
    causes = rules.unavailable(new, None, at)
    return new, causes or [*validate_metadata(SERVICE, new.metadata), *rules.validate_create(new, at)]


def stored(spec: Mapping[str, Any], at: Cluster = SINGLE, **metadata: Any) -> Service:
    """A Service that was created, with whatever `spec` gives for addresses and ports."""
    new, causes = created(spec, at, **metadata)
    assert causes == []
    return new


def updated(
    spec: Mapping[str, Any], old: Service, at: Cluster = SINGLE, **metadata: Any
) -> tuple[Service, list[Cause]]:
    """A Service after `prepare_update`, and what is wrong with it; the stored one must come out unscathed."""
    before = msgspec.json.encode(old)
    new = service(spec, **{"labels": old.metadata.labels, "annotations": old.metadata.annotations, **metadata})
    rules = SERVICE.strategy
    rules.default(new)
    rules.prepare_update(new, old, at)
    causes = rules.unavailable(new, old, at)
    if not causes:
        causes = [
            *validate_metadata_update(SERVICE, new.metadata, old.metadata),
            *rules.validate_update(new, old, at),
        ]
    assert msgspec.json.encode(old) == before
    return new, causes


def faults(causes: Iterable[Cause]) -> set[tuple[str, str]]:
    return {(cause.field, cause.reason) for cause in causes}


def wanted(*lines: str) -> set[tuple[str, str]]:
    """`spec.ports required` and the like, as `faults` has them."""
    pairs = (line.rsplit(" ", 1) for line in lines)
    return {(field, _REASONS[reason]) for field, reason in pairs}


def spec_of(value: Service) -> dict[str, Any]:
    """The spec as the wire has it."""
    spec: dict[str, Any] = msgspec.to_builtins(value)["spec"]
    return spec


def condition(value: Service, type_: str) -> tuple[str, str] | None:
    """Status and reason of one condition."""
    found = [item for item in value.status.conditions or [] if item.type == type_]
    return (found[0].status, found[0].reason) if found else None
