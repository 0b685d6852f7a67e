"""Looking into encoded objects without decoding them whole."""

import pytest

from app.domain.documents import peeking
from app.domain.documents.encoding import encode_body, wire_bytes
from app.domain.documents.objects import ObjectMeta, OwnerReference
from app.domain.kinds.service import Service, ServiceSpec


def wire(meta, selector=None):
    service = Service(api_version="v1", kind="Service", metadata=meta, spec=ServiceSpec(selector=selector))
    return wire_bytes(encode_body(service), 7)


def test_labels_and_selector():
    encoded = wire(ObjectMeta(name="web", labels={"app": "web"}), {"app": "x"})
    assert peeking.labels_of(encoded) == {"app": "web"}
    assert peeking.selector_of(encoded) == {"app": "x"}
    assert peeking.labels_of(wire(ObjectMeta(name="web"))) == {}
    assert peeking.selector_of(wire(ObjectMeta(name="web"))) is None


@pytest.mark.parametrize(
    ("meta", "deleting"),
    [
        (ObjectMeta(name="web"), False),
        (ObjectMeta(name="web", annotations={"note": "deletionTimestamp"}), False),
        (ObjectMeta(name="web", deletion_timestamp="2026-01-01T00:00:00Z"), True),
    ],
)
def test_an_object_that_mentions_its_deletion_need_not_be_deleted(meta, deleting):
    assert peeking.is_deleting(wire(meta)) is deleting


def test_owners_and_finalizers():
    owner = OwnerReference("v1", "Service", "db", "1")
    encoded = wire(ObjectMeta(name="web", owner_references=[owner], finalizers=["a.example/b"]))
    peeked = peeking.metadata_of(encoded)
    assert peeked.owner_references == [owner]
    assert peeked.finalizers == ["a.example/b"]
    assert peeking.raw_metadata_of(encoded).startswith(b'{"resourceVersion":"7","name":"web"')


def test_a_mention_is_a_whole_text():
    encoded = wire(ObjectMeta(name="web-2"))
    assert peeking.mentions(encoded, "web-2")
    assert not peeking.mentions(encoded, "web")
