"""Protobuf bodies to documents, which are then decoded as JSON bodies are."""

from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import DecodeError, Message

from app.api.meta_models import DeleteOptionsBody
from app.api.model_names import ModelNames, package_of
from app.api.protobuf.messages import Messages
from app.domain.declarations.kind import Kind, with_carried
from app.domain.documents.decoding import parse_json
from app.domain.documents.schema import AnyType, ListType, MapType, ScalarType, StructType, Type, schema_of
from app.domain.documents.wire import Wire
from app.domain.errors import BadRequest, UnsupportedMediaType
from app.domain.timestamps import MICRO_TIME_PATTERN, format_micro_time, format_time

_MAGIC = b"k8s\x00"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT = 0
DROPPED = "the protobuf body has fields that this server does not know; they were dropped, send JSON to have them named"


class ProtobufDocuments:
    """Reads protobuf bodies of the kinds that Kubernetes has a message for."""

    def __init__(self, kinds: Iterable[Kind[Any]]) -> None:
        kinds = tuple(with_carried(kinds))
        self._packages: dict[type[Wire], str] = {kind.model: package_of(kind) for kind in kinds}
        self._packages[DeleteOptionsBody] = ""
        self._messages = Messages(self._packages.items(), ModelNames(kinds))

    def read(self, model: type[Wire], body: bytes) -> tuple[dict[str, Any], list[str]]:
        """The document in a body, and warnings.

        Raises:
            UnsupportedMediaType: There is no message for the model.
            BadRequest: The body is malformed.
        """
        message_class = self._messages.of(model, self._packages[model])
        if message_class is None:
            raise UnsupportedMediaType(f"there is no protobuf form of {model.__name__}; send application/json")
        if not body.startswith(_MAGIC):
            raise BadRequest("a protobuf body starts with the bytes k8s and 0")
        try:
            envelope: Any = self._messages.envelope.FromString(body[len(_MAGIC) :])
            message = message_class.FromString(envelope.raw)
            dropped = _drop_unknown(message)
            document = _Reader(self._messages).struct(schema_of(model), message)
        except (DecodeError, OverflowError) as error:
            raise BadRequest(f"the protobuf body is malformed: {error}") from error
        meta = envelope.typeMeta
        document |= {key: value for key, value in (("apiVersion", meta.apiVersion), ("kind", meta.kind)) if value}
        return document, [DROPPED] if dropped else []


def _drop_unknown(message: Any) -> bool:
    """Drop fields that are not known from a message and all that is in it; answers whether there were any."""
    before = message.ByteSize()
    message.DiscardUnknownFields()
    return bool(message.ByteSize() != before)


class _Reader:
    """Turns messages into documents."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def struct(self, struct: StructType, message: Any) -> dict[str, Any]:
        """The document of a model's message."""
        numbers = self._messages.numbers_of(message)
        document: dict[str, Any] = {}
        for described, value in message.ListFields():
            field = struct.fields[described.name]
            read = self._value(field.type, value)
            means_nothing = not read and (numbers[described.name].zero_is_absent or not field.nullable)
            if read is not None and not (means_nothing and isinstance(field.type, ScalarType)):
                document[field.wire] = read
        return document

    def _value(self, of: Type, value: Any) -> Any:
        match of:
            case StructType():
                return self.struct(of, value)
            case ListType():
                return [self._value(of.item, part) for part in value]
            case MapType(value=AnyType()) | AnyType():
                return parse_json(value.raw)[0] if value.raw else None
            case MapType():
                return {_text(key): self._entry(of.value, part) for key, part in value.items()}
            case ScalarType():
                return _scalar(of, value)

    def _entry(self, of: Type, value: Any) -> Any:
        """A value of a map; Kubernetes' quantities are messages there."""
        return value.string if _is_quantity(of, value) else self._value(of, value)


def _is_quantity(of: Type, value: Any) -> bool:
    return isinstance(of, ScalarType) and isinstance(value, Message)


def _scalar(of: ScalarType, value: Any) -> Any:
    if len(of.names) > 1:
        return value.intVal if value.type == _INT else value.strVal
    if of.format == "byte":
        return b64encode(value).decode()
    return _timestamp(of, value) if of.format == "date-time" else _text(value)


def _text(value: Any) -> Any:
    """A scalar, unless it is text that the library could not decode and left as bytes."""
    if isinstance(value, bytes):
        raise BadRequest(f"the protobuf body has text that is not UTF-8: {value[:40]!r}")
    return value


def _timestamp(of: ScalarType, value: Any) -> str | None:
    """A timestamp as JSON has it; Go encodes its zero time as an empty message, which is null in JSON."""
    if not value.seconds and not value.nanos:
        return None
    moment = _EPOCH + timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)
    return format_micro_time(moment) if of.pattern == MICRO_TIME_PATTERN else format_time(moment)
