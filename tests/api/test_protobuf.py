"""Bodies as Go clients send them."""

import pytest

from app.api.bodies import Bodies
from app.api.headers import PROTOBUF
from app.api.meta_models import DeleteOptionsBody
from app.api.model_names import ModelNames, package_of
from app.api.protobuf.descriptors import MessageClasses, described_file
from app.api.protobuf.documents import DROPPED
from app.api.protobuf.field_numbers import field_numbers
from app.api.protobuf.messages import Messages
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.dns_record_set import DNS_RECORD_SET
from app.domain.declarations.reviews import REVIEWS
from app.domain.documents.decoding import Strictness, to_document
from app.domain.documents.schema import AnyType, ListType, MapType, StructType, schema_of
from app.domain.errors import BadRequest, UnsupportedMediaType
from app.domain.kinds.service import Service

KINDS = Kinds()
CREATE_NAMESPACE = bytes.fromhex(
    "6b3873000a0f0a02763112094e616d657370616365121c0a140a047465616d12001a0022002a0032003800420012001a020a001a002200"
)
"""What `kubectl create namespace team` sends."""
CREATE_NODE_PORT = bytes.fromhex(
    "6b3873000a0d0a02763112075365727669636512680a1f0a0377656212001a0022002a003200380042005a0a0a036170"
    "70120377656212410a1b0a0738302d38303830120354435018502207080010903f1a002800120a0a0361707012037765"
    "621a0022084e6f6465506f72743a00420052005a00600068001a020a001a002200"
)
"""What `kubectl create service nodeport web --tcp=80:8080` sends."""
CAN_I = bytes.fromhex(
    "6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c665375626a65637441636365"
    "737352657669657712400a100a0012001a0022002a0032003800420012220a200a0764656661756c7412036765741a00"
    "22002a08736572766963657332003a001a08080012001a0020001a002200"
)
"""What `kubectl auth can-i get services` sends."""


def message(model, package, **fields):
    """The body of an object, encoded from the same descriptions."""
    messages = Messages([(kind.model, package_of(kind)) for kind in KINDS], ModelNames(KINDS))
    encoded = messages.of(model, package)(**fields).SerializeToString()
    envelope = messages.envelope(raw=encoded)
    envelope.typeMeta.apiVersion, envelope.typeMeta.kind = "v1", model.__name__
    return b"k8s\x00" + envelope.SerializeToString()


def read(model, body):
    obj, warnings = Bodies([*KINDS, *REVIEWS]).decode(model, PROTOBUF, body, Strictness.STRICT)
    return to_document(obj), warnings


def test_a_service_is_read_whole():
    body = message(
        Service,
        "io.k8s.api.core.v1",
        metadata={
            "name": "web",
            "labels": {"app": "web"},
            "creationTimestamp": {},
            "deletionTimestamp": {"seconds": 1767323045},
            "ownerReferences": [{"apiVersion": "", "kind": "", "name": "o", "uid": "u", "controller": False}],
            "managedFields": [{"manager": "m", "fieldsV1": {"raw": b'{"f:spec":{}}'}}],
        },
        spec={
            "ports": [
                {"name": "", "port": 80, "targetPort": {"type": 0, "intVal": 8080}},
                {"name": "b", "port": 81, "targetPort": {"type": 1, "strVal": "http"}, "appProtocol": ""},
            ],
            "clusterIPs": ["None"],
            "healthCheckNodePort": 0,
            "allocateLoadBalancerNodePorts": False,
        },
    )
    document, warnings = read(Service, body)
    assert warnings == []
    assert document == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "web",
            "labels": {"app": "web"},
            "deletionTimestamp": "2026-01-02T03:04:05Z",
            "ownerReferences": [{"apiVersion": "", "kind": "", "name": "o", "uid": "u", "controller": False}],
            "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {}}}],
        },
        "spec": {
            "ports": [
                {"port": 80, "targetPort": 8080},
                {"name": "b", "port": 81, "targetPort": "http", "appProtocol": ""},
            ],
            "clusterIPs": ["None"],
            "allocateLoadBalancerNodePorts": False,
        },
        "status": {"loadBalancer": {}},
    }


def test_fields_that_are_not_known_are_warned_of():
    body = message(Service, "io.k8s.api.core.v1", spec={"type": "ClusterIP"})
    newer = MessageClasses(
        described_file("newer", {"Service": "spec=2:Spec", "Spec": "type=4:string later=999:string"})
    )
    classes = Messages([(Service, "io.k8s.api.core.v1")], ModelNames(KINDS))
    envelope = classes.envelope.FromString(body[4:])
    envelope.raw = newer["Service"](spec={"type": "ClusterIP", "later": "x"}).SerializeToString()
    document, warnings = read(Service, b"k8s\x00" + envelope.SerializeToString())
    assert document["spec"]["type"] == "ClusterIP"
    assert warnings == [DROPPED]


