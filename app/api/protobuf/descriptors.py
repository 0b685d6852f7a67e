"""Message classes of the library `protobuf`, described in a short notation instead of generated code."""

from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_Field = FieldDescriptorProto
_SCALARS = {
    "bool": _Field.TYPE_BOOL,
    "bytes": _Field.TYPE_BYTES,
    "double": _Field.TYPE_DOUBLE,
    "int64": _Field.TYPE_INT64,
    "string": _Field.TYPE_STRING,
}


def described_file(name: str, table: Mapping[str, str]) -> FileDescriptorProto:
    """A file of messages. A field is `name=number:type`; a type is a scalar or a message, with `*` a list of them."""
    file = FileDescriptorProto(name=f"{name}.proto", syntax="proto2", package=name)
    for message_name, fields in table.items():
        message = file.message_type.add(name=message_name)
        for field in fields.split(" "):
            field_name, _, rest = field.partition("=")
            number, _, of = rest.partition(":")
            message.field.append(described_field(name, field_name, int(number), of))
    return file


def described_field(package: str, name: str, number: int, of: str) -> FieldDescriptorProto:
    """One field; see `described_file` for `of`."""
    label = _Field.LABEL_REPEATED if of.endswith("*") else _Field.LABEL_OPTIONAL
    scalar = _SCALARS.get(of.removesuffix("*"))
    if scalar is not None:
        return _Field(name=name, number=number, label=label, type=scalar)
    type_name = f".{package}.{of.removesuffix('*')}"
    return _Field(name=name, number=number, label=label, type=_Field.TYPE_MESSAGE, type_name=type_name)


class MessageClasses:
    """The message classes of one file."""

    def __init__(self, file: FileDescriptorProto) -> None:
        self._package = file.package
        self._pool = DescriptorPool()
        self._pool.Add(file)

    def __getitem__(self, name: str) -> Any:
        """The class of a message."""
        return GetMessageClass(self._pool.FindMessageTypeByName(f"{self._package}.{name}"))
