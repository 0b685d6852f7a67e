"""Message classes of the `protobuf` library for the models, described at run time.

The models already say which fields there are and of what type; only the field numbers are added. A `.proto` file
beside them would say the same a second time, and would have to be kept in step.
"""

from collections.abc import Iterable
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from app.api.model_names import ModelNames
from app.api.protobuf.field_numbers import field_numbers
from app.domain.kinds.meta import Wire
from app.domain.schema import AnyType, ListType, MapType, ScalarType, StructType, Type, schema_of

UNKNOWN = "Unknown"
_TIME, _INT_OR_STRING, _QUANTITY, _RAW, _TYPE_META = "Time", "IntOrString", "Quantity", "Raw", "TypeMeta"
_Field = FieldDescriptorProto
_SCALARS = {"string": _Field.TYPE_STRING, "integer": _Field.TYPE_INT64, "boolean": _Field.TYPE_BOOL}
_BUILT_IN: dict[str, tuple[tuple[str, int, Any], ...]] = {
    _TIME: (("seconds", 1, _Field.TYPE_INT64), ("nanos", 2, _Field.TYPE_INT64)),
    _INT_OR_STRING: (
        ("type", 1, _Field.TYPE_INT64),
        ("intVal", 2, _Field.TYPE_INT64),
        ("strVal", 3, _Field.TYPE_STRING),
    ),
    _QUANTITY: (("string", 1, _Field.TYPE_STRING),),
    _RAW: (("raw", 1, _Field.TYPE_BYTES),),
    _TYPE_META: (("apiVersion", 1, _Field.TYPE_STRING), ("kind", 2, _Field.TYPE_STRING)),
    UNKNOWN: (("typeMeta", 1, _TYPE_META), ("raw", 2, _Field.TYPE_BYTES)),
}
"""Messages that no model stands for: metav1.Time, intstr.IntOrString, resource.Quantity, metav1.FieldsV1, and the
envelope (runtime.TypeMeta, runtime.Unknown)."""


class Messages:
    """The message classes of models and of what they are made of.

    Args:
        models: Each with its package.
        names: What the models are called.
    """

    def __init__(self, models: Iterable[tuple[type[Wire], str]], names: ModelNames) -> None:
        self._names = names
        self._file = FileDescriptorProto(name="models.proto", syntax="proto2")
        self._described: set[str] = set()
        for name, fields in _BUILT_IN.items():
            message = self._file.message_type.add(name=name)
            message.field.extend(_simple(*field) for field in fields)
        for model, package in models:
            self._describe(schema_of(model), package)
        self._pool = DescriptorPool()
        self._pool.Add(self._file)

    def built_in(self, name: str) -> type[Message]:
        """The class of a message that no model stands for."""
        return GetMessageClass(self._pool.FindMessageTypeByName(name))

    def of(self, model: type[Wire], package: str) -> type[Message] | None:
        """The class for a model, None when nothing is known of its message."""
        name = self._names.name(model, package)
        return self.built_in(_flat(name)) if name in self._described else None

    def _describe(self, struct: StructType, package: str) -> str:
        """Add the message of a model, unless it is there; answers the name of its type."""
        name = self._names.name(struct.model, package)
        numbers = field_numbers(name)
        if numbers is not None and name not in self._described:
            self._described.add(name)
            message = DescriptorProto(name=_flat(name))
            for wire, mark in numbers.items():
                field = self._field(message, struct.fields[wire].type, wire, mark, package)
                field.name, field.number = wire, int(mark.removesuffix("!"))
                message.field.append(field)
            self._file.message_type.append(message)
        return _flat(name)

    def _field(self, message: DescriptorProto, of: Type, wire: str, mark: str, package: str) -> FieldDescriptorProto:
        if isinstance(of, ListType):
            return _repeated(self._value(of.item, package))
        if isinstance(of, MapType) and not isinstance(of.value, AnyType):
            value = _message(_QUANTITY) if mark.endswith("!") else self._field(message, of.value, wire, mark, package)
            return _map(message, wire, value)
        return self._value(of, package)

    def _value(self, of: Type, package: str) -> FieldDescriptorProto:
        if isinstance(of, StructType):
            return _message(self._describe(of, package))
        if not isinstance(of, ScalarType):
            return _message(_RAW)
        if len(of.names) > 1:
            return _message(_INT_OR_STRING)
        return _message(_TIME) if of.format == "date-time" else _Field(type=_SCALARS[of.names[0]])


def _flat(name: str) -> str:
    return name.replace(".", "_")


def _simple(name: str, number: int, of: Any) -> FieldDescriptorProto:
    field = _message(of) if isinstance(of, str) else _Field(type=of)
    field.name, field.number = name, number
    return field


def _message(name: str) -> FieldDescriptorProto:
    return _Field(type=_Field.TYPE_MESSAGE, type_name=f".{name}", label=_Field.LABEL_OPTIONAL)


def _repeated(field: FieldDescriptorProto) -> FieldDescriptorProto:
    field.label = _Field.LABEL_REPEATED
    return field


def _map(message: DescriptorProto, wire: str, value: FieldDescriptorProto) -> FieldDescriptorProto:
    """A map field: a repeated message of key and value that the library knows by its option."""
    entry = message.nested_type.add(name=f"{wire[0].upper()}{wire[1:]}Entry")
    entry.options.map_entry = True
    value.name, value.number, value.label = "value", 2, _Field.LABEL_OPTIONAL
    entry.field.extend([_simple("key", 1, _Field.TYPE_STRING), value])
    return _repeated(_message(f"{message.name}.{entry.name}"))
