from dataclasses import replace

import pytest

from app.domain.declarations.catalog import ALL, Group, Kinds
from app.domain.declarations.event import EVENT
from app.domain.declarations.service import SERVICE
from app.domain.documents.schema import schema_of

KINDS = Kinds()


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.key)
def test_each_kind_is_found_in_every_way(kind):
    assert KINDS.by_path(kind.group, kind.version, kind.plural) is kind
    assert KINDS.by_key[kind.key] is kind
    assert KINDS.by_kind(kind.api_version, kind.name) is kind
    assert kind in KINDS.of(kind.group, kind.version)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.key)
def test_each_declaration_is_whole(kind):
    assert schema_of(kind.model).fields.keys() >= {"apiVersion", "kind", "metadata"}
    assert any(column.format == "name" and column.name == "Name" for column in kind.columns)
    assert all(column.description for column in kind.columns)
    assert len({column.name for column in kind.columns}) == len(kind.columns)
    empty = kind.model()
    assert all(isinstance(read(empty), str) for read in kind.selectable.values())
    assert all(column.cell(empty, "2026-01-01T00:00:00Z") is not None for column in kind.columns)
    assert {"get", "list"} <= set(kind.verbs)
    assert ("watch" in kind.verbs) is not kind.archived
    if kind.derivation is not None:
        assert {kind.derivation.source, kind.derivation.parts or kind.derivation.source} <= KINDS.by_key.keys()
    assert kind.view is None or kind.view.stored in KINDS.by_key


def test_what_is_not_there():
    assert KINDS.by_path("", "v2", "services") is None
    assert KINDS.by_kind("v1", "Deployment") is None
    assert "deployments.apps" not in KINDS.by_key
    assert KINDS.of("apps", "v1") == ()


def test_groups_for_discovery():
    groups = KINDS.groups()
    assert groups[0] == Group("", ("v1",))
    assert {group.name for group in groups} == {kind.group for kind in ALL}
    assert sum(len(KINDS.of(group.name, version)) for group in groups for version in group.versions) == len(ALL)


def test_events_have_one_store():
    assert KINDS.by_kind("events.k8s.io/v1", "Event").view.stored == EVENT.key


def test_two_kinds_cannot_share_a_place():
    with pytest.raises(ValueError, match="share"):
        Kinds([SERVICE, replace(SERVICE, name="Else")])


@pytest.mark.parametrize(
    ("key", "short", "namespaced", "status", "put_creates", "delete_answers"),
    [
        ("services", ("svc",), True, True, True, True),
        ("namespaces", ("ns",), False, True, False, True),
        ("pods", ("po",), True, True, False, True),
        ("nodes", ("no",), False, True, False, False),
        ("endpoints", ("ep",), True, False, True, False),
        ("events", ("ev",), True, False, True, False),
        ("configmaps", ("cm",), True, False, False, False),
        ("secrets", (), True, False, False, False),
        ("serviceaccounts", ("sa",), True, False, False, True),
        ("events.events.k8s.io", ("ev",), True, False, True, False),
        ("endpointslices.discovery.k8s.io", (), True, False, False, False),
        ("servicecidrs.networking.k8s.io", (), False, True, False, False),
        ("ipaddresses.networking.k8s.io", ("ip",), False, False, False, False),
        ("leases.coordination.k8s.io", (), True, False, True, False),
        ("roles.rbac.authorization.k8s.io", (), True, False, True, False),
        ("clusterroles.rbac.authorization.k8s.io", (), False, False, True, False),
        ("rolebindings.rbac.authorization.k8s.io", (), True, False, True, False),
        ("clusterrolebindings.rbac.authorization.k8s.io", (), False, False, True, False),
        ("addresspools.fairlead.io", ("ap",), False, True, False, False),
        ("dnszones.fairlead.io", ("dnsz",), False, True, False, False),
        ("dataplanes.fairlead.io", ("dp",), False, False, False, False),
        ("dnsrecordsets.fairlead.io", ("dnsrs",), True, False, False, False),
        ("loadbalancers.fairlead.io", ("lb",), True, False, False, False),
    ],
)
def test_how_kinds_behave(key, short, namespaced, status, put_creates, delete_answers):
    kind = KINDS.by_key[key]
    assert kind.short_names == short
    assert (kind.namespaced, kind.has_status) == (namespaced, status)
    assert (kind.create_on_update, kind.delete_returns_object) == (put_creates, delete_answers)
