from typing import Annotated

import msgspec
import pytest

from app.domain.declarations.catalog import ALL
from app.domain.documents.objects import ObjectMeta
from app.domain.documents.schema import AnyType, ListType, MapType, ScalarType, StructType, schema_of
from app.domain.documents.wire import Wire
from app.domain.kinds.service import Service


def structs(of, seen):
    """Every struct that a type is made of."""
    match of:
        case StructType() if of.model not in seen:
            seen[of.model] = of
            for field in of.fields.values():
                structs(field.type, seen)
        case ListType(item=inner) | MapType(value=inner):
            structs(inner, seen)
    return seen


EVERY = {}
for kind in ALL:
    structs(schema_of(kind.model), EVERY)
FIELDS = [
    (f"{model.__name__}.{field.wire}", field) for model, struct in EVERY.items() for field in struct.fields.values()
]


def test_a_model_is_described_by_wire_names():
    service = schema_of(Service)
    assert list(service.fields) == ["apiVersion", "kind", "metadata", "spec", "status"]
    assert service.fields["metadata"].type is schema_of(ObjectMeta)
    spec = service.fields["spec"].type
    assert spec.fields["clusterIPs"].name == "cluster_ips"
    assert spec.fields["ports"].type.item.fields["targetPort"].type.names == ("integer", "string")


def test_lists_and_maps_say_how_they_merge():
    spec = schema_of(Service).fields["spec"].type
    ports = spec.fields["ports"].type
    assert (ports.merge, ports.keys, ports.strategic, ports.merge_key) == ("map", ("port", "protocol"), True, "port")
    assert ports.item.fields["protocol"].default == "TCP"
    assert spec.fields["externalIPs"].type == ListType(ScalarType(("string",)), "atomic")
    assert spec.fields["selector"].type.atomic
    metadata = schema_of(ObjectMeta)
    finalizers = metadata.fields["finalizers"].type
    assert (finalizers.merge, finalizers.strategic, finalizers.merge_key) == ("set", True, "")
    assert not metadata.fields["labels"].type.atomic
    owners = metadata.fields["ownerReferences"].type
    assert (owners.keys, owners.item.atomic) == (("uid",), True)
    assert metadata.fields["managedFields"].keeps_empty


def test_a_value_that_documents_require_is_shown_even_if_it_is_zero():
    for model, struct in EVERY.items():
        zero = msgspec.to_builtins(model())
        required = [field for field in struct.fields.values() if field.name in model.required]
        assert len(required) == len(model.required)
        assert [field.wire for field in required if isinstance(field.type, ScalarType) and field.wire not in zero] == []


def has_go_s_width(field):
    of = field.type.item if isinstance(field.type, ListType) else field.type
    if not isinstance(of, ScalarType) or "integer" not in of.names:
        return True
    counts = {"generation", "observedGeneration", "sizeBytes", "serial", "size", "used", "reserved", "free"}
    counts |= {"revision", "offset"}
    wide = field.wire in counts or field.wire.endswith("Seconds")
    return (of.minimum, of.maximum) == (-(2**31), 2**31 - 1) or (wide and of.maximum == 2**63 - 1)


def is_a_moment_if_its_name_says_so(field):
    named = field.wire == "time" or field.wire.endswith(("Timestamp", "Time", "startedAt", "finishedAt"))
    return not named or (field.type.format == "date-time" and bool(field.type.pattern))


def merges_by_fields_of_its_items(field):
    of = field.type
    if not isinstance(of, ListType):
        return True
    keys = {*of.keys, *([of.merge_key] if of.merge_key else [])}
    known = set(of.item.fields) if isinstance(of.item, StructType) else keys
    return of.merge in ("atomic", "set", "map") and (of.merge == "map") == bool(of.keys) and keys <= known


@pytest.mark.parametrize("rule", [has_go_s_width, is_a_moment_if_its_name_says_so, merges_by_fields_of_its_items])
def test_every_field_of_every_kind_is_declared_in_full(rule):
    assert len(FIELDS) > 100
    assert [name for name, field in FIELDS if not rule(field)] == []


def test_what_has_no_meaning_on_the_wire_is_refused():
    class Odd(Wire):
        value: Annotated[set[int], "no JSON"] = frozenset()

    class Foreign(Wire):
        value: complex = 0j

    for model in (Odd, Foreign):
        with pytest.raises(TypeError):
            schema_of(model)


def test_free_forms_are_kept_as_they_are():
    fields = schema_of(ObjectMeta).fields["managedFields"].type.item.fields["fieldsV1"]
    assert fields.type == MapType(AnyType())
