"""Checks the configuration that a client sends to server-side apply."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.documents.paths import MAX_PROBLEMS, Path, path_text
from app.domain.documents.schema import AnyType, ListType, MapType, ScalarType, StructType, Type, schema_of
from app.domain.documents.typed_documents import json_type, shown_as
from app.domain.errors import BadRequest, Invalid, invalid, shortened
from app.domain.patching.typed_values import NoElement, is_granular_list, item_element


def check_config(kind: Kind[Any], config: Any) -> dict[str, Any]:
    """Check that an applied configuration fits the kind.

    A field that the kind does not have is always an error, whatever `fieldValidation` says.

    Raises:
        BadRequest: It is of another kind or version, or has managedFields.
        Invalid: The kind does not have a field, a value has the wrong type, or a list item lacks its keys.
    """
    if not isinstance(config, dict):
        raise BadRequest("an applied configuration must be an object")
    if config.get("apiVersion") != kind.api_version or config.get("kind") != kind.name:
        raise BadRequest(
            f"an applied configuration must have apiVersion {kind.api_version} and kind {kind.name}, "
            f"not {shortened(str(config.get('apiVersion')))} and {shortened(str(config.get('kind')))}"
        )
    metadata = config.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise BadRequest(
            "metadata.managedFields must be nil in an applied configuration: leave it out; the server keeps it"
        )
    problems = list(islice(_problems(schema_of(kind.model), config, None), MAX_PROBLEMS))
    if problems:
        text = "; ".join(problems)
        raise Invalid(f"failed to create typed patch object: {text}", causes=[invalid("patch", "", text)])
    return config


def _problems(of: Type, value: Any, path: Path) -> Iterator[str]:
    match of:
        case _ if value is None or isinstance(of, AnyType):
            return
        case ScalarType(names=names):
            if json_type(value) not in names:
                yield f"{path_text(path)} must be {' or '.join(names)}, not {shown_as(of, value)}"
        case ListType():
            if isinstance(value, list):
                yield from _list_problems(of, value, path)
            else:
                yield f"{path_text(path)} must be a list"
        case StructType() | MapType():
            if isinstance(value, dict):
                yield from _map_problems(of, value, path)
            else:
                yield f"{path_text(path)} must be an object"


def _map_problems(of: StructType | MapType, value: dict[str, Any], path: Path) -> Iterator[str]:
    for name, part in value.items():
        if isinstance(of, MapType):
            yield from _problems(of.value, part, (path, name))
        elif name in of.fields:
            yield from _problems(of.fields[name].type, part, (path, name))
        else:
            yield f".{path_text((path, name))}: field not declared in schema"


def _list_problems(of: ListType, value: list[Any], path: Path) -> Iterator[str]:
    seen: set[str] = set()
    for index, part in enumerate(value):
        at: Path = (path, index)
        if is_granular_list(of):
            try:
                element = item_element(of, part)
            except NoElement as error:
                yield f"{path_text(at)}: {error}"
                continue
            if element in seen:
                yield f"{path_text(at)}: an item with the same {' and '.join(of.keys) or 'value'} comes before it"
            seen.add(element)
        yield from _problems(of.item, part, at)
