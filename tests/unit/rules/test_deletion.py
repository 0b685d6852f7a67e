"""What deletion writes into an object, and what it says of a namespace that is not gone yet."""

import pytest

from app.domain.declarations.service import SERVICE
from app.domain.kinds.meta import Condition
from app.domain.kinds.namespace import Namespace
from app.domain.rules.deletion import is_released, mark_deleted
from app.domain.rules.namespace_deletion import tell_what_remains
from tests.unit.rules.builders import LATER, NOW, cluster, service, web

BACKGROUND, FOREGROUND, ORPHAN = "Background", "Foreground", "Orphan"
FINALIZERS = {FOREGROUND: "foregroundDeletion", ORPHAN: "orphan"}


@pytest.mark.parametrize("propagation", ["", BACKGROUND])
def test_nothing_holds_it(propagation):
    obj = service(web())
    assert not is_released(SERVICE, obj)
    mark_deleted(SERVICE, obj, cluster(), propagation)
    assert (obj.metadata.deletion_timestamp, obj.metadata.deletion_grace_period_seconds) == (NOW, 0)
    assert obj.metadata.finalizers is None
    assert is_released(SERVICE, obj)


@pytest.mark.parametrize(
    ("before", "propagation", "after"),
    [
        (None, FOREGROUND, ["foregroundDeletion"]),
        (None, ORPHAN, ["orphan"]),
        (["a/b"], FOREGROUND, ["a/b", "foregroundDeletion"]),
        (["orphan", "a/b"], FOREGROUND, ["a/b", "foregroundDeletion"]),
        (["foregroundDeletion", "a/b"], BACKGROUND, ["a/b"]),
        (["foregroundDeletion"], BACKGROUND, None),
        (["orphan", "a/b"], "", ["orphan", "a/b"]),
    ],
)
def test_the_policy_chooses_the_finalizer(before, propagation, after):
    obj = service(web(), finalizers=before)
    mark_deleted(SERVICE, obj, cluster(), propagation)
    assert obj.metadata.finalizers == after
    assert is_released(SERVICE, obj) == (not after)


def test_asking_again_changes_the_policy_only():
    obj = service(web(), finalizers=["a/b"])
    mark_deleted(SERVICE, obj, cluster(), ORPHAN)
    mark_deleted(SERVICE, obj, cluster(now=LATER), FOREGROUND)
    assert obj.metadata.deletion_timestamp == NOW
    assert obj.metadata.finalizers == ["a/b", "foregroundDeletion"]


def conditions(namespace):
    return [
        (each.type, each.status, each.reason, each.message, each.last_transition_time)
        for each in namespace.status.conditions
    ]


def test_a_namespace_tells_what_remains():
    namespace = Namespace()
    tell_what_remains(namespace, {"services": 2, "pods": 1}, {"a/b": 3}, NOW)
    assert conditions(namespace) == [
        ("NamespaceContentRemaining", "True", "SomeResourcesRemain", "still there: pods (1), services (2)", NOW),
        (
            "NamespaceFinalizersRemaining",
            "True",
            "SomeFinalizersRemain",
            "waited for before objects go: a/b (3)",
            NOW,
        ),
    ]
    tell_what_remains(namespace, {"services": 1}, {}, LATER)
    assert conditions(namespace) == [
        ("NamespaceContentRemaining", "True", "SomeResourcesRemain", "still there: services (1)", NOW),
        ("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", "", LATER),
    ]
    tell_what_remains(namespace, {}, {}, LATER)
    assert conditions(namespace) == [
        ("NamespaceContentRemaining", "False", "ContentRemoved", "", LATER),
        ("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", "", LATER),
    ]


def test_other_conditions_of_a_namespace_stay():
    namespace = Namespace()
    other = Condition(type="Other", status="True", last_transition_time=NOW)
    namespace.status.conditions = [other]
    tell_what_remains(namespace, {}, {}, LATER)
    assert namespace.status.conditions[0] == other
    assert [each.last_transition_time for each in namespace.status.conditions] == [NOW, LATER, LATER]
