import pytest

from app.domain.declarations.namespace import NAMESPACE
from tests.unit.rule_runner import CLUSTER, cells, created, shown, update, write_status


def made(**document):
    return created(NAMESPACE, {"metadata": {"name": "shop", "labels": {"a": "b"}}, **document})


def test_a_namespace_begins_active_labelled_and_held():
    namespace = made(status={"phase": "Terminating"})
    assert namespace.status.phase == "Active"
    assert namespace.metadata.labels == {"a": "b", "kubernetes.io/metadata.name": "shop"}
    assert namespace.spec.finalizers == ["kubernetes"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [(["example.com/x"], ["example.com/x", "kubernetes"]), (["kubernetes"], ["kubernetes"])],
)
def test_the_own_finalizer_is_added_to_others(given, kept):
    assert made(spec={"finalizers": given}).spec.finalizers == kept


def test_an_update_changes_metadata_only_and_the_label_comes_back():
    old = made()
    document = {"metadata": {"name": "shop"}, "spec": {"finalizers": []}, "status": {"phase": "Terminating"}}
    new, causes = update(NAMESPACE, old, document)
    assert causes == set()
    assert (new.spec, new.status) == (old.spec, old.status)
    assert new.metadata.labels == {"kubernetes.io/metadata.name": "shop"}


@pytest.mark.parametrize(
    ("deleted", "phase", "causes"),
    [
        (False, "Active", set()),
        (True, "Terminating", set()),
        (False, "Terminating", {("status.phase", "Invalid")}),
        (True, "Active", {("status.phase", "Invalid")}),
    ],
)
def test_the_phase_follows_deletion(deleted, phase, causes):
    metadata = {"name": "shop", **({"deletionTimestamp": CLUSTER.now} if deleted else {})}
    document = {"metadata": metadata, "spec": {"finalizers": []}, "status": {"phase": phase}}
    new, found = write_status(NAMESPACE, made(), document)
    assert found == causes
    assert new.spec.finalizers == ["kubernetes"]


def test_deletion_shows_and_waits_for_both_kinds_of_finalizers():
    namespace, strategy = made(), NAMESPACE.strategy
    strategy.prepare_delete(namespace, CLUSTER)
    assert namespace.status.phase == "Terminating"
    assert not strategy.releasable(namespace)
    namespace.spec.finalizers, namespace.metadata.finalizers = [], ["example.com/x"]
    assert not strategy.releasable(namespace)
    namespace.metadata.finalizers = None
    assert strategy.releasable(namespace)


def test_finalize_changes_the_finalizers_only():
    (finalize,) = NAMESPACE.subresources
    old, new = made(), made()
    new.spec.finalizers, new.status.phase = [], "Terminating"
    finalize.prepare(new, old, CLUSTER)
    assert (finalize.name, finalize.verbs) == ("finalize", ("update",))
    assert new.spec.finalizers == []
    assert new.status == old.status
    assert finalize.validate(new, old, CLUSTER) == []


@pytest.mark.parametrize(
    ("finalizer", "right"),
    [("kubernetes", True), ("orphan", True), ("example.com/x", True), ("mine", False), ("a b/c", False), ("", False)],
)
def test_finalizers_are_qualified_or_known(finalizer, right):
    new = made()
    new.spec.finalizers = [finalizer]
    for field, causes in (
        ("spec.finalizers[0]", NAMESPACE.subresources[0].validate(new, new, CLUSTER)),
        ("spec.finalizers", NAMESPACE.strategy.validate_create(new, CLUSTER)),
    ):
        assert shown(causes) == (set() if right else {(field, "Invalid")})


def test_columns_and_fields():
    assert cells(NAMESPACE, {"status": {"phase": "Active"}}) == {"Name": "it", "Status": "Active", "Age": "<unknown>"}
    assert NAMESPACE.selectable["status.phase"](made()) == "Active"
    assert "deletecollection" not in NAMESPACE.verbs