def test_deletion_options_are_read():
    classes = MessageClasses(
        described_file("o", {"Options": "preconditions=2:P propagationPolicy=4:string", "P": "uid=1:string"})
    )
    envelope = MessageClasses(described_file("u", {"Unknown": "raw=2:bytes"}))["Unknown"]
    raw = classes["Options"](preconditions={"uid": "u"}, propagationPolicy="Orphan").SerializeToString()
    document, _ = read(DeleteOptionsBody, b"k8s\x00" + envelope(raw=raw).SerializeToString())
    assert document == {"preconditions": {"uid": "u"}, "propagationPolicy": "Orphan"}


@pytest.mark.parametrize(
    "body", [b"", b"k8s", b"{}", b"k8s\x00\xff", b"k8s\x00\x12\x02\xff\xff", b"k8s\x00\x12\x04\x0a\x02\x0a\xff"]
)
def test_what_is_no_protobuf_is_a_bad_request(body):
    with pytest.raises(BadRequest):
        read(Service, body)


def test_text_that_is_no_utf8_is_a_bad_request():
    body = message(Service, "io.k8s.api.core.v1", spec={"type": "XXXX"}).replace(b"XXXX", b"\xff\xfe\xff\xfe")
    with pytest.raises(BadRequest):
        read(Service, body)


def test_kinds_of_our_own_have_no_protobuf_form():
    with pytest.raises(UnsupportedMediaType):
        read(DNS_RECORD_SET.model, b"k8s\x00")


NEWER_THAN_THE_TABLE = {
    "NodeStatus.declaredFeatures",
    "PodSpec.hostnameOverride",
    "PodSpec.schedulingGroup",
    "Container.restartPolicyRules",
    "PodStatus.allocatedResources",
    "PodStatus.nodeAllocatableResourceClaimStatuses",
    "PodStatus.extendedResourceClaimStatus",
    "PodStatus.resources",
}
IN_THE_ENVELOPE = {"apiVersion", "kind"}


JSON_ONLY = {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
"""Their messages have a part that is no part of the document; a protobuf body of theirs is refused with 415."""


def test_every_field_of_kubernetes_kinds_has_a_number():
    """So that a field added to a model is not silently dropped from protobuf bodies."""
    names = ModelNames(KINDS)
    missing = set()

    def visit(struct, package, seen):
        name = names.name(struct.model, package)
        if name in seen:
            return
        seen.add(name)
        numbers = field_numbers(name) or {}
        for wire, field in struct.fields.items():
            of = field.type
            while isinstance(of, ListType | MapType):
                of = of.item if isinstance(of, ListType) else of.value
            if isinstance(of, StructType):
                visit(of, package, seen)
            if wire not in numbers and not isinstance(of, AnyType) and wire not in IN_THE_ENVELOPE:
                missing.add(f"{struct.model.__name__}.{wire}")

    for kind in KINDS:
        if kind.schema.startswith("io.k8s.") and kind.name not in JSON_ONLY:
            visit(schema_of(kind.model), package_of(kind), set())
    assert missing - NEWER_THAN_THE_TABLE == set()


def test_kubectls_service_is_read():
    document, warnings = read(Service, CREATE_NODE_PORT)
    assert warnings == []
    assert document["metadata"] == {"name": "web", "labels": {"app": "web"}}
    assert document["spec"] == {
        "ports": [{"name": "80-8080", "protocol": "TCP", "port": 80, "targetPort": 8080}],
        "selector": {"app": "web"},
        "type": "NodePort",
    }


async def test_kubectl_is_served(api):
    headers = {"content-type": PROTOBUF, "accept": "application/vnd.kubernetes.protobuf,application/json"}
    made = await api.post("/api/v1/namespaces", content=CREATE_NAMESPACE, headers=headers)
    assert made.status_code == 201, made.text
    assert made.json()["metadata"]["name"] == "team"
    may = await api.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", content=CAN_I, headers=headers)
    assert may.json()["status"]["allowed"] is True
    garbled = await api.post("/api/v1/namespaces", content=CREATE_NAMESPACE[:-3], headers=headers)
    assert garbled.status_code == 400
    strange = await api.post("/api/v1/namespaces", content=CREATE_NODE_PORT, headers=headers)
    assert strange.status_code == 400
