"""`/openapi/v3`: a document for each group and version (KEP-2896), which kubectl explains and validates with."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.api.openapi.content import Document, request_body, success
from app.api.openapi.operations import Operation, group_version_kind, operations, paths, tag
from app.api.openapi.parameters import Parameter
from app.domain.declarations.kind import Kind


def group_document(kinds: Iterable[Kind[Any]], schemas: Mapping[str, Document], version: str) -> Document:
    """OpenAPI 3.0 of the kinds of one group and version.

    Each operation has its parameters, not references to them: kubectl looks for `fieldValidation` and follows none.

    Args:
        kinds: The kinds of the group and version.
        schemas: The schemas that the kinds use, by Kubernetes' names.
        version: The version of this project.
    """
    return {
        "openapi": "3.0.0",
        "info": {"title": "Fairlead", "version": version},
        "paths": paths(operations(kinds), _operation),
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _operation(operation: Operation) -> Document:
    document: Document = {
        "tags": [tag(operation.kind)],
        "description": operation.summary,
        "operationId": operation.operation_id,
        "parameters": [_parameter(each) for each in operation.parameters],
        "responses": {
            **{str(code): success(operation, code) for code in operation.codes},
            "401": {"description": "Unauthorized"},
        },
        "x-kubernetes-action": operation.action,
        "x-kubernetes-group-version-kind": group_version_kind(operation.carried),
    }
    return document | ({"requestBody": request_body(operation)} if operation.body else {})


def _parameter(parameter: Parameter) -> Document:
    document: Document = {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.description,
        "schema": parameter.schema,
    }
    return document | ({"required": True} if parameter.where == "path" else {})
