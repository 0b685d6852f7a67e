"""The default roles: what Kubernetes' own give, for the kinds that are served here."""

from dataclasses import replace

import pytest
from msgspec import structs

from app.domain.declarations.catalog import ALL
from app.domain.declarations.default_roles import default_cluster_role_bindings, default_cluster_roles
from app.domain.declarations.kind import Grants, Subresource
from app.domain.declarations.service import SERVICE
from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.meta import LabelSelector
from app.domain.kinds.role import AggregationRule, ClusterRole, PolicyRule
from app.domain.rules.access.aggregation import aggregated_rules
from app.domain.rules.access.reconciling import AUTOUPDATE, reconciled_binding, reconciled_role
from app.domain.rules.access.requests import PathRequest, ResourceRequest
from app.domain.rules.access.rights import Rights, compiled

ROLES = {role.metadata.name: role for role in default_cluster_roles()}
READ = {"get", "list", "watch"}
WRITE = {"create", "update", "patch", "delete", "deletecollection"}
VERBS = (*sorted(READ | WRITE), "impersonate", "bind", "escalate", "*")

TABLE = {
    # group, resource: what admin, edit and view may do (recorded from Kubernetes 1.36)
    ("", "services"): (READ | WRITE, READ | WRITE, READ),
    ("", "configmaps"): (READ | WRITE, READ | WRITE, READ),
    ("", "pods"): (READ | WRITE, READ | WRITE, READ),
    ("", "services/status"): (READ, READ, READ),
    ("", "pods/status"): (READ, READ, READ),
    ("", "endpoints"): (READ, READ, READ),
    ("discovery.k8s.io", "endpointslices"): (READ, READ, READ),
    ("", "events"): (READ | WRITE, READ | WRITE, READ),
    ("events.k8s.io", "events"): (READ | WRITE, READ | WRITE, READ),
    ("", "secrets"): (READ | WRITE, READ | WRITE, set()),
    ("coordination.k8s.io", "leases"): (READ | WRITE, READ | WRITE, set()),
    ("", "serviceaccounts"): (READ | WRITE | {"impersonate"}, READ | WRITE | {"impersonate"}, READ),
    ("", "namespaces"): (READ, READ, READ),
    ("rbac.authorization.k8s.io", "roles"): (READ | WRITE, set(), set()),
    ("rbac.authorization.k8s.io", "rolebindings"): (READ | WRITE, set(), set()),
    ("authorization.k8s.io", "localsubjectaccessreviews"): ({"create"}, set(), set()),
    ("", "nodes"): (set(), set(), set()),
    ("networking.k8s.io", "servicecidrs"): (set(), set(), set()),
    ("networking.k8s.io", "ipaddresses"): (set(), set(), set()),
    ("rbac.authorization.k8s.io", "clusterroles"): (set(), set(), set()),
    ("rbac.authorization.k8s.io", "clusterrolebindings"): (set(), set(), set()),
}


def verbs(role, group, path):
    rights = Rights(compiled(ROLES[role].rules))
    resource, _, subresource = path.partition("/")
    return {verb for verb in VERBS if rights.allows(ResourceRequest(verb, group, resource, subresource, "n", "x"))}


@pytest.mark.parametrize(("group", "resource"), TABLE)
def test_the_roles_for_people(group, resource):
    assert tuple(verbs(role, group, resource) for role in ("admin", "edit", "view")) == TABLE[group, resource]
    assert verbs("cluster-admin", group, resource) == set(VERBS)


def test_every_kind_has_its_rights_by_being_declared():
    for kind in ALL:
        served = set(kind.verbs)
        granted = {role: verbs(role, kind.group, kind.plural) for role in ("admin", "edit", "view")}
        assert granted["view"] <= granted["edit"] <= granted["admin"] <= served | {"impersonate"}
        if not kind.namespaced and kind.plural != "namespaces":
            assert granted["admin"] == set()
    team = replace(SERVICE, plural="gadgets")
    private = replace(SERVICE, plural="keys", grants=Grants("admin", "admin", ("sign",)), subresources=(
        Subresource("token", ("create",), lambda *_: None, lambda *_: [], writers="edit"),
    ))  # fmt: skip
    made = {role.metadata.name: Rights(compiled(role.rules)) for role in default_cluster_roles([team, private])}
    assert made["edit"].allows(ResourceRequest("create", "", "gadgets", namespace="n"))
    assert made["view"].allows(ResourceRequest("get", "", "gadgets", "status", "n", "x"))
    assert not made["edit"].allows(ResourceRequest("get", "", "keys", namespace="n"))
    assert made["admin"].allows(ResourceRequest("sign", "", "keys", namespace="n"))
    assert made["edit"].allows(ResourceRequest("create", "", "keys", "token", "n", "x"))
    assert not made["view"].allows(ResourceRequest("create", "", "keys", "token", "n", "x"))


