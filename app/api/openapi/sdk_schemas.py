"""Schemas as generators of clients need them: short names, what only the server writes, and no defaults."""

from collections import Counter
from collections.abc import Mapping

from app.api.model_names import META
from app.api.openapi.content import Document

_READ_ONLY = (
    "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields", "selfLink",
    "uid",
)  # fmt: skip
"""The fields of `metadata` that the server writes. A client sends `resourceVersion` back, to lose no change."""

_STATUS_OF_CLIENTS = ("io.k8s.api.core.v1.Node", "io.k8s.api.core.v1.Pod")
"""The kinds whose status is written by those who register them."""


def for_sdks(schemas: Mapping[str, Document]) -> dict[str, Document]:
    """The schemas of `/openapi.json`, by Kubernetes' names."""
    titles = _titles(schemas)
    return {name: {"title": titles[name], **_rewritten(name, schema)} for name, schema in schemas.items()}


def _titles(schemas: Mapping[str, Document]) -> dict[str, str]:
    """A short name for each: its last part; of those that share one, all but that of the core group get its group."""
    last = {name: name.rpartition(".")[2] for name in schemas}
    counted = Counter(last.values())
    return {name: short if counted[short] == 1 else _group_of(name) + short for name, short in last.items()}


def _group_of(name: str) -> str:
    group = name.split(".")[-3] if name.count(".") > 1 else ""
    return "" if group == "core" else group.capitalize()


def _rewritten(name: str, schema: Document) -> Document:
    """A schema whose properties name no default, or clients would ask for, or send, what the server fills in.

    What may be null is so as OpenAPI 3.1 says it.
    """
    read_only: tuple[str, ...] = ()
    if name == f"{META}.ObjectMeta":
        read_only = _READ_ONLY
    elif "x-kubernetes-group-version-kind" in schema and name not in _STATUS_OF_CLIENTS:
        read_only = ("status",)
    properties = {
        wire: _rewritten_property(each) | ({"readOnly": True} if wire in read_only else {})
        for wire, each in schema.get("properties", {}).items()
    }
    return {**schema, "properties": properties} if properties else schema


def _rewritten_property(schema: Document) -> Document:
    kept = {key: value for key, value in schema.items() if key not in ("default", "nullable")}
    return kept | ({"type": [schema["type"], "null"]} if "nullable" in schema else {})
