import pytest

from app.domain.declarations.service import SERVICE
from app.domain.documents.objects import ManagedFieldsEntry, ObjectMeta
from app.domain.kinds.service import Service, ServicePort, ServiceSpec
from app.domain.patching.field_sets import (
    conflict_field,
    difference,
    intersection,
    is_field_set,
    members,
    union,
    union_of,
)
from app.domain.patching.managed_fields import MAX_UPDATE_MANAGERS, record_update

NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"


def service(managed=None, **labels):
    metadata = ObjectMeta(name="web", uid="u", resource_version="1", labels=labels or None, managed_fields=managed)
    return Service(
        "v1", "Service", metadata, ServiceSpec(type="ClusterIP", ports=[ServicePort(port=80, protocol="TCP")])
    )


def created(**labels):
    new = service(**labels)
    record_update(SERVICE, None, new, "maker", NOW)
    return new


def changed(old, manager, now=LATER, managed=None, **labels):
    new = service(managed, **labels)
    record_update(SERVICE, old, new, manager, now)
    return new


def entries(obj):
    return [(entry.manager, entry.time) for entry in obj.metadata.managed_fields or []]


def test_creating_makes_the_creator_the_owner_of_all_but_identity():
    (entry,) = created(a="1").metadata.managed_fields
    assert (entry.manager, entry.operation, entry.api_version, entry.time) == ("maker", "Update", "v1", NOW)
    assert entry.fields_v1 == {
        "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
        "f:spec": {
            "f:ports": {".": {}, 'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:protocol": {}}},
            "f:type": {},
        },
    }


def test_a_write_that_changes_nothing_leaves_the_entries_as_they_are():
    old = created(a="1")
    assert changed(old, "other", a="1").metadata.managed_fields == old.metadata.managed_fields


def test_a_change_moves_the_field_and_stamps_its_writer():
    new = changed(created(a="1", b="1"), "other", a="2", b="1")
    assert entries(new) == [("maker", NOW), ("other", LATER)]
    assert new.metadata.managed_fields[1].fields_v1 == {"f:metadata": {"f:labels": {"f:a": {}}}}
    assert "f:a" not in new.metadata.managed_fields[0].fields_v1["f:metadata"]["f:labels"]


def test_removing_a_field_takes_it_from_its_owner_without_a_stamp():
    new = changed(created(a="1", b="1"), "other", b="1")
    assert entries(new) == [("maker", NOW)]
    assert new.metadata.managed_fields[0].fields_v1["f:metadata"]["f:labels"] == {".": {}, "f:b": {}}


def test_the_same_manager_keeps_one_entry():
    assert entries(changed(created(a="1"), "maker", a="2")) == [("maker", LATER)]


@pytest.mark.parametrize("given", [[], [ManagedFieldsEntry()]])
def test_clearing_the_entries_ends_tracking(given):
    cleared = changed(created(a="1"), "other", managed=given, a="1")
    assert cleared.metadata.managed_fields is None
    assert changed(cleared, "other", a="2").metadata.managed_fields is None


def test_clearing_and_changing_at_once_is_not_tracked_either():
    assert changed(created(a="1"), "other", managed=[], a="2").metadata.managed_fields is None


def test_entries_that_a_client_sends_count_when_they_make_sense():
    old = created(a="1")
    (entry,) = old.metadata.managed_fields
    renamed = ManagedFieldsEntry("renamed", "Update", "v1", NOW, "FieldsV1", entry.fields_v1, "")
    assert entries(changed(old, "other", managed=[renamed], a="1")) == [("renamed", NOW)]


@pytest.mark.parametrize(
    "entry",
    [
        ManagedFieldsEntry("x", "Bogus", "v1", NOW, "FieldsV1", {}),
        ManagedFieldsEntry("x", "Update", "", NOW, "FieldsV1", {}),
        ManagedFieldsEntry("x", "Update", "v1", NOW, "FieldsV2", {}),
        ManagedFieldsEntry("x", "Update", "v1", NOW, "FieldsV1", {"bogus": {}}),
        ManagedFieldsEntry("x", "Update", "v1", NOW, "FieldsV1", {"f:spec": 1}),
        ManagedFieldsEntry("x", "Update", "v1", NOW, "FieldsV1", {"k:{": {}}),
        ManagedFieldsEntry("x", "Update", "v1", NOW, "FieldsV1", {".": {"f:a": {}}}),
    ],
)
def test_entries_that_make_no_sense_are_ignored(entry):
    old = created(a="1")
    assert entries(changed(old, "other", managed=[entry], a="1")) == [("maker", NOW)]


def test_entries_of_other_versions_are_dropped():
    old = created(a="1")
    stale = ManagedFieldsEntry("stale", "Update", "v0", NOW, "FieldsV1", {"f:spec": {"f:type": {}}})
    new = changed(old, "other", managed=[stale, *old.metadata.managed_fields], a="2")
    assert entries(new) == [("maker", NOW), ("other", LATER)]


def test_entries_sent_to_a_subresource_are_ignored():
    old = created(a="1")
    new = service([ManagedFieldsEntry("x", "Update", "v1", NOW, "FieldsV1", {"f:spec": {}})], a="1")
    record_update(SERVICE, old, new, "other", LATER, "status")
    assert entries(new) == [("maker", NOW)]


def test_the_oldest_updates_are_merged_beyond_the_limit():
    live = created(l0="0")
    labels = {"l0": "0"}
    for index in range(1, MAX_UPDATE_MANAGERS + 5):
        labels[f"l{index}"] = "x"
        live = changed(live, f"m{index}", f"2026-01-01T00:01:{index:02}Z", **labels)
    updates = entries(live)
    assert len(updates) == MAX_UPDATE_MANAGERS
    assert updates[0][0] == "ancient-changes"
    assert updates[-1] == (f"m{MAX_UPDATE_MANAGERS + 4}", f"2026-01-01T00:01:{MAX_UPDATE_MANAGERS + 4}Z")
    owners = [path for entry in live.metadata.managed_fields for path in members(entry.fields_v1)]
    assert {f"f:l{index}" for index in range(MAX_UPDATE_MANAGERS + 5)} <= {path[-1] for path in owners}


A = {"f:a": {"f:b": {}, "f:c": {".": {}, "f:d": {}}}, "f:e": {}}
B = {"f:a": {".": {}, "f:b": {}, "f:c": {"f:d": {}}}, "f:x": {}}


def test_the_algebra_of_sets():
    assert union(A, B) == {"f:a": {".": {}, "f:b": {}, "f:c": {".": {}, "f:d": {}}}, "f:e": {}, "f:x": {}}
    assert intersection(A, B) == {"f:a": {"f:b": {}, "f:c": {"f:d": {}}}}
    assert difference(A, B) == {"f:a": {"f:c": {}}, "f:e": {}}
    assert difference(B, A) == {"f:a": {}, "f:x": {}}
    assert difference(A, A) == {}


def test_paths_read_as_in_conflicts():
    fields = {
        "f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:name": {}}}, 'v:"x"': {}, "i:3": {}}
    }
    assert is_field_set(fields)
    assert [conflict_field(path) for path in members(fields)] == [
        '.spec.ports[port=80,protocol="TCP"]',
        '.spec.ports[port=80,protocol="TCP"].name',
        '.spec[="x"]',
        ".spec[3]",
    ]


def test_the_union_of_many_sets_is_what_is_in_any():
    sets = [{"f:spec": {f"f:{index % 7}": {}}, f"f:{index}": {}} for index in range(50)]
    expected = {}
    for each in sets:
        expected = union(expected, each)
    assert union_of(sets) == expected
    assert union_of([]) == {}


def test_many_managers_of_updates_are_merged_into_one():
    entries = [
        ManagedFieldsEntry(
            f"m{index}", "Update", "v1", NOW, "FieldsV1", {"f:metadata": {"f:labels": {f"f:l{index}": {}}}}
        )
        for index in range(100)
    ]
    live = service(entries, **{f"l{index}": "x" for index in range(100)})
    new = changed(live, "putter", managed=entries, **{f"l{index}": "y" if index == 99 else "x" for index in range(100)})
    merged = new.metadata.managed_fields
    assert len(merged) == MAX_UPDATE_MANAGERS
    labels = [entry.fields_v1["f:metadata"]["f:labels"] for entry in merged]
    assert sorted(label for each in labels for label in each if label != ".") == sorted(f"f:l{n}" for n in range(100))


def test_a_key_that_is_nested_without_end_is_no_field_set():
    assert not is_field_set({"k:" + "[" * 100_000: {}})
