"""`/openapi/v2`: Swagger 2.0 of the whole API, for older clients."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.api.headers import JSON, YAML
from app.api.model_names import DELETE_OPTIONS
from app.api.openapi.content import PATCH, Document, result_schema
from app.api.openapi.operations import Operation, group_version_kind, operations, paths, tag
from app.api.openapi.parameters import Parameter
from app.domain.declarations.kind import Kind
from app.domain.patching.prepared import MEDIA_TYPES

_PREFIX = "#/components/schemas/"
_UNKNOWN_TO_V2 = ("oneOf", "anyOf", "nullable", "enum")
"""Swagger knows `enum`, but kubectl's older versions check bodies against it before they send them."""


def swagger_document(kinds: Iterable[Kind[Any]], schemas: Mapping[str, Document], version: str) -> Document:
    """The whole document.

    Args:
        kinds: The kinds that are served.
        schemas: Schemas of OpenAPI 3.0 by Kubernetes' names.
        version: The version of this project.
    """
    return {
        "swagger": "2.0",
        "info": {"title": "Fairlead", "version": version},
        "paths": paths(operations(kinds), _operation),
        "definitions": {name: as_v2(schema) for name, schema in sorted(schemas.items())},
    }


def as_v2(schema: Any) -> Any:
    """A schema of OpenAPI 3.0 in Swagger 2.0.

    References have another prefix, a reference in `allOf` stands alone, and there are no alternatives. A description
    stays beside its reference, as in Kubernetes' own document.
    """
    if isinstance(schema, list):
        return [as_v2(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "allOf" in schema and len(schema["allOf"]) == 1:
        beside = {key: value for key, value in schema.items() if key != "allOf"}
        return as_v2(schema["allOf"][0]) | as_v2(beside)
    if "$ref" in schema:
        return {"$ref": "#/definitions/" + schema["$ref"].removeprefix(_PREFIX)}
    if schema.get("format") == "int-or-string":
        return {key: as_v2(value) for key, value in schema.items() if key not in _UNKNOWN_TO_V2} | {"type": "string"}
    return {key: as_v2(value) for key, value in schema.items() if key not in _UNKNOWN_TO_V2}


def _operation(operation: Operation) -> Document:
    result = {"$ref": f"#/definitions/{result_schema(operation)}"}
    return {
        "tags": [tag(operation.kind)],
        "description": operation.summary,
        "operationId": operation.operation_id,
        "consumes": list(MEDIA_TYPES) if operation.body == "patch" else [JSON, YAML],
        "produces": [JSON, YAML],
        "parameters": [*_body(operation), *(_parameter(each) for each in operation.parameters)],
        "responses": {
            **{str(code): {"description": "OK", "schema": result} for code in operation.codes},
            "401": {"description": "Unauthorized"},
        },
        "x-kubernetes-action": operation.action,
        "x-kubernetes-group-version-kind": group_version_kind(operation.carried),
    }


def _body(operation: Operation) -> list[Document]:
    if not operation.body:
        return []
    name = {"patch": PATCH, "delete options": DELETE_OPTIONS}.get(operation.body, operation.carried.schema)
    schema = {"$ref": f"#/definitions/{name}"}
    return [{"name": "body", "in": "body", "required": operation.body != "delete options", "schema": schema}]


def _parameter(parameter: Parameter) -> Document:
    described = {"name": parameter.name, "in": parameter.where, "description": parameter.description}
    return {**described, "required": parameter.where == "path", **parameter.schema}
