import msgspec
import pytest

from app.domain.declarations.role_bindings import CLUSTER_ROLE_BINDING, ROLE_BINDING
from app.domain.declarations.roles import CLUSTER_ROLE, ROLE
from app.domain.documents.encoding import encode_body
from tests.unit.rule_runner import CLUSTER

RBAC = "rbac.authorization.k8s.io"
GET_PODS = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
VIEW = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"}


def made(kind, document):
    obj = msgspec.convert({"metadata": {"name": "x"}, **document}, type=kind.model)
    obj.api_version, obj.kind = kind.api_version, kind.name
    kind.strategy.default(obj)
    return obj


def fields(kind, document):
    causes = kind.strategy.validate_create(made(kind, document), CLUSTER)
    return sorted((cause.field, cause.reason.removeprefix("FieldValue")) for cause in causes)


def at(where, wrong):
    return [(f"{where}.{field}", reason) for field, reason in wrong]


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        (GET_PODS, []),
        ({**GET_PODS, "resources": ["pods/*"], "verbs": ["fly"]}, []),
        ({**GET_PODS, "verbs": []}, [("verbs", "Required")]),
        ({"verbs": ["get"]}, [("apiGroups", "Required"), ("resources", "Required")]),
        ({}, [("apiGroups", "Required"), ("resources", "Required"), ("verbs", "Required")]),
        ({"nonResourceURLs": ["/x"]}, [("verbs", "Required")]),
        ({"nonResourceURLs": ["noslash", "/a*b"], "verbs": ["get"]}, []),
        ({**GET_PODS, "nonResourceURLs": ["/x"]}, [("nonResourceURLs", "Invalid")]),
        ({"resourceNames": ["a"], "nonResourceURLs": ["/x"], "verbs": ["get"]}, [("nonResourceURLs", "Invalid")]),
    ],
)
def test_rules(rule, wrong):
    expected = at("rules[0]", wrong)
    assert fields(CLUSTER_ROLE, {"rules": [rule]}) == expected
    paths = [("rules[0].nonResourceURLs", "Invalid")] if "nonResourceURLs" in rule else []
    assert fields(ROLE, {"rules": [rule]}) == sorted(paths + expected)


@pytest.mark.parametrize(
    ("selectors", "wrong"),
    [
        ([{"matchLabels": {"a": "b"}}], []),
        ([], [("", "Required")]),
        (None, [("", "Required")]),
        ([{"matchLabels": {"a": "b"}}, {"matchLabels": {"!": "b"}}], [("[1].matchLabels", "Invalid")]),
    ],
)
def test_aggregation_rules(selectors, wrong):
    expected = [(f"aggregationRule.clusterRoleSelectors{field}", reason) for field, reason in wrong]
    assert sorted(set(fields(CLUSTER_ROLE, {"aggregationRule": {"clusterRoleSelectors": selectors}}))) == expected


@pytest.mark.parametrize(
    ("subject", "wrong", "wrong_in_cluster"),
    [
        ({"kind": "User", "name": "a"}, [], []),
        ({"kind": "Group", "apiGroup": "", "name": "a", "namespace": "z"}, [], []),
        ({"kind": "ServiceAccount", "name": "a", "namespace": "n"}, [], []),
        ({"kind": "ServiceAccount", "name": "a"}, [], [("namespace", "Required")]),
        ({"kind": "ServiceAccount", "name": "A_", "namespace": "n"}, [("name", "Invalid")], None),
        (
            {"kind": "ServiceAccount", "name": "a", "namespace": "n", "apiGroup": RBAC},
            [("apiGroup", "NotSupported")],
            None,
        ),
        ({"kind": "User", "name": "a", "apiGroup": "x"}, [("apiGroup", "NotSupported")], None),
        ({"kind": "User"}, [("name", "Required")], None),
        ({"name": "a"}, [("kind", "NotSupported")], None),
        ({"kind": "Bogus", "name": "a"}, [("kind", "NotSupported")], None),
    ],
)  # fmt: skip
def test_subjects(subject, wrong, wrong_in_cluster):
    for kind, expected in ((ROLE_BINDING, wrong), (CLUSTER_ROLE_BINDING, wrong_in_cluster)):
        found = fields(kind, {"subjects": [subject], "roleRef": VIEW})
        assert found == at("subjects[0]", wrong if expected is None else expected)


@pytest.mark.parametrize(
    ("role", "wrong", "wrong_in_cluster"),
    [
        (VIEW, [], []),
        ({"kind": "ClusterRole", "name": "view"}, [], []),
        ({"kind": "Role", "name": "a:b"}, [], [("kind", "NotSupported")]),
        ({"kind": "Role", "name": "a/b"}, [("name", "Invalid")], [("kind", "NotSupported"), ("name", "Invalid")]),
        ({"kind": "ClusterRole", "name": ".."}, [("name", "Invalid")], None),
        ({"apiGroup": "x", "kind": "ClusterRole"}, [("apiGroup", "NotSupported"), ("name", "Required")], None),
        ({"kind": "Bogus", "name": "a"}, [("kind", "NotSupported")], None),
    ],
)
def test_roles_of_bindings(role, wrong, wrong_in_cluster):
    for kind, expected in ((ROLE_BINDING, wrong), (CLUSTER_ROLE_BINDING, wrong_in_cluster)):
        assert fields(kind, {"roleRef": role}) == at("roleRef", wrong if expected is None else expected)


@pytest.mark.parametrize("kind", [ROLE_BINDING, CLUSTER_ROLE_BINDING], ids=lambda kind: kind.name)
def test_a_binding_keeps_its_role(kind):
    old = made(kind, {"roleRef": VIEW})
    same = made(kind, {"roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [{"kind": "User", "name": "a"}]})
    other = made(kind, {"roleRef": {**VIEW, "name": "edit"}})
    assert kind.strategy.validate_update(same, old, CLUSTER) == []
    assert [cause.field for cause in kind.strategy.validate_update(other, old, CLUSTER)] == ["roleRef"]


def test_lists_are_written_as_kubernetes_writes_them():
    assert b'"rules":null' in encode_body(made(ROLE, {}))
    assert b"subjects" not in encode_body(made(ROLE_BINDING, {"roleRef": VIEW}))


def test_cells():
    subjects = [
        {"kind": "User", "name": "ann"},
        {"kind": "User", "name": "bob"},
        {"kind": "Group", "name": "ops"},
        {"kind": "ServiceAccount", "name": "app", "namespace": "shop"},
    ]
    binding = made(ROLE_BINDING, {"roleRef": VIEW, "subjects": subjects})
    cells = {column.name: column.cell(binding, "") for column in ROLE_BINDING.columns if column.name != "Age"}
    assert cells == {
        "Name": "x",
        "Role": "ClusterRole/view",
        "Users": "ann, bob",
        "Groups": "ops",
        "ServiceAccounts": "shop/app",
    }
