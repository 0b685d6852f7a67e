"""What a client may send to server-side apply."""

from collections.abc import Iterator
from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.documents.schema import AnyType, ListType, MapType, ScalarType, StructType, Type, schema_of
from app.domain.documents.typed_documents import json_type, shown_as
from app.domain.errors import BadRequest, Invalid, invalid
from app.domain.patching.typed_values import NoElement, is_granular_list, item_element


def check_config(kind: Kind[Any], config: Any) -> dict[str, Any]:
    """Check an applied configuration against the kind.

    Unlike with the other verbs, a field that the kind does not have is an error whatever `fieldValidation` says.

    Raises:
        BadRequest: It is of another kind or version, or has managedFields.
        Invalid: A field is not the kind's or has the wrong form, or a list item cannot be told apart.
    """
    if not isinstance(config, dict):
        raise BadRequest("an applied configuration must be an object")
    if config.get("apiVersion") != kind.api_version or config.get("kind") != kind.name:
        raise BadRequest(
            f"an applied configuration must say what it is: apiVersion {kind.api_version} and kind {kind.name}, "
            f"not {config.get('apiVersion')} and {config.get('kind')}"
        )
    metadata = config.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise BadRequest("metadata.managedFields must not be in an applied configuration; the server keeps it")
    problems = list(_problems(schema_of(kind.model), config, ""))
    if problems:
        text = "; ".join(problems)
        raise Invalid(f"the applied configuration is invalid: {text}", causes=[invalid("patch", "", text)])
    return config


def _problems(of: Type, value: Any, path: str) -> Iterator[str]:
    match of:
        case _ if value is None or isinstance(of, AnyType):
            return
        case ScalarType(names=names):
            if json_type(value) not in names:
                yield f"{path} must be {' or '.join(names)}, not {shown_as(of, value)}"
        case ListType():
            yield from _list_problems(of, value, path) if isinstance(value, list) else [f"{path} must be a list"]
        case StructType() | MapType():
            yield from _map_problems(of, value, path) if isinstance(value, dict) else [f"{path} must be an object"]


def _map_problems(of: StructType | MapType, value: dict[str, Any], path: str) -> Iterator[str]:
    for name, part in value.items():
        at = f"{path}.{name}" if path else name
        if isinstance(of, MapType):
            yield from _problems(of.value, part, at)
        elif name in of.fields:
            yield from _problems(of.fields[name].type, part, at)
        else:
            yield f'unknown field "{at}"'


def _list_problems(of: ListType, value: list[Any], path: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, part in enumerate(value):
        at = f"{path}[{index}]"
        if is_granular_list(of):
            try:
                element = item_element(of, part)
            except NoElement as error:
                yield f"{at}: {error}"
                continue
            if element in seen:
                yield f"{at}: an item with the same {' and '.join(of.keys) or 'value'} comes before it"
            seen.add(element)
        yield from _problems(of.item, part, at)
