"""Server-side apply between two appliers and a writer."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.declarations.service import SERVICE
from app.domain.documents.decoding import Strictness, decode, to_document
from app.domain.documents.schema import schema_of
from app.domain.errors import Conflict
from app.domain.kinds.service import Service
from app.domain.patching.apply import Applying, apply
from app.domain.patching.comparison import compare
from app.domain.patching.field_sets import conflict_field, difference, intersection, is_field_set, members
from app.domain.patching.managed_fields import record_update
from app.domain.patching.new_fields import empty, fields_of_new, strip
from app.domain.patching.typed_values import field_set
from tests.property.service_documents import SERVICES, attempt, without_zeros

OF = schema_of(Service)
NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
CONFIGS = SERVICES.map(without_zeros)


def applied(live, config, manager, *, force=False, now=NOW):
    """Apply, and let the result pass through the typed object, as storing it does."""
    document = apply(SERVICE, live, config, Applying(manager, force, "", now))
    service, _ = decode(Service, document, strictness=Strictness.STRICT)
    return to_document(service)


def owned(live, manager):
    for entry in live["metadata"].get("managedFields", []):
        if entry["manager"] == manager:
            assert is_field_set(entry["fieldsV1"])
            return entry["fieldsV1"]
    return {}


def wanted(config):
    return strip(field_set(OF, config))


def written(live, document, manager):
    old, _ = decode(Service, live, strictness=Strictness.STRICT)
    new, _ = decode(Service, document, strictness=Strictness.STRICT)
    new.metadata.managed_fields = None
    record_update(SERVICE, old, new, manager, LATER)
    return to_document(new)


@given(SERVICES, SERVICES)
def test_applying_the_same_again_changes_nothing(first, second):
    live = applied({}, first, "alice")
    live = applied(live, second, "bob", force=True)
    once = applied(live, second, "bob", now=LATER)
    assert once == live


@given(CONFIGS)
def test_an_applied_object_has_what_was_applied(config):
    live = applied({}, config, "alice")
    service, _ = decode(Service, config, strictness=Strictness.STRICT)
    without = {**live, "metadata": {key: part for key, part in live["metadata"].items() if key != "managedFields"}}
    assert without == to_document(service)
    assert owned(live, "alice") == wanted(config)


@given(CONFIGS, CONFIGS)
def test_force_takes_what_differs_and_shares_what_does_not(first, second):
    live = applied({}, first, "alice")
    forced = applied(live, second, "bob", force=True)
    assert owned(forced, "bob") == wanted(second)
    assert list(members(difference(owned(forced, "alice"), owned(live, "alice")))) == []
    shared = intersection(owned(forced, "alice"), owned(forced, "bob"))
    again = applied(forced, second, "carol")
    assert list(members(difference(shared, owned(again, "carol")))) == []


@given(CONFIGS, CONFIGS)
def test_conflicts_name_just_what_force_takes(first, second):
    live = applied({}, first, "alice")
    forced = applied(live, second, "bob", force=True)
    lost = {conflict_field(path) for path in members(difference(owned(live, "alice"), owned(forced, "alice")))}
    unforced, conflict = attempt(lambda: applied(live, second, "bob"))
    if conflict is None:
        assert unforced == forced
    assert {cause.field for cause in (conflict.causes if conflict else ())} == lost


@given(CONFIGS, CONFIGS)
def test_who_applies_nothing_any_more_leaves_the_others_as_they_are(first, second):
    live = applied({}, first, "alice")
    live = applied(live, second, "bob", force=True)
    empty = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    left = applied(live, empty, "alice")
    assert owned(left, "alice") == {}
    assert owned(left, "bob") == owned(live, "bob")
    assert applied(left, second, "bob") == left
    gone = applied(left, empty, "bob")
    assert "managedFields" not in gone["metadata"]
    assert set(gone["metadata"]) == {"name"}
    assert gone["spec"] == {}


@given(CONFIGS, CONFIGS, st.sampled_from(["alice", "poster"]))
def test_a_write_takes_what_it_changes_from_the_applier(config, document, manager):
    live = applied({}, config, "alice")
    after = written(live, document, manager)
    kept = owned_by_apply(after, "alice")
    assert list(members(difference(kept, owned(live, "alice")))) == []
    again = written(after, after, "other")
    assert again == after
    reapplied, conflict = attempt(lambda: applied(after, config, "alice"))
    if conflict is None:
        assert owned_by_apply(reapplied, "alice") == wanted(config)
    else:
        assert isinstance(conflict, Conflict)


def owned_by_apply(live, manager):
    for entry in live["metadata"].get("managedFields", []):
        if (entry["manager"], entry["operation"]) == (manager, "Apply"):
            return entry["fieldsV1"]
    return {}


@given(SERVICES, st.sampled_from([(), ("status",), ("spec",)]))
def test_the_fields_of_a_new_object_follow_from_its_shape(document, ignored):
    changed = compare(OF, empty(Service), document).ignoring(ignored)
    assert fields_of_new(Service, document, ignored) == strip(changed.written)


def test_objects_of_one_shape_set_the_same_fields():
    def fields(port, **spec):
        spec["ports"] = [{"port": port, "protocol": "TCP", "nodePort": port + 30000}]
        return fields_of_new(Service, {"metadata": {"labels": {"app": str(port)}}, "spec": spec}, ())

    assert fields(80, clusterIPs=["10.0.0.1"]) is not fields(81, clusterIPs=["10.0.0.1"])
    again = fields(80, clusterIPs=["10.0.0.2"], type="NodePort")
    assert again is fields(80, clusterIPs=["10.0.0.3"], type="ClusterIP")
    large = {"metadata": {"labels": {f"label-{number}": "" for number in range(1000)}}}
    assert fields_of_new(Service, large, ()) is not fields_of_new(Service, large, ())
    assert fields_of_new(Service, large, ()) == fields_of_new(Service, large, ())
