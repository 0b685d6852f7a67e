"""The messages of the models, described at run time.

The models say which fields there are and of what type; only the field numbers are added. A `.proto` file would say the
same a second time.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto

from app.api.model_names import ModelNames
from app.api.protobuf.descriptors import MessageClasses, described_field, described_file
from app.api.protobuf.field_numbers import FieldNumber, field_numbers
from app.domain.documents.schema import AnyType, ListType, MapType, ScalarType, StructType, Type, schema_of
from app.domain.documents.wire import Wire

UNKNOWN = "Unknown"
_PACKAGE = "kubernetes"
_TIME, _INT_OR_STRING, _QUANTITY, _RAW = "Time", "IntOrString", "Quantity", "Raw"
_SCALARS = {"string": "string", "integer": "int64", "boolean": "bool"}
_BUILT_IN = {
    _TIME: "seconds=1:int64 nanos=2:int64",
    _INT_OR_STRING: "type=1:int64 intVal=2:int64 strVal=3:string",
    _QUANTITY: "string=1:string",
    _RAW: "raw=1:bytes",
    "TypeMeta": "apiVersion=1:string kind=2:string",
    UNKNOWN: "typeMeta=1:TypeMeta raw=2:bytes",
}
"""Messages that no model stands for: metav1.Time, intstr.IntOrString, resource.Quantity, metav1.FieldsV1, and the
envelope (runtime.TypeMeta, runtime.Unknown)."""


class Messages:
    """The message classes of models and of what they are made of.

    Args:
        models: The models with their packages.
        names: Gives the names of the models.
    """

    def __init__(self, models: Iterable[tuple[type[Wire], str]], names: ModelNames) -> None:
        self._names = names
        self._file = described_file(_PACKAGE, _BUILT_IN)
        self._numbers: dict[str, Mapping[str, FieldNumber]] = {}
        for model, package in models:
            self._describe(schema_of(model), package)
        self._classes = MessageClasses(self._file)
        self.envelope = self._classes[UNKNOWN]

    def of(self, model: type[Wire], package: str) -> Any | None:
        """The class of a model's message, None if its field numbers are not known."""
        name = self._names.name(model, package)
        return self._classes[_flat(name)] if _flat(name) in self._numbers else None

    def numbers_of(self, message: Any) -> Mapping[str, FieldNumber]:
        """The field numbers of a message."""
        return self._numbers[message.DESCRIPTOR.name]

    def _describe(self, struct: StructType, package: str) -> str:
        """Add the message of a model, unless it is there; gives the name of the message."""
        full_name = self._names.name(struct.model, package)
        numbers, name = field_numbers(full_name), _flat(full_name)
        if numbers is not None and name not in self._numbers:
            self._numbers[name] = numbers
            message = DescriptorProto(name=name)
            for wire, known in numbers.items():
                of, place = struct.fields[wire].type, (wire, known.number)
                message.field.append(self._field(message, of, place, package, quantities=known.quantities))
            self._file.message_type.append(message)
        return name

    def _field(
        self, message: DescriptorProto, of: Type, place: tuple[str, int], package: str, *, quantities: bool = False
    ) -> FieldDescriptorProto:
        if isinstance(of, ListType):
            return described_field(_PACKAGE, *place, self._value(of.item, package) + "*")
        if isinstance(of, MapType) and not isinstance(of.value, AnyType):
            value = self._field(message, of.value, ("value", 2), package)
            return _map(message, place, described_field(_PACKAGE, "value", 2, _QUANTITY) if quantities else value)
        return described_field(_PACKAGE, *place, self._value(of, package))

    def _value(self, of: Type, package: str) -> str:
        if isinstance(of, StructType):
            return self._describe(of, package)
        if not isinstance(of, ScalarType):
            return _RAW
        if len(of.names) > 1:
            return _INT_OR_STRING
        return {"date-time": _TIME, "byte": "bytes"}.get(of.format) or _SCALARS[of.names[0]]


def _flat(name: str) -> str:
    return name.replace(".", "_")


def _map(message: DescriptorProto, place: tuple[str, int], value: FieldDescriptorProto) -> FieldDescriptorProto:
    """A map field: a repeated message of key and value that the library knows by its option."""
    wire, number = place
    entry = message.nested_type.add(name=f"{wire[0].upper()}{wire[1:]}Entry")
    entry.options.map_entry = True
    entry.field.extend([described_field(_PACKAGE, "key", 1, "string"), value])
    return described_field(_PACKAGE, wire, number, f"{message.name}.{entry.name}*")
