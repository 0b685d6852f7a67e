"""Swagger 2.0 as protobuf (openapi.v2.Document of gnostic), which kubectl before 1.29 reads before it applies.

It has the fields that `swagger_document` uses.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from app.api.openapi.content import Document
from app.api.protobuf.descriptors import MessageClasses, described_file

_PARAMETER = "required=1:bool in=2:string description=3:string name=4:string"
_TABLE = {
    "Document": "swagger=1:string info=2:Info paths=8:Paths definitions=9:Definitions",
    "Info": "title=1:string version=2:string",
    "Paths": "path=2:NamedPathItem*",
    "NamedPathItem": "name=1:string value=2:PathItem",
    "PathItem": "get=2:Operation put=3:Operation post=4:Operation delete=5:Operation patch=8:Operation",
    "Operation": (
        "tags=1:string* description=3:string operation_id=5:string produces=6:string* consumes=7:string* "
        "parameters=8:ParametersItem* responses=9:Responses vendor_extension=13:NamedAny*"
    ),
    "ParametersItem": "parameter=1:Parameter",
    "Parameter": "body_parameter=1:BodyParameter non_body_parameter=2:NonBodyParameter",
    "BodyParameter": "name=2:string in=3:string required=4:bool schema=5:Schema",
    "NonBodyParameter": "header=1:HeaderParameter query=3:QueryParameter path=4:PathParameter",
    "HeaderParameter": f"{_PARAMETER} type=5:string",
    "QueryParameter": f"{_PARAMETER} type=6:string",
    "PathParameter": f"{_PARAMETER} type=5:string",
    "Responses": "response_code=1:NamedResponseValue*",
    "NamedResponseValue": "name=1:string value=2:ResponseValue",
    "ResponseValue": "response=1:Response",
    "Response": "description=1:string schema=2:SchemaItem",
    "SchemaItem": "schema=1:Schema",
    "Definitions": "additional_properties=1:NamedSchema*",
    "NamedSchema": "name=1:string value=2:Schema",
    "Schema": (
        "_ref=1:string format=2:string description=4:string required=19:string* "
        "additional_properties=21:AdditionalPropertiesItem type=22:TypeItem items=23:ItemsItem "
        "properties=25:Properties vendor_extension=31:NamedAny*"
    ),
    "AdditionalPropertiesItem": "schema=1:Schema boolean=2:bool",
    "TypeItem": "value=1:string*",
    "ItemsItem": "schema=1:Schema*",
    "Properties": "additional_properties=1:NamedSchema*",
    "NamedAny": "name=1:string value=2:Any",
    "Any": "yaml=2:string",
}


def swagger_protobuf(document: Document) -> bytes:
    """A Swagger document as protobuf."""
    message = _classes()["Document"](swagger=document["swagger"], info=document["info"])
    _named(message.paths.path, document["paths"], _path_item)
    _named(message.definitions.additional_properties, document["definitions"], _schema)
    written: bytes = message.SerializeToString(deterministic=True)
    return written


@cache
def _classes() -> MessageClasses:
    return MessageClasses(described_file("openapi.v2", _TABLE))


def _named(entries: Any, values: Mapping[str, Any], write: Callable[[Any, Any], None]) -> None:
    """Add a map, which gnostic has as a list of names and values."""
    for name, value in values.items():
        entry = entries.add(name=name)
        entry.value.SetInParent()
        write(entry.value, value)


def _path_item(message: Any, item: Document) -> None:
    for method, operation in item.items():
        _operation(getattr(message, method), operation)


def _operation(message: Any, operation: Document) -> None:
    for name in ("tags", "consumes", "produces"):
        getattr(message, name).extend(operation[name])
    message.description, message.operation_id = operation["description"], operation["operationId"]
    for parameter in operation["parameters"]:
        _parameter(message.parameters.add().parameter, parameter)
    _named(message.responses.response_code, operation["responses"], _response)
    _extensions(message, operation)


def _parameter(message: Any, parameter: Document) -> None:
    if parameter["in"] == "body":
        body = message.body_parameter
        body.name, body.required = parameter["name"], parameter["required"]
        setattr(body, "in", "body")
        _schema(body.schema, parameter["schema"])
        return
    other = getattr(message.non_body_parameter, parameter["in"])
    for name in ("required", "in", "description", "name", "type"):
        setattr(other, name, parameter[name])


def _response(message: Any, response: Document) -> None:
    message.response.description = response["description"]
    if "schema" in response:
        _schema(message.response.schema.schema, response["schema"])


def _schema(message: Any, schema: Document) -> None:
    message.SetInParent()
    for field, name in (("_ref", "$ref"), ("format", "format"), ("description", "description")):
        if name in schema:
            setattr(message, field, schema[name])
    message.required.extend(schema.get("required", ()))
    if "type" in schema:
        message.type.value.append(schema["type"])
    if "items" in schema:
        _schema(message.items.schema.add(), schema["items"])
    extra = schema.get("additionalProperties")
    if isinstance(extra, bool):
        message.additional_properties.boolean = extra
    elif extra is not None:
        _schema(message.additional_properties.schema, extra)
    if "properties" in schema:
        _named(message.properties.additional_properties, schema["properties"], _schema)
    _extensions(message, schema)


def _extensions(message: Any, document: Document) -> None:
    """Add the vendor extensions. Gnostic has them as YAML; JSON is YAML, too."""
    for name, value in document.items():
        if name.startswith("x-"):
            message.vendor_extension.add(name=name).value.yaml = msgspec.json.encode(value).decode()
