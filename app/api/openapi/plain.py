"""The operations that belong to no kind: discovery, version, health, bulk apply."""

from app.api.bulk import BULK_PATH
from app.api.headers import JSON
from app.api.model_names import STATUS
from app.api.openapi.content import Document, reference
from app.api.openapi.examples import bulk_example
from app.api.openapi.sections import BULK, DISCOVERY, HEALTH
from app.domain.declarations.catalog import Kinds

_BULK: Document = {
    "operationId": "applyFairleadV1",
    "summary": "Apply many objects at once, all of them or none, and allocate what they need",
    "description": "Creates what is not there and patches what is, as server-side apply does; if one object is "
    "refused, none is stored.",
    "tags": [BULK],
    "parameters": [
        {"$ref": f"#/components/parameters/{name}"}
        for name in ("dryRun", "fieldManager", "fieldValidation", "force", "pretty")
    ]
    + [
        {
            "name": "namespace",
            "in": "query",
            "description": "The namespace of objects that name none.",
            "schema": {"type": "string"},
        }
    ],
    "requestBody": {
        "required": True,
        "content": {JSON: {"schema": reference("ObjectList"), "example": bulk_example()}},
    },
    "responses": {
        "200": {"description": "All objects are stored.", "content": {JSON: {"schema": reference("ApplyResult")}}},
        "default": {"description": "No object is stored.", "content": {JSON: {"schema": reference(STATUS)}}},
    },
}
_ANY_OBJECT: Document = {"type": "object", "additionalProperties": True}
BULK_SCHEMAS: dict[str, Document] = {
    "ObjectList": {
        "type": "object",
        "description": "Objects of any kinds, at most 10,000.",
        "required": ["apiVersion", "kind", "items"],
        "properties": {
            "apiVersion": {"type": "string", "enum": ["v1"]},
            "kind": {"type": "string", "enum": ["List"]},
            "items": {"type": "array", "items": _ANY_OBJECT},
        },
    },
    "ApplyResult": {
        "type": "object",
        "description": "The result for each object, in the order of the request.",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": _ANY_OBJECT,
            "dryRun": {"type": "boolean"},
            "items": {"type": "array", "items": reference("AppliedObject")},
        },
    },
    "AppliedObject": {
        "type": "object",
        "description": "What became of one object.",
        "required": ["result", "object"],
        "properties": {
            "result": {"type": "string", "enum": ["created", "configured", "unchanged"]},
            "warnings": {"type": "array", "items": {"type": "string"}},
            "object": _ANY_OBJECT,
        },
    },
}
"""A schema that is called `List`, as the kind is, would hide `typing.List` in clients of Python."""
_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_OBJECT = {JSON: {"schema": {"type": "object", "additionalProperties": True}}}
_CHECKS = ("healthz", "livez", "readyz")


def plain_paths(kinds: Kinds) -> dict[str, Document]:
    """The paths of these operations, for `/openapi.json`."""
    paths = {
        "/api": _discovery("getCoreAPIVersions", "Versions of the core group"),
        "/apis": _discovery("getAPIVersions", "The API groups"),
        "/version": {"get": _get("getCodeVersion", "Version of the API that is served", DISCOVERY, _OBJECT)},
        BULK_PATH: {"post": _BULK},
        "/metrics": {"get": _get("getMetrics", "Metrics in the text format of Prometheus", HEALTH, _TEXT)},
    }
    for group in kinds.groups():
        name = (group.name.partition(".")[0] or "core").capitalize()
        if group.name:
            paths[f"/apis/{group.name}"] = _discovery(f"get{name}APIGroup", f"The group {group.name}")
        for version in group.versions:
            path = f"/apis/{group.name}/{version}" if group.name else f"/api/{version}"
            paths[path] = _discovery(f"get{name}{version.capitalize()}APIResources", f"What {path} serves")
    for check in _CHECKS:
        described = _get(f"get{check.capitalize()}", "Whether the process is healthy", HEALTH, _TEXT)
        described["responses"]["503"] = {"description": "It is not healthy; the text says why.", "content": _TEXT}
        paths[f"/{check}"] = {"get": described}
    return paths


def _discovery(operation_id: str, summary: str) -> Document:
    return {"get": _get(operation_id, summary, DISCOVERY, _OBJECT)}


def _get(operation_id: str, summary: str, section: str, content: Document) -> Document:
    return {
        "operationId": operation_id,
        "summary": summary,
        "description": f"{summary}.",
        "tags": [section],
        "responses": {"200": {"description": "OK", "content": content}},
    }
