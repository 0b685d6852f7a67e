"""Looking into encoded objects without decoding them whole."""

import pytest

from app.domain.documents import peeking
from app.domain.documents.encoding import encode_body, wire_bytes
from app.domain.documents.objects import ManagedFieldsEntry, ObjectMeta, OwnerReference
from app.domain.kinds.meta import Condition
from app.domain.kinds.service import LoadBalancerIngress, Service, ServiceSpec


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


def test_content_is_what_other_things_follow_from():
    before = peeking.content_of(wire(ObjectMeta(name="web", annotations={"a": "1"}), {"app": "x"}))
    fields = [ManagedFieldsEntry(fields_v1={"f:spec": {}})]
    labelled = ObjectMeta(name="web", annotations={"a": "1"}, labels={"app": "web"}, managed_fields=fields)
    assert peeking.content_of(wire(labelled, {"app": "x"})) == before
    for meta, selector in [
        (ObjectMeta(name="web", annotations={"a": "2"}), {"app": "x"}),
        (ObjectMeta(name="web"), {"app": "x"}),
        (ObjectMeta(name="web", annotations={"a": "1"}), {"app": "y"}),
        (ObjectMeta(name="web", annotations={"a": "1"}, deletion_timestamp="2026-01-01T00:00:00Z"), {"app": "x"}),
    ]:
        assert peeking.content_of(wire(meta, selector)) != before
    service = Service(api_version="v1", kind="Service", metadata=ObjectMeta(name="web", annotations={"a": "1"}))
    service.spec.selector = {"app": "x"}
    assert peeking.content_of(encode_body(service)) == before
    service.status.conditions = [Condition("Ready", "True")]
    assert peeking.content_of(encode_body(service)) == before
    service.status.load_balancer.ingress = [LoadBalancerIngress(ip="192.0.2.1")]
    assert peeking.content_of(encode_body(service)) != before


def test_a_mention_is_a_whole_text():
    encoded = wire(ObjectMeta(name="web-2"))
    assert peeking.mentions(encoded, "web-2")
    assert not peeking.mentions(encoded, "web")


def test_a_condition_is_one_of_the_status():
    elsewhere = ManagedFieldsEntry(fields_v1={"type": "Ready", "status": "False"})
    service = Service(api_version="v1", kind="Service", metadata=ObjectMeta(name="web", managed_fields=[elsewhere]))
    assert not peeking.has_condition(encode_body(service), "Ready", "False")
    service.status.conditions = [Condition("Ready", "True"), Condition("Other", "False")]
    assert not peeking.has_condition(encode_body(service), "Ready", "False")
    assert peeking.has_condition(encode_body(service), "Ready", "True")
    service.status.conditions = [Condition("Ready", "False", reason="Because")]
    assert peeking.has_condition(encode_body(service), "Ready", "False")
