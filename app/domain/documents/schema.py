"""Descriptions of the models: their fields by wire name, the types, and how lists and maps merge.

Decoding, strategic merge patch, server-side apply and the OpenAPI documents use them, so each field is declared in one
place, its model.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import msgspec
from msgspec import inspect

from app.domain.documents.wire import Wire, null


@dataclass(frozen=True, slots=True)
class ScalarType:
    """A value without parts.

    Attributes:
        names: JSON Schema names of what is accepted: `string`, `integer`, `number`, `boolean`; two for int-or-string.
        format: JSON Schema format, e.g. `date-time`, or ""; `byte` is Go's `[]byte`, in documents as base64.
        pattern: Regular expression of the one form a string is kept in, or "".
        minimum: Smallest integer that fits into Go's type.
        maximum: Largest integer that fits into it.
        words: The values of a string that has only some, for documents; rules decide.
    """

    names: tuple[str, ...]
    format: str = ""
    pattern: str = ""
    minimum: int = -(2**63)
    maximum: int = 2**63 - 1
    words: tuple[str, ...] = ()

    @property
    def is_confidential(self) -> bool:
        """Whether no message may show a value, as it may be a secret."""
        return self.format in ("byte", "password")


@dataclass(frozen=True, slots=True)
class AnyType:
    """A value of any type, which is kept as it is."""


@dataclass(frozen=True, slots=True)
class MapType:
    """An object with any keys. Server-side apply replaces an `atomic` one as a whole, and it has one owner."""

    value: "Type"
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class ListType:
    """A list and how it merges.

    Attributes:
        item: Type of the items.
        merge: `x-kubernetes-list-type`.
        keys: For `map`, the fields that tell items apart in server-side apply.
        strategic: Whether strategic merge patch merges the list instead of replacing it.
        merge_key: The field that tells items apart in strategic merge patch, "" for a list of scalars.
    """

    item: "Type"
    merge: Literal["atomic", "set", "map"] = "atomic"
    keys: tuple[str, ...] = ()
    strategic: bool = False
    merge_key: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class StructType:
    """An object with known fields.

    Attributes:
        model: The class.
        fields: By wire name.
        compound: The fields whose values are objects or lists.
        atomic: Whether the object has one owner in server-side apply, and is replaced as a whole.
    """

    model: type[Wire]
    fields: dict[str, "Field"] = field(default_factory=dict)
    compound: list["Field"] = field(default_factory=list)
    atomic: bool = False


Type = ScalarType | AnyType | MapType | ListType | StructType


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a Struct.

    Attributes:
        name: Attribute.
        wire: Name in documents.
        type: Type of its value.
        nullable: Whether its value is None where it is left out, as with Go's pointers, slices and maps.
        keeps_empty: Whether an empty list or map means something else than None.
        shows_null: Whether None is written as null instead of being left out.
        extensions: Everything the declaration adds to its JSON Schema.
    """

    name: str
    wire: str
    type: Type
    nullable: bool
    keeps_empty: bool
    shows_null: bool
    extensions: Mapping[str, Any]

    @property
    def default(self) -> Any:
        """The value that a key of a list item has where it is left out (`protocol: TCP`), or None."""
        return self.extensions.get("default")


def schema_of(model: type[Wire]) -> StructType:
    """Describe a model.

    Raises:
        TypeError: It has a field of a type that has no meaning on the wire.
    """
    return _described(model)


@cache
def _described(model: type[Wire]) -> StructType:
    described = StructType(model, atomic=model.atomic)
    info = inspect.type_info(model)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{model.__name__} is no Struct")
    for each in info.fields:
        known = described.fields[each.encode_name] = _field(each)
        if isinstance(known.type, StructType | ListType | MapType):
            described.compound.append(known)
    return described


def _field(info: inspect.Field) -> Field:
    kind, nullable, keeps_empty = info.type, False, False
    extensions: dict[str, Any] = {}
    while True:
        if isinstance(kind, inspect.Metadata):
            extensions |= kind.extra_json_schema or {}
            keeps_empty = keeps_empty or bool((kind.extra or {}).get("keeps_empty"))
            kind = kind.type
        elif isinstance(kind, inspect.UnionType) and any(isinstance(each, inspect.NoneType) for each in kind.types):
            nullable = True
            kind = _union([each for each in kind.types if not isinstance(each, inspect.NoneType)])
        else:
            of, shows_null = _type(kind, extensions), info.default_factory is null
            return Field(info.name, info.encode_name, of, nullable, keeps_empty, shows_null, extensions)


def _union(types: list[inspect.Type]) -> inspect.Type:
    return types[0] if len(types) == 1 else inspect.UnionType(tuple(types))


def _type(kind: inspect.Type, extensions: Mapping[str, Any]) -> Type:
    match kind:
        case inspect.Metadata():
            return _type(kind.type, {**extensions, **(kind.extra_json_schema or {})})
        case inspect.StructType():
            if not issubclass(kind.cls, Wire):
                raise TypeError(f"{kind.cls.__name__} is no piece of a document")
            return schema_of(kind.cls)
        case inspect.ListType():
            return _list(kind, extensions)
        case inspect.DictType():
            return MapType(_type(kind.value_type, {}), extensions.get("x-kubernetes-map-type") == "atomic")
        case inspect.AnyType():
            return AnyType()
        case _:
            return _scalar(kind, extensions)


def _list(kind: inspect.ListType, extensions: Mapping[str, Any]) -> ListType:
    return ListType(
        _type(kind.item_type, {}),
        extensions.get("x-kubernetes-list-type", "atomic"),
        tuple(extensions.get("x-kubernetes-list-map-keys", ())),
        "merge" in extensions.get("x-kubernetes-patch-strategy", ""),
        extensions.get("x-kubernetes-patch-merge-key", ""),
    )


def _scalar(kind: inspect.Type, extensions: Mapping[str, Any]) -> ScalarType:
    parts: Iterable[inspect.Type] = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    names: list[str] = []
    bounds: dict[str, Any] = {"format": extensions.get("format", ""), "words": tuple(extensions.get("enum", ()))}
    for part in parts:
        plain = part.type if isinstance(part, inspect.Metadata) else part
        match plain:
            case inspect.StrType():
                names.append("string")
                bounds["pattern"] = plain.pattern or ""
            case inspect.BytesType():
                names.append("string")
                bounds["format"] = "byte"
            case inspect.IntType():
                names.append("integer")
                limits = (("minimum", plain.ge), ("maximum", plain.le))
                bounds |= {name: limit for name, limit in limits if limit is not None}
            case inspect.FloatType():
                names.append("number")
            case inspect.BoolType():
                names.append("boolean")
            case _:
                raise TypeError(f"{plain} has no meaning on the wire")
    return ScalarType(tuple(sorted(names)), **bounds)


def zero(of: Type) -> Any:
    """Go's zero value of a type, which JSON `null` becomes inside a list or map."""
    match of:
        case ScalarType(format="byte"):
            return b""
        case ScalarType(names=names):
            return {"boolean": False, "integer": 0, "number": 0.0}.get(names[0], "")
        case StructType(model=model):
            return model()
        case ListType():
            return []
        case MapType():
            return {}
        case AnyType():
            return None


def encode_canonical(document: Any) -> bytes:
    """The bytes of a document with sorted keys, for comparing and for keys of sets."""
    return msgspec.json.encode(document, order="sorted")
