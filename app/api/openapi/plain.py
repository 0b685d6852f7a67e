"""The operations that are about no kind: discovery, version, health."""

from app.api.media_types import JSON
from app.api.openapi.content import Document
from app.domain.kinds.catalog import Kinds

_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_OBJECT = {JSON: {"schema": {"type": "object", "additionalProperties": True}}}
_CHECKS = ("healthz", "livez", "readyz")


def plain_paths(kinds: Kinds) -> dict[str, Document]:
    """Their paths, for `/openapi.json`."""
    paths = {
        "/api": _discovery("getCoreAPIVersions", "Versions of the core group"),
        "/apis": _discovery("getAPIVersions", "The API groups"),
        "/version": {"get": _get("getCodeVersion", "Version of the API that is served", "version", _OBJECT)},
        "/metrics": {"get": _get("getMetrics", "Measurements, as Prometheus reads them", "health", _TEXT)},
    }
    for group in kinds.groups():
        name = (group.name.partition(".")[0] or "core").capitalize()
        if group.name:
            paths[f"/apis/{group.name}"] = _discovery(f"get{name}APIGroup", f"The group {group.name}")
        for version in group.versions:
            path = f"/apis/{group.name}/{version}" if group.name else f"/api/{version}"
            paths[path] = _discovery(f"get{name}{version.capitalize()}APIResources", f"What {path} serves")
    for check in _CHECKS:
        described = _get(f"get{check.capitalize()}", "Whether the process is well", "health", _TEXT)
        described["responses"]["503"] = {"description": "It is not.", "content": _TEXT}
        paths[f"/{check}"] = {"get": described}
    return paths


def _discovery(operation_id: str, summary: str) -> Document:
    return {"get": _get(operation_id, summary, "discovery", _OBJECT)}


def _get(operation_id: str, summary: str, tag: str, content: Document) -> Document:
    return {
        "operationId": operation_id,
        "summary": summary,
        "tags": [tag],
        "responses": {"200": {"description": "OK", "content": content}},
    }
