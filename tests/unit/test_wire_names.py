"""The models spell their fields as the official SDK does, which is generated from Kubernetes' own document."""

import pytest
from kubernetes import client

from app.domain.declarations.catalog import ALL
from app.domain.documents.schema import ListType, MapType, ScalarType, StructType, schema_of

RENAMED = {
    ("event", "Event"): "CoreV1Event",
    ("event", "EventSeries"): "CoreV1EventSeries",
    ("events_event", "Event"): "EventsV1Event",
    ("events_event", "EventSeries"): "EventsV1EventSeries",
    ("endpoints", "EndpointPort"): "CoreV1EndpointPort",
    ("endpoint_slice", "EndpointPort"): "DiscoveryV1EndpointPort",
    ("role_binding", "Subject"): "RbacV1Subject",
}
SCALARS = {"string": "str", "integer": "int", "boolean": "bool", "number": "float"}


def models(of, found):
    if isinstance(of, StructType) and of.model not in found:
        found[of.model] = of
        for field in of.fields.values():
            models(field.type, found)
    elif isinstance(of, ListType):
        models(of.item, found)
    elif isinstance(of, MapType):
        models(of.value, found)
    return found


def counterpart(model):
    module = model.__module__.rpartition(".")[2]
    return getattr(client, RENAMED.get((module, model.__name__), f"V1{model.__name__}"))


MODELS = {}
for kind in ALL:
    if kind.group != "fairlead.io":
        models(schema_of(kind.model), MODELS)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.__module__.rpartition('.')[2]}.{model.__name__}")
def test_fields_are_spelled_and_typed_as_in_the_sdk(model):
    sdk = counterpart(model)
    attributes = {wire: attribute for attribute, wire in sdk.attribute_map.items()}
    fields = MODELS[model].fields
    assert fields.keys() <= attributes.keys()
    for wire, field in fields.items():
        theirs = sdk.openapi_types[attributes[wire]]
        match field.type:
            case ListType():
                assert theirs.lower().startswith("list[")
            case ScalarType(format="date-time"):
                assert theirs == "datetime"
            case ScalarType(names=[name]):
                assert theirs == SCALARS[name]
            case StructType(model=inner):
                assert theirs == counterpart(inner).__name__
            case MapType():
                assert theirs == "object" or theirs.lower().startswith(("dict(", "dict[", "v1"))
