"""`/openapi.json`: OpenAPI 3.1 of the whole API, to read and to generate SDKs from."""

from collections.abc import Iterable, Iterator, Mapping

from app.api.access.authorization import is_public
from app.api.headers import JSON
from app.api.model_names import STATUS
from app.api.openapi.content import PATCH, Document, reference, request_body, success
from app.api.openapi.examples import body_example, example_of, path_example
from app.api.openapi.operations import Operation, group_version_kind, operations, paths
from app.api.openapi.parameters import Parameter
from app.api.openapi.patch_bodies import PATCH_SCHEMAS, patch_bodies
from app.api.openapi.plain import BULK_SCHEMAS, plain_paths
from app.api.openapi.sdk_schemas import for_sdks
from app.api.openapi.sections import section, sections
from app.domain.declarations.catalog import Kinds
from app.domain.patching.prepared import APPLY_PATCH

_MEDIA_TYPES = (JSON,)
"""YAML says the same; leaving it out keeps generated clients simple."""
_ERRORS = {
    "400": "The request cannot be understood.",
    "401": "No valid token.",
    "403": "Refused.",
    "404": "There is no such object, namespace or path.",
    "405": "The resource does not offer this method.",
    "406": "None of the media types in Accept can be served.",
    "409": "The name is taken, or the object was changed by somebody else.",
    "410": "The revision or continue token is too old.",
    "413": "The body is too large.",
    "415": "The body's media type is not accepted.",
    "422": "The object breaks rules; details.causes names the fields.",
    "429": "Too many requests; Retry-After says when to try again.",
    "500": "A defect of the server; its log says more.",
    "503": "The database cannot be reached; nothing was stored.",
    "504": "No answer in time; the outcome of a write is unknown.",
}


def complete_document(kinds: Kinds, schemas: Mapping[str, Document], version: str, *, tokens: bool) -> Document:
    """The whole document.

    Args:
        kinds: The kinds that are served.
        schemas: The schemas by Kubernetes' names.
        version: The version of this project.
        tokens: Whether requests must carry a bearer token.
    """
    listed = list(operations(kinds))
    described = plain_paths(kinds) | paths(listed, _operation)
    components = _components(listed, schemas)
    document: Document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Fairlead",
            "version": version,
            "summary": "The Service half of Kubernetes as a control plane of its own.",
            "description": "Wherever a body may be application/json, it may be application/yaml, too, and answers are "
            "written as either. Patches may also be JSON patches (RFC 6902), application/json-patch+json.",
        },
        "servers": [{"url": "/"}],
        "tags": sections(kinds),
        "paths": dict(sorted(described.items())),
        "components": components,
    }
    if tokens:
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"bearer": []}]
        for path in filter(is_public, described):
            described[path]["get"]["security"] = []
    return document


def _components(listed: list[Operation], schemas: Mapping[str, Document]) -> Document:
    all_schemas = {**schemas, **PATCH_SCHEMAS, **BULK_SCHEMAS, **_enumerations(listed)}
    return {
        "parameters": {each.name: _parameter(each) for each in _used_parameters(listed) if each.where != "path"},
        "responses": {f"Error{code}": _error(text) for code, text in _ERRORS.items()},
        "schemas": for_sdks({name: schema for name, schema in sorted(all_schemas.items()) if name != PATCH}),
    }


def _used_parameters(listed: Iterable[Operation]) -> Iterator[Parameter]:
    yield from {id(each): each for operation in listed for each in operation.parameters}.values()


def _parameter(parameter: Parameter) -> Document:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        "required": parameter.where == "path",
        "schema": reference(_enumeration(parameter)) if "enum" in parameter.schema else parameter.schema,
    }


def _enumerations(listed: Iterable[Operation]) -> dict[str, Document]:
    """Parameters' fixed values as schemas of their own: generated clients have one type for each then."""
    return {_enumeration(each): each.schema for each in _used_parameters(listed) if "enum" in each.schema}


def _enumeration(parameter: Parameter) -> str:
    return parameter.name[0].upper() + parameter.name[1:]


def _operation(operation: Operation) -> Document:
    document: Document = {
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "description": operation.description,
        "tags": [section(operation.kind)],
        "x-kubernetes-action": operation.action,
        "x-kubernetes-group-version-kind": group_version_kind(operation.carried),
        "parameters": [_parameter_of(operation, each) for each in operation.parameters],
        "responses": {
            **{str(code): success(operation, code, _MEDIA_TYPES) for code in operation.codes},
            **{code: {"$ref": f"#/components/responses/Error{code}"} for code in _ERRORS},
        },
    }
    if operation.body == "patch":
        document["requestBody"] = {"required": True, "content": patch_bodies(operation.carried.schema)}
    elif operation.body:
        document["requestBody"] = request_body(operation, _MEDIA_TYPES)
    _add_examples(document, operation)
    if operation.kind.deprecation:
        document["deprecated"] = True
    return document


def _parameter_of(operation: Operation, parameter: Parameter) -> Document:
    """A parameter of one operation. Those of paths have examples of their own."""
    if parameter.where != "path":
        return {"$ref": f"#/components/parameters/{parameter.name}"}
    return _parameter(parameter) | {"example": path_example(operation, parameter.name)}


def _add_examples(document: Document, operation: Operation) -> None:
    """Add an example to each body: a patch of fields, and the whole object for what takes objects."""
    for media_type, content in document.get("requestBody", {}).get("content", {}).items():
        example = example_of(operation.carried) if media_type == APPLY_PATCH else body_example(operation)
        if example is not None:
            content["example"] = example


def _error(text: str) -> Document:
    return {"description": text, "content": {JSON: {"schema": reference(STATUS)}}}
