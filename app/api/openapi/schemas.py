"""The schemas of the models by Kubernetes' names, in a form that is valid in OpenAPI 3.0 and 3.1."""

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any

from app.api.meta_models import DeleteOptionsBody, ListMeta, Status
from app.api.model_names import INT_OR_STRING, META, ModelNames, package_of
from app.api.openapi.content import PATCH, WATCH_EVENT, Document, reference
from app.api.openapi.operations import group_version_kind
from app.domain.declarations.kind import Kind, with_carried
from app.domain.documents.schema import AnyType, Field, ListType, MapType, ScalarType, StructType, Type, schema_of
from app.domain.documents.wire import Wire

_LARGEST_INT32 = 2**31 - 1


class Schemas:
    """The schemas of kinds, of the models in them, and of the models that all operations use.

    Attributes:
        collected: The schemas by their names.
    """

    def __init__(self, kinds: Iterable[Kind[Any]]) -> None:
        kinds = tuple(with_carried(kinds))
        self.collected: dict[str, Document] = {}
        self._names = ModelNames(kinds)
        for kind in kinds:
            self._add_kind(kind)
        for model in (DeleteOptionsBody, Status):
            self._struct(schema_of(model), META)
        self.collected[PATCH] = _PATCH
        self.collected[WATCH_EVENT] = _WATCH_EVENT

    def _add_kind(self, kind: Kind[Any]) -> None:
        package = package_of(kind)
        identity = group_version_kind(kind)
        model: type[Wire] = kind.model
        self._struct(schema_of(model), package, kind.schema)
        self.collected[kind.schema]["x-kubernetes-group-version-kind"] = [identity]
        if "list" in kind.verbs:
            self._struct(schema_of(ListMeta), META)
            self.collected[f"{kind.schema}List"] = _list_of(kind, identity)

    def _struct(self, struct: StructType, package: str, name: str = "") -> Document:
        """Add the schema of a model, unless it is there; gives a reference to it."""
        name = name or self._names.name(struct.model, package)
        if name not in self.collected:
            described = self.collected[name] = {"type": "object", "description": summary_of(struct.model)}
            texts = dict(_attributes(struct.model))
            described["properties"] = {
                wire: self._property(field, package, texts.get(field.name, "")) for wire, field in struct.fields.items()
            }
            if required := [wire for wire, field in struct.fields.items() if field.name in struct.model.required]:
                described["required"] = required
            if struct.atomic:
                described["x-kubernetes-map-type"] = "atomic"
        return reference(name)

    def _property(self, field: Field, package: str, text: str) -> Document:
        schema = self._type(field.type, package)
        beside = {key: value for key, value in field.extensions.items() if key not in ("enum", "pattern")}
        if isinstance(field.type, StructType):
            text = text or summary_of(field.type.model)
        if text:
            beside["description"] = text
        if field.shows_null:
            beside["nullable"] = True
        if "$ref" in schema and beside:
            return {"allOf": [schema], **beside}
        return {**schema, **beside}

    def _type(self, of: Type, package: str) -> Document:
        match of:
            case StructType():
                return self._struct(of, package)
            case ListType():
                return {"type": "array", "items": self._type(of.item, package)}
            case MapType():
                return {"type": "object", "additionalProperties": self._type(of.value, package)}
            case ScalarType() if len(of.names) > 1:
                self.collected[INT_OR_STRING] = _INT_OR_STRING
                return reference(INT_OR_STRING)
            case ScalarType():
                return _scalar(of)
            case AnyType():
                return {}


def _scalar(of: ScalarType) -> Document:
    schema: Document = {"type": of.names[0]}
    if schema["type"] == "integer":
        schema["format"] = "int32" if of.maximum <= _LARGEST_INT32 else "int64"
    schema |= {"enum": list(of.words)} if of.words else {}
    return schema | ({"format": of.format} if of.format else {})


def _list_of(kind: Kind[Any], identity: Document) -> Document:
    return {
        "type": "object",
        "description": f"A list of {kind.name} objects.",
        "required": ["items"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"{kind.api_version}."},
            "kind": {"type": "string", "description": f"{kind.name}List."},
            "metadata": {"allOf": [reference(f"{META}.ListMeta")], "description": summary_of(ListMeta)},
            "items": {"type": "array", "items": reference(kind.schema), "description": "The objects, by name."},
        },
        "x-kubernetes-group-version-kind": [{**identity, "kind": f"{kind.name}List"}],
    }


def summary_of(model: type[Wire]) -> str:
    """The docstring of a model up to its first section."""
    text = inspect.cleandoc(model.__doc__ or "")
    return re.split(r"\n\n(?=Attributes:)", text)[0].replace("\n", " ")


def _attributes(model: type[Wire]) -> Iterator[tuple[str, str]]:
    """The names and texts below `Attributes:` in the docstrings of a model and its bases, the bases first."""
    for each in reversed(model.__mro__):
        _, _, section = inspect.cleandoc(each.__doc__ or "").partition("Attributes:\n")
        for match in re.finditer(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", section, re.MULTILINE):
            yield match[1], re.sub(r"\n +", " ", match[2])


_INT_OR_STRING: Document = {
    "description": "A number, or a name that stands for one.",
    "oneOf": [{"type": "integer"}, {"type": "string"}],
    "format": "int-or-string",
    "x-kubernetes-int-or-string": True,
}
_PATCH: Document = {"type": "object", "description": "The changes, in the form that the media type says."}
_WATCH_EVENT: Document = {
    "type": "object",
    "description": "One line of a watch: what happened to an object, and the object afterwards (a Status for ERROR).",
    "required": ["type", "object"],
    "properties": {
        "type": {
            "type": "string",
            "enum": ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"],
            "description": "What happened.",
        },
        "object": {
            "type": "object",
            "additionalProperties": True,
            "description": "The object; a bookmark has only its resourceVersion.",
        },
    },
}
