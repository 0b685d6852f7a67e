"""An example of each kind, and of each operation on it: what the documentation shows, and what works as it stands.

Examples are made, read, changed and deleted in the order of the verbs. Objects that the server makes by itself are
named as it names them.
"""

from collections.abc import Mapping
from typing import Any

from app.api.openapi.operations import Operation
from app.domain.declarations.kind import Kind

Document = dict[str, Any]

NAME, NAMESPACE = "example", "default"
_LABELS: Document = {"metadata": {"labels": {"tier": "front"}}}
_POD_PORT: Document = {"name": "http", "containerPort": 8080}
_PORT: Document = {"name": "http", "port": 80, "targetPort": 8080}
_SUBJECT: Document = {"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"}
_RULE: Document = {"apiGroups": [""], "resources": ["services"], "verbs": ["get", "list", "watch"]}
_QUESTION: Document = {"resourceAttributes": {"namespace": NAMESPACE, "verb": "list", "resource": "services"}}
_RBAC = "rbac.authorization.k8s.io"

_CONTENTS: Mapping[str, Document] = {
    "services": {"spec": {"type": "LoadBalancer", "selector": {"app": NAME}, "ports": [_PORT]}},
    "namespaces": {"spec": {"finalizers": ["kubernetes"]}},
    "events": {
        "involvedObject": {"kind": "Service", "namespace": NAMESPACE, "name": NAME},
        "reason": "Checked",
        "message": "an operator looked at it",
        "type": "Normal",
    },
    "endpoints": {"subsets": [{"addresses": [{"ip": "172.16.0.1"}], "ports": [{"name": "http", "port": 8080}]}]},
    "nodes": {},
    "pods": {"metadata": {"labels": {"app": NAME}}, "spec": {"containers": [{"name": "main", "ports": [_POD_PORT]}]}},
    "configmaps": {"data": {"colour": "blue"}},
    "secrets": {"stringData": {"password": "not-a-real-one"}},
    "serviceaccounts": {},
    "resourcequotas": {"spec": {"hard": {"services.loadbalancers": "5", "fairlead.io/external-addresses": "5"}}},
    "endpointslices.discovery.k8s.io": {
        "metadata": {"labels": {"kubernetes.io/service-name": NAME}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["172.16.0.1"]}],
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    },
    "servicecidrs.networking.k8s.io": {"spec": {"cidrs": ["10.97.0.0/24"]}},
    "ipaddresses.networking.k8s.io": {
        "spec": {"parentRef": {"resource": "services", "namespace": NAMESPACE, "name": NAME}}
    },
    "leases.coordination.k8s.io": {"spec": {"leaseDurationSeconds": 15, "holderIdentity": "somebody"}},
    "events.events.k8s.io": {
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "regarding": {"kind": "Service", "namespace": NAMESPACE, "name": NAME},
        "reason": "Checked",
        "action": "Look",
        "reportingController": "example.com/portal",
        "reportingInstance": "portal-1",
        "note": "an operator looked at it",
        "type": "Normal",
    },
    "validatingadmissionpolicies.admissionregistration.k8s.io": {
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["services"]}
                ]
            },
            "validations": [{"expression": "object.metadata.name.size() <= 40", "message": "a shorter name, please"}],
        }
    },
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": {
        "spec": {"policyName": NAME, "validationActions": ["Warn"]}
    },
    f"clusterroles.{_RBAC}": {"rules": [_RULE]},
    f"clusterrolebindings.{_RBAC}": {
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "view"},
        "subjects": [_SUBJECT],
    },
    f"roles.{_RBAC}": {"rules": [_RULE]},
    f"rolebindings.{_RBAC}": {
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "view"},
        "subjects": [_SUBJECT],
    },
    "addresspools.fairlead.io": {"spec": {"scope": "external", "addresses": ["203.0.113.0/24"], "autoAssign": False}},
    "dnszones.fairlead.io": {"spec": {"name": "example.org", "kind": "public"}},
    "staticaddresses.fairlead.io": {"spec": {"pool": "external"}},
    "tokenreviews.authentication.k8s.io": {"spec": {"token": "not-a-real-one"}},
    "selfsubjectreviews.authentication.k8s.io": {},
    "tokenrequests.authentication.k8s.io": {"spec": {"expirationSeconds": 3600}},
    "localsubjectaccessreviews.authorization.k8s.io": {"spec": {"user": "alice", **_QUESTION}},
    "selfsubjectaccessreviews.authorization.k8s.io": {"spec": _QUESTION},
    "selfsubjectrulesreviews.authorization.k8s.io": {"spec": {"namespace": NAMESPACE}},
    "subjectaccessreviews.authorization.k8s.io": {"spec": {"user": "alice", **_QUESTION}},
}
_STATUS: Mapping[str, Document] = {"namespaces": {"phase": "Active"}}
"""What a PUT of the status has to have."""
_NAMES = {
    "endpoints": "by-hand",
    "ipaddresses.networking.k8s.io": "10.96.255.9",
    "dnsrecordsets.fairlead.io": f"{NAME}.a",
    "dataplanes.fairlead.io": "embedded",
    "events.events.k8s.io": "example-of-events",
}
_WITHOUT_NAME = ("authentication.k8s.io", "authorization.k8s.io")
_BULK: Document = {
    "apiVersion": "v1",
    "kind": "List",
    "items": [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": f"{NAME}-{number}", "namespace": NAMESPACE},
            "spec": {"selector": {"app": NAME}, "ports": [{"port": 80}]},
        }
        for number in (1, 2)
    ],
}


def bulk_example() -> Document:
    """Two Services at once."""
    return _BULK


def name_of(kind: Kind[Any]) -> str:
    """The name of the example."""
    return _NAMES.get(kind.key, NAME)


def example_of(kind: Kind[Any]) -> Document | None:
    """The example of a kind, None where nobody has written one."""
    if kind.key not in _CONTENTS:
        return None
    contents = _CONTENTS[kind.key]
    identity: Document = {"apiVersion": kind.api_version, "kind": kind.name}
    if kind.group in _WITHOUT_NAME:
        return identity | contents
    return identity | contents | {"metadata": {"name": name_of(kind), **contents.get("metadata", {})}}


def body_example(operation: Operation) -> Document | None:
    """The example of a request's body."""
    if operation.body == "patch":
        return _LABELS
    example = example_of(operation.carried) if operation.body == "object" else None
    if example is not None and operation.path.endswith("/status") and operation.kind.key in _STATUS:
        return example | {"status": _STATUS[operation.kind.key]}
    return example


def path_example(operation: Operation, parameter: str) -> str:
    """The example of a parameter in the path."""
    return NAMESPACE if parameter == "namespace" else name_of(operation.kind)
