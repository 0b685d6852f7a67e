"""Bodies of requests and answers, as both OpenAPI 3 documents describe them."""

from typing import Any

from app.api.headers import JSON, YAML
from app.api.model_names import DELETE_OPTIONS, META, STATUS
from app.api.openapi.operations import Operation
from app.domain.patching.prepared import MEDIA_TYPES

Document = dict[str, Any]

WATCH_EVENT = f"{META}.WatchEvent"
PATCH = f"{META}.Patch"

_CODES = {200: "OK", 201: "Created", 202: "Accepted: the object stays until its finalizers are removed"}


def reference(name: str) -> Document:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def result_schema(operation: Operation) -> str:
    """Name of the schema of a successful answer."""
    match operation.result:
        case "status":
            return STATUS
        case "list":
            return f"{operation.carried.schema}List"
        case "object":
            return operation.carried.schema


def request_body(operation: Operation, media_types: tuple[str, ...] = (JSON, YAML)) -> Document:
    """The request body of an operation that has one."""
    match operation.body:
        case "patch":
            return {"required": True, "content": {media: {"schema": reference(PATCH)} for media in MEDIA_TYPES}}
        case "delete options":
            return {"content": {media: {"schema": reference(DELETE_OPTIONS)} for media in media_types}}
        case _:
            schema = reference(operation.carried.schema)
            return {"required": True, "content": {media: {"schema": schema} for media in media_types}}


def success(operation: Operation, code: int, media_types: tuple[str, ...] = (JSON, YAML)) -> Document:
    """The answer to a request that succeeded.

    The stream of a watch is described at the parameter `watch`. Described here, as a second content of the answer, it
    would give every list of a generated client one of two types.
    """
    content = {media: {"schema": reference(result_schema(operation))} for media in media_types}
    return {"description": _CODES[code], "content": content}