def test_the_roles_for_programs():
    follow = {"list", "watch"}
    assert verbs("system:node-proxier", "", "services") == follow
    assert verbs("system:node-proxier", "discovery.k8s.io", "endpointslices") == follow
    assert verbs("system:node-proxier", "", "secrets") == set()
    assert verbs("system:coredns", "", "pods") == follow
    assert verbs("system:external-dns", "", "nodes") == READ
    assert verbs("system:registration-agent", "", "pods/status") == {"get", "patch", "update"}
    assert verbs("system:registration-agent", "", "services") == set()
    for role, path, allowed in (
        ("system:public-info-viewer", "/healthz", True),
        ("system:public-info-viewer", "/healthz/ping", False),
        ("system:public-info-viewer", "/metrics", False),
        ("system:discovery", "/openapi/v3/api/v1", True),
        ("system:discovery", "/metrics", False),
        ("system:monitoring", "/metrics", True),
        ("system:monitoring", "/readyz/mirror", True),
        ("system:service-account-issuer-discovery", "/openid/v1/jwks", True),
    ):
        assert Rights(compiled(ROLES[role].rules)).allows(PathRequest("get", path)) is allowed


def test_every_default_object_is_marked_and_bound_to_a_role_that_is_there():
    bindings = default_cluster_role_bindings()
    for each in (*ROLES.values(), *bindings):
        assert each.metadata.annotations == {AUTOUPDATE: "true"}
        assert each.metadata.labels["kubernetes.io/bootstrapping"] == "rbac-defaults"
    assert {binding.role_ref.name for binding in bindings} <= ROLES.keys()


def test_aggregation_is_in_order_and_without_repetition():
    def role(name, labels, *resources):
        rules = [PolicyRule(verbs=["get"], api_groups=[""], resources=[each]) for each in resources]
        return ClusterRole(metadata=ObjectMeta(name=name, labels=labels), rules=rules)

    selectors = [LabelSelector(match_labels={"b": "1"}), LabelSelector(match_labels={"a": "1"})]
    whole = role("whole", {"a": "1"}, "kept-out")
    whole.aggregation_rule = AggregationRule(selectors)
    others = [
        role("z", {"a": "1"}, "z1", "same"),
        role("c", {"a": "1", "b": "1"}, "same", "c1"),
        role("n", {}, "n1"),
        whole,
    ]
    assert [rule.resources[0] for rule in aggregated_rules(whole, others)] == ["same", "c1", "z1"]
    assert aggregated_rules(role("plain", {}), others) == []


def test_what_is_there_already_is_completed():
    (wanted,) = (role for role in default_cluster_roles() if role.metadata.name == "system:coredns")
    own = PolicyRule(verbs=["get"], api_groups=[""], resources=["secrets"])
    stored = ClusterRole(metadata=ObjectMeta(name="system:coredns", labels={"a": "b"}), rules=[own, wanted.rules[0]])
    completed = reconciled_role(stored, wanted)
    assert completed.rules[:2] == [own, wanted.rules[0]]
    assert Rights(compiled(completed.rules)).allows(ResourceRequest("watch", "discovery.k8s.io", "endpointslices"))
    assert completed.metadata.labels == {"a": "b", "kubernetes.io/bootstrapping": "rbac-defaults"}
    assert reconciled_role(completed, wanted) == completed
    kept = replace_metadata(stored, annotations={AUTOUPDATE: "false"})
    assert reconciled_role(kept, wanted) == kept


def test_aggregating_roles_get_selectors_and_no_rules():
    wanted, stored = ROLES["edit"], ClusterRole(metadata=ObjectMeta(name="edit"))
    completed = reconciled_role(stored, wanted)
    assert completed.rules is None
    assert completed.aggregation_rule == wanted.aggregation_rule
    assert reconciled_role(completed, wanted) == completed


def test_bindings_are_completed_or_made_anew():
    wanted = next(each for each in default_cluster_role_bindings() if each.metadata.name == "system:discovery")
    fewer = replace_metadata(wanted, annotations=None)
    fewer.subjects = None
    assert reconciled_binding(fewer, wanted).subjects == wanted.subjects
    other = replace_metadata(wanted)
    other.role_ref = type(wanted.role_ref)(wanted.role_ref.api_group, "ClusterRole", "view")
    assert reconciled_binding(other, wanted) is None
    protected = replace_metadata(other, annotations={AUTOUPDATE: "false"})
    assert reconciled_binding(protected, wanted) is protected


def replace_metadata(obj, **changed):
    return structs.replace(obj, metadata=structs.replace(obj.metadata, **changed))
