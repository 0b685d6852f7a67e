"""Bodies of requests and answers, as both OpenAPI 3 documents describe them."""

from typing import Any

from app.api.bodies import JSON_TYPE, YAML_TYPE
from app.api.openapi.operations import Operation

Document = dict[str, Any]

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
STATUS = f"{META}.Status"
DELETE_OPTIONS = f"{META}.DeleteOptions"
WATCH_EVENT = f"{META}.WatchEvent"
PATCH = f"{META}.Patch"

STREAM_TYPE = "application/json;stream=watch"
JSON_PATCH_TYPE = "application/json-patch+json"
MERGE_PATCH_TYPE = "application/merge-patch+json"
STRATEGIC_PATCH_TYPE = "application/strategic-merge-patch+json"
APPLY_TYPE = "application/apply-patch+yaml"
PATCH_TYPES = (JSON_PATCH_TYPE, MERGE_PATCH_TYPE, STRATEGIC_PATCH_TYPE, APPLY_TYPE)

_CODES = {200: "OK", 201: "Created"}


def reference(name: str) -> Document:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def result_schema(operation: Operation) -> str:
    """Name of the schema of a successful answer."""
    match operation.result:
        case "status":
            return STATUS
        case "list":
            return f"{operation.kind.schema}List"
        case "object":
            return operation.kind.schema


def request_body(operation: Operation) -> Document:
    """The body of a request, for an operation that has one."""
    match operation.body:
        case "patch":
            content = {media: {"schema": reference(PATCH)} for media in PATCH_TYPES}
            return {"required": True, "content": content}
        case "delete options":
            return {"content": {media: {"schema": reference(DELETE_OPTIONS)} for media in (JSON_TYPE, YAML_TYPE)}}
        case _:
            schema = reference(operation.kind.schema)
            return {"required": True, "content": {media: {"schema": schema} for media in (JSON_TYPE, YAML_TYPE)}}


def success(operation: Operation, code: int) -> Document:
    """The answer to a request that succeeded."""
    schema = {"schema": reference(result_schema(operation))}
    content: dict[str, Document] = {JSON_TYPE: schema, YAML_TYPE: schema}
    if operation.action == "list":
        content[STREAM_TYPE] = {"schema": reference(WATCH_EVENT)}
    return {"description": _CODES[code], "content": content}
