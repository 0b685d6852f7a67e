"""Looking into an encoded object without decoding it whole: the one place that knows how.

There may be a million objects, and most questions concern few of them. A peek decodes one part of the object and skips
the rest. `mentions` and `mentions_prefix` look for a text in the bytes. A hit may stand anywhere in the object, so
a caller decodes to be sure; a miss is certain.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from app.domain.documents.objects import OwnerReference


class PeekedMetadata(msgspec.Struct, rename="camel"):
    """The part of an object's metadata that says what its deletion waits for and what it belongs to.

    Attributes:
        owner_references: What the object belongs to.
        deletion_timestamp: When its deletion was asked for; None while it was not.
        finalizers: What its deletion waits for.
    """

    owner_references: list[OwnerReference] | None = None
    deletion_timestamp: str | None = None
    finalizers: list[str] | None = None


class Content(msgspec.Struct, rename="camel", frozen=True):
    """The parts of an object from which other things follow, each still encoded; empty where there is none.

    Nothing else of the metadata is part of it: labels, finalizers, managed fields and the resourceVersion are not. Nor
    are conditions, which tell what came of the rest.

    Attributes:
        annotations: Of the metadata.
        deletion_timestamp: Of the metadata.
        spec: Whole.
        status: Its fields but for the conditions.
    """

    annotations: msgspec.Raw
    deletion_timestamp: msgspec.Raw
    spec: msgspec.Raw
    status: Mapping[str, msgspec.Raw]


class Essence(msgspec.Struct, frozen=True):
    """The parts of an object that its clients decide on, each still encoded; empty where there is none.

    Attributes:
        metadata: Labels, annotations, finalizers, owners and whether it is being deleted.
        spec: Whole.
    """

    metadata: tuple[msgspec.Raw, ...]
    spec: msgspec.Raw


class _EssenceOfMetadata(msgspec.Struct, rename="camel"):
    labels: msgspec.Raw = msgspec.Raw()
    annotations: msgspec.Raw = msgspec.Raw()
    finalizers: msgspec.Raw = msgspec.Raw()
    owner_references: msgspec.Raw = msgspec.Raw()
    deletion_timestamp: msgspec.Raw = msgspec.Raw()


class _WithEssence(msgspec.Struct):
    metadata: _EssenceOfMetadata
    spec: msgspec.Raw = msgspec.Raw()


class _ContentOfMetadata(msgspec.Struct, rename="camel"):
    annotations: msgspec.Raw = msgspec.Raw()
    deletion_timestamp: msgspec.Raw = msgspec.Raw()


class _WithContent(msgspec.Struct):
    metadata: _ContentOfMetadata
    spec: msgspec.Raw = msgspec.Raw()
    status: dict[str, msgspec.Raw] = {}


class _Created(msgspec.Struct, rename="camel"):
    creation_timestamp: str | None = None


class _Observed(msgspec.Struct, rename="camel"):
    last_observed_time: str | None = None


class _Timed(msgspec.Struct, rename="camel"):
    metadata: _Created
    event_time: str | None = None
    last_timestamp: str | None = None
    series: _Observed | None = None


class _Labels(msgspec.Struct):
    labels: dict[str, str] | None = None


class _Labelled(msgspec.Struct):
    metadata: _Labels


class _WithMetadata(msgspec.Struct):
    metadata: PeekedMetadata


class _WithRawMetadata(msgspec.Struct):
    metadata: msgspec.Raw


class _Selector(msgspec.Struct):
    selector: dict[str, str] | None = None


class _Selecting(msgspec.Struct):
    spec: _Selector


class _Condition(msgspec.Struct):
    type: str = ""
    status: str = ""


class _Conditions(msgspec.Struct):
    conditions: list[_Condition] | None = None


class _WithConditions(msgspec.Struct):
    status: _Conditions


class _Point(msgspec.Struct):
    ip: str = ""


class _Balancer(msgspec.Struct):
    ingress: list[_Point] | None = None


class _Balanced(msgspec.Struct, rename="camel"):
    load_balancer: _Balancer = msgspec.field(default_factory=_Balancer)


class _WithBalancer(msgspec.Struct):
    status: _Balanced = msgspec.field(default_factory=_Balanced)


_TIMED = msgspec.json.Decoder(_Timed)
_LABELLED = msgspec.json.Decoder(_Labelled)
_WITH_METADATA = msgspec.json.Decoder(_WithMetadata)
_WITH_RAW_METADATA = msgspec.json.Decoder(_WithRawMetadata)
_WITH_CONTENT = msgspec.json.Decoder(_WithContent)
_WITH_ESSENCE = msgspec.json.Decoder(_WithEssence)
_SELECTING = msgspec.json.Decoder(_Selecting)
_WITH_BALANCER = msgspec.json.Decoder(_WithBalancer)
_WITH_CONDITIONS = msgspec.json.Decoder(_WithConditions)


def mentions(wire: bytes, text: str) -> bool:
    """Whether an object may have a text as a key or as a value.

    Args:
        wire: The encoded object.
        text: Without characters that JSON escapes.
    """
    return _quoted(text) in wire


def mentions_prefix(wire: bytes, text: str) -> bool:
    """Whether an object may have a key or a value that begins with a text. Arguments as for `mentions`."""
    return _quoted(text)[:-1] in wire


@lru_cache(maxsize=1024)
def _quoted(text: str) -> bytes:
    return b'"%b"' % text.encode()


def event_times_of(wire: bytes) -> list[str]:
    """When an Event was created, and when what it tells happened."""
    event = _TIMED.decode(wire)
    observed = None if event.series is None else event.series.last_observed_time
    times = (event.metadata.creation_timestamp, event.event_time, event.last_timestamp, observed)
    return [text for text in times if text]


def labels_of(wire: bytes) -> Mapping[str, str]:
    """The labels of an object."""
    return _LABELLED.decode(wire).metadata.labels or {}


def metadata_of(wire: bytes) -> PeekedMetadata:
    """What an object belongs to, and what its deletion waits for."""
    return _WITH_METADATA.decode(wire).metadata


def raw_metadata_of(wire: bytes) -> bytes:
    """The metadata of an object, still encoded."""
    return bytes(_WITH_RAW_METADATA.decode(wire).metadata)


@lru_cache(maxsize=4096)
def content_of(wire: bytes) -> Content:
    """What other things follow from, to be compared with that of another state of the object.

    It is remembered for a while: an old state was the new one before, and several ask at each change.
    """
    found = _WITH_CONTENT.decode(wire)
    metadata, status = found.metadata, found.status
    status.pop("conditions", None)
    return Content(metadata.annotations, metadata.deletion_timestamp, found.spec, status)


def essence_of(wire: bytes) -> Essence:
    """What does not change with the status, to be compared with that of another state of the object."""
    found = _WITH_ESSENCE.decode(wire)
    return Essence(msgspec.structs.astuple(found.metadata), found.spec)


def selector_of(wire: bytes) -> Mapping[str, str] | None:
    """The selector of a Service, None where it has none."""
    return _SELECTING.decode(wire).spec.selector


def may_be_headless(wire: bytes) -> bool:
    """Whether a Service may be headless, so that its slices matter to its names; a no is certain."""
    return b'"clusterIP":"None"' in wire


def ingress_addresses_of(wire: bytes) -> Sequence[str]:
    """The addresses at which a load balancer takes traffic for a Service, as they are written."""
    return _ingress_addresses_of(wire) if b'"ingress"' in wire else ()


@lru_cache(maxsize=1024)
def _ingress_addresses_of(wire: bytes) -> Sequence[str]:
    """Remembered for a while: several ask at each change."""
    return tuple(point.ip for point in _WITH_BALANCER.decode(wire).status.load_balancer.ingress or () if point.ip)


def is_deleting(wire: bytes) -> bool:
    """Whether the deletion of an object has been asked for."""
    return mentions(wire, "deletionTimestamp") and metadata_of(wire).deletion_timestamp is not None


def has_condition(wire: bytes, condition: str, status: str) -> bool:
    """Whether the status of an object has a condition of a type with a status, such as Ready and False."""
    # Conditions are encoded with their type first and their status next.
    if b'"type":"%b","status":"%b"' % (condition.encode(), status.encode()) not in wire:
        return False
    found = _WITH_CONDITIONS.decode(wire).status.conditions or []
    return any((each.type, each.status) == (condition, status) for each in found)
