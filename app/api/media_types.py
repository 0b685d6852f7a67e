"""The media types of requests and answers."""

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
OBJECTS = (JSON, YAML, PROTOBUF)
"""What an object or options may be sent as."""

SWAGGER_AS_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
SWAGGER_AS_PROTOBUF_ASKED = ("application/com.github.proto-openapi.spec.v2@v1.0+protobuf", SWAGGER_AS_PROTOBUF)
"""Clients ask with an `@`, which no media type may have; answered so, they cannot read it."""
