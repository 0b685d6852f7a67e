"""Runs a kind's rules over documents, in the order the registry does."""

from copy import deepcopy

from app.domain.documents.decoding import Strictness, decode, to_document
from app.domain.rules.cluster import Cluster

NOW = "2026-01-01T12:00:00Z"
CLUSTER = Cluster(
    service_cidrs=("10.96.0.0/16", "fd00:10:96::/112"),
    node_port_range=(30000, 32767),
    cluster_domain="cluster.local",
    manages_load_balancers=True,
    now=NOW,
)


def parse(kind, document):
    document = deepcopy(document)
    document.setdefault("metadata", {}).setdefault("name", "it")
    if kind.namespaced:
        document["metadata"].setdefault("namespace", "shop")
    obj, _ = decode(
        kind.model, {"apiVersion": kind.api_version, "kind": kind.name, **document}, strictness=Strictness.STRICT
    )
    return obj


def create(kind, document):
    """The object as it would be stored, and what is wrong with it."""
    obj = parse(kind, document)
    kind.strategy.default(obj)
    kind.strategy.prepare_create(obj, CLUSTER)
    return obj, shown(kind.strategy.validate_create(obj, CLUSTER))


def created(kind, document):
    obj, causes = create(kind, document)
    assert causes == set()
    return obj


def update(kind, old, document):
    obj, before = parse(kind, document), to_document(old)
    kind.strategy.default(obj)
    kind.strategy.prepare_update(obj, old, CLUSTER)
    causes = shown(kind.strategy.validate_update(obj, old, CLUSTER))
    assert to_document(old) == before
    return obj, causes


def write_status(kind, old, document):
    obj, before = parse(kind, document), to_document(old)
    kind.strategy.default(obj)
    kind.strategy.prepare_status(obj, old, CLUSTER)
    causes = shown(kind.strategy.validate_status(obj, old, CLUSTER))
    assert to_document(old) == before
    return obj, causes


def shown(causes):
    assert all(cause.message for cause in causes)
    return {(cause.field, cause.reason.removeprefix("FieldValue")) for cause in causes}


def cells(kind, document, now=NOW):
    obj = parse(kind, document)
    return {column.name: column.cell(obj, now) for column in kind.columns}
