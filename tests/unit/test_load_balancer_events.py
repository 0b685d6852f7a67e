"""Which changes of a Service can be news of its load balancer."""

import pytest

from app.controllers.load_balancer_events import LoadBalancerEvents
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import encode_body, wire_bytes
from app.mirror.entry import Change, Entry
from tests.unit.backend_objects import make_service


def state(revision, change=id, type_="LoadBalancer"):
    service = make_service(type=type_)
    service.api_version, service.kind = SERVICE.api_version, SERVICE.name
    change(service)
    return Entry(SERVICE.key, "shop", "web", "uid", revision, wire_bytes(encode_body(service), revision))


def is_looked_at(type_, before, after):
    change = Change(after.revision, type_, after, before)
    return list(LoadBalancerEvents(None, None, None).keys_of([change])) == [change]


@pytest.mark.parametrize(
    ("change", "looked_at"),
    [
        (lambda service: setattr(service.metadata, "labels", {"a": "b"}), False),
        (lambda service: setattr(service.metadata, "annotations", {"a": "b"}), True),
        (lambda service: setattr(service.spec, "external_traffic_policy", "Local"), True),
        (lambda service: setattr(service.spec, "type", "NodePort"), True),
        (lambda service: setattr(service.metadata, "deletion_timestamp", "2026-01-01T00:00:00Z"), True),
    ],
)
def test_what_changes_only_labels_is_no_news(change, looked_at):
    assert is_looked_at("MODIFIED", state(1), state(2, change)) == looked_at


def test_load_balancers_come_and_go():
    assert is_looked_at("ADDED", None, state(1))
    assert is_looked_at("DELETED", state(1), state(2))
    assert not is_looked_at("ADDED", None, state(1, type_="ClusterIP"))
