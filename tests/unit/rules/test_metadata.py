"""Metadata rules that no Service shows: other scopes, other names, managed fields, what never goes back."""

import dataclasses

import pytest

from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service import SERVICE
from app.domain.documents.objects import ManagedFieldsEntry, ObjectMeta, OwnerReference
from app.domain.rules.metadata import validate_metadata, validate_metadata_update
from tests.unit.rules.builders import faults, wanted

ANY_NAME = dataclasses.replace(SERVICE, name_rule="any_path_segment")
SUBDOMAIN = dataclasses.replace(SERVICE, name_rule="dns_subdomain")


def meta(**fields):
    return ObjectMeta(**{"name": "a", "namespace": "shop", **fields})


@pytest.mark.parametrize(
    ("kind", "name", "good"),
    [
        (ANY_NAME, "Any Thing_", True),
        (ANY_NAME, "a/b", False),
        (ANY_NAME, "a%b", False),
        (ANY_NAME, ".", False),
        (SUBDOMAIN, "a.b", True),
        (SUBDOMAIN, "x" * 253, True),
        (SUBDOMAIN, "x" * 254, False),
        (SUBDOMAIN, "A", False),
        (SERVICE, "a.b", False),
    ],
)
def test_name_rules(kind, name, good):
    assert faults(validate_metadata(kind, meta(name=name))) == wanted(*([] if good else ["metadata.name invalid"]))


@pytest.mark.parametrize(
    ("prefix", "good"),
    [
        ("a-", True),
        ("a.", False),
        ("-", False),
        ("--", True),
        ("a--", True),
        ("-a-", False),
        ("A-", True),
        ("a", True),
        ("", True),
    ],
)
def test_prefixes_of_generated_names(prefix, good):
    """The dash before what is appended hides the character before it, as it does for the API server."""
    causes = validate_metadata(SERVICE, meta(generate_name=prefix))
    assert faults(causes) == wanted(*([] if good else ["metadata.generateName invalid"]))


def test_an_object_of_no_namespace():
    assert validate_metadata(NAMESPACE, ObjectMeta(name="a")) == []
    causes = validate_metadata(NAMESPACE, meta())
    assert [(cause.field, cause.message) for cause in causes] == [
        ("metadata.namespace", "Forbidden: a Namespace has no namespace; leave it out")
    ]


OWNER = {"api_version": "v1", "kind": "Node", "name": "n", "uid": "1"}


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, []),
        ({"api_version": "apps/v1"}, []),
        ({"api_version": ""}, ["apiVersion"]),
        ({"api_version": "apps/"}, ["apiVersion"]),
        ({"api_version": "a/b/c"}, ["apiVersion"]),
        ({"kind": ""}, ["kind"]),
        ({"name": ""}, ["name"]),
        ({"uid": ""}, ["uid"]),
        ({"api_version": "events.k8s.io/v1", "kind": "Event"}, []),
        ({"api_version": "v2", "kind": "Event"}, []),
        ({"controller": True}, []),
    ],
)
def test_owners(changes, lines):
    causes = validate_metadata(SERVICE, meta(owner_references=[OwnerReference(**{**OWNER, **changes})]))
    assert faults(causes) == wanted(*(f"metadata.ownerReferences.{line} invalid" for line in lines))


def test_an_event_owns_nothing():
    causes = validate_metadata(SERVICE, meta(owner_references=[OwnerReference(**{**OWNER, "kind": "Event"})]))
    assert [(cause.field, cause.message) for cause in causes] == [
        ("metadata.ownerReferences", 'Invalid value: "n": an Event cannot own anything')
    ]


@pytest.mark.parametrize(
    ("controllers", "message"),
    [
        ([None, False], None),
        ([True, None], None),
        ([True, False, True], 'Invalid value: "Node/n0, Node/n2": only one owner can be the controller'),
    ],
)
def test_one_owner_controls(controllers, message):
    owners = [
        OwnerReference(**{**OWNER, "name": f"n{index}"}, controller=flag) for index, flag in enumerate(controllers)
    ]
    causes = validate_metadata(SERVICE, meta(owner_references=owners))
    assert [(cause.field, cause.message) for cause in causes] == (
        [] if message is None else [("metadata.ownerReferences", message)]
    )


ENTRY = {"manager": "kubectl", "operation": "Update", "fields_type": "FieldsV1"}


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({}, None, None),
        ({"operation": "Apply", "fields_type": "", "manager": "", "subresource": "x" * 256}, None, None),
        ({"manager": "x" * 128}, None, None),
        ({"operation": "Delete"}, "operation", 'Invalid value: "Delete": must be Apply or Update'),
        ({"fields_type": "FieldsV2"}, "fieldsType", 'Invalid value: "FieldsV2": must be FieldsV1'),
        ({"manager": "x" * 129}, "manager", "Too long: may not be more than 128 bytes"),
        ({"manager": "é" * 65}, "manager", "Too long: may not be more than 128 bytes"),
        ({"manager": "a\nb"}, "manager", 'Invalid value: "a\nb": must have only printable characters'),
        ({"subresource": "x" * 257}, "subresource", "Too long: may not be more than 256 bytes"),
    ],
)
def test_managed_fields(changes, field, message):
    entries = [ManagedFieldsEntry(**ENTRY), ManagedFieldsEntry(**{**ENTRY, **changes})]
    causes = validate_metadata(SERVICE, meta(managed_fields=entries))
    assert [(cause.field, cause.message) for cause in causes] == (
        [] if field is None else [(f"metadata.managedFields[1].{field}", message)]
    )


def test_annotations_count_in_bytes_together():
    half = "é" * 65536
    assert validate_metadata(SERVICE, meta(annotations={"a": half, "b": "x" * 131070})) == []
    causes = validate_metadata(SERVICE, meta(annotations={"a": half, "b": "x" * 131071}))
    assert faults(causes) == wanted("metadata.annotations long")


@pytest.mark.parametrize(
    ("new", "old", "lines"),
    [
        ({"generation": 2}, {"generation": 1}, []),
        ({"generation": 1}, {"generation": 1}, []),
        ({"generation": 1}, {"generation": 2}, ["metadata.generation invalid"]),
        ({}, {"generation": 1}, ["metadata.generation invalid"]),
        ({"uid": "1"}, {"uid": "1"}, []),
        ({"uid": "1"}, {"uid": "2"}, ["metadata.uid invalid"]),
        ({"namespace": None}, {}, ["metadata.namespace invalid", "metadata.namespace required"]),
        ({"labels": {"a b": ""}}, {}, ["metadata.labels invalid"]),
        ({"owner_references": [OwnerReference(**{**OWNER, "uid": ""})]}, {}, ["metadata.ownerReferences.uid invalid"]),
    ],
)
def test_updates(new, old, lines):
    assert faults(validate_metadata_update(SERVICE, meta(**new), meta(**old))) == wanted(*lines)


def test_a_generation_that_goes_back_is_said():
    causes = validate_metadata_update(SERVICE, meta(generation=1), meta(generation=2))
    assert [cause.message for cause in causes] == ["Invalid value: 1: must not be less than the stored generation, 2"]


def test_finalizers_may_be_added_to_what_is_not_being_deleted():
    assert validate_metadata_update(SERVICE, meta(finalizers=["a/b"]), meta()) == []
