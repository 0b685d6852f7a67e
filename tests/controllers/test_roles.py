"""Default roles at the start, aggregation, and the index of bindings, over a real store."""

import random

import pytest

from app.cluster.role_bindings import RoleBindings
from app.domain.declarations.role_bindings import CLUSTER_ROLE_BINDING, ROLE_BINDING
from app.domain.declarations.roles import CLUSTER_ROLE, ROLE
from app.domain.rules.access.requests import ResourceRequest
from app.domain.user import User
from app.startup.default_roles import make_default_roles

RBAC = "rbac.authorization.k8s.io"
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
DISCOVERY = "system:discovery"


def rules(*resources, verb="get"):
    return [{"verbs": [verb], "apiGroups": [""], "resources": [each]} for each in resources]


def resources(role):
    return [rule.resources[0] for rule in role.rules or []]


@pytest.fixture
async def defaults(world):
    await make_default_roles(world.registry)
    return world


async def revisions(world):
    await world.parts.mirror.fresh()
    kinds = (CLUSTER_ROLE, CLUSTER_ROLE_BINDING)
    return {(each.kind, each.name): each.revision for kind in kinds for each in world.parts.mirror.list(kind.key, None)}


async def test_a_second_start_changes_nothing(defaults):
    before = await revisions(defaults)
    assert (CLUSTER_ROLE.key, "cluster-admin") in before
    await make_default_roles(defaults.registry)
    assert await revisions(defaults) == before


async def test_what_is_lacking_comes_back_and_what_was_added_stays(defaults):
    def change(role):
        role.rules = role.rules[:1]
        role.metadata.labels["own"] = "label"

    await defaults.change(CLUSTER_ROLE, "system:coredns", change, "")
    await defaults.delete(CLUSTER_ROLE, "system:external-dns", "")
    await defaults.change(CLUSTER_ROLE_BINDING, DISCOVERY, lambda binding: setattr(binding, "subjects", None), "")
    await make_default_roles(defaults.registry)
    role = await defaults.get(CLUSTER_ROLE, "system:coredns", "")
    assert role.metadata.labels["own"] == "label"
    assert "endpointslices" in resources(role)
    assert await defaults.get(CLUSTER_ROLE, "system:external-dns", "") is not None
    binding = await defaults.get(CLUSTER_ROLE_BINDING, DISCOVERY, "")
    assert [subject.name for subject in binding.subjects] == ["system:authenticated"]


async def test_what_an_administrator_keeps_is_kept(defaults):
    def keep(obj):
        obj.metadata.annotations[AUTOUPDATE] = "false"
        if hasattr(obj, "subjects"):
            obj.subjects = None
        else:
            obj.rules = None

    await defaults.change(CLUSTER_ROLE, "system:coredns", keep, "")
    await defaults.change(CLUSTER_ROLE_BINDING, DISCOVERY, keep, "")
    await make_default_roles(defaults.registry)
    assert (await defaults.get(CLUSTER_ROLE, "system:coredns", "")).rules is None
    assert (await defaults.get(CLUSTER_ROLE_BINDING, DISCOVERY, "")).subjects is None


async def test_a_default_binding_to_another_role_is_made_anew(defaults):
    await defaults.delete(CLUSTER_ROLE_BINDING, DISCOVERY, "")
    other = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"}
    await defaults.create(CLUSTER_ROLE_BINDING, {"metadata": {"name": DISCOVERY}, "roleRef": other}, "")
    await make_default_roles(defaults.registry)
    assert (await defaults.get(CLUSTER_ROLE_BINDING, DISCOVERY, "")).role_ref.name == DISCOVERY


async def test_a_role_gathers_the_rules_of_others_and_of_their_gatherers(defaults):
    async with defaults.reconciling_everything():
        label = {f"{RBAC}/aggregate-to-view": "true"}
        more = {"metadata": {"name": "more", "labels": label}, "rules": rules("widgets")}
        await defaults.create(CLUSTER_ROLE, more, "")
        for role in ("view", "edit", "admin"):
            await defaults.becomes(CLUSTER_ROLE, role, lambda found: "widgets" in resources(found), "")

        def overwrite(role):
            role.rules = None

        await defaults.change(CLUSTER_ROLE, "view", overwrite, "")
        await defaults.becomes(CLUSTER_ROLE, "view", lambda found: "widgets" in resources(found), "")
        await defaults.delete(CLUSTER_ROLE, "more", "")
        for role in ("view", "edit", "admin"):
            await defaults.becomes(CLUSTER_ROLE, role, lambda found: "widgets" not in resources(found), "")


async def test_the_index_is_what_it_would_be_if_it_were_built_anew(world):
    chance = random.Random(11)
    index = RoleBindings(world.parts.mirror)
    users = [User("ann", groups=("dev",)), User("bob"), User("system:serviceaccount:default:app")]
    subjects = [
        {"kind": "User", "name": "ann"},
        {"kind": "Group", "name": "dev"},
        {"kind": "User", "name": "bob"},
        {"kind": "ServiceAccount", "name": "app"},
        {"kind": "ServiceAccount", "name": "app", "namespace": "kube-public"},
    ]
    there = set()
    for step in range(60):
        kind = chance.choice([ROLE, CLUSTER_ROLE, ROLE_BINDING])
        name, namespace = chance.choice("abc"), chance.choice(["default", "kube-public"]) if kind.namespaced else ""
        key = (kind.key, namespace, name)
        if key in there:
            await world.delete(kind, name, namespace)
            there.discard(key)
            continue
        document = {"metadata": {"name": name}}
        if kind is ROLE_BINDING:
            document["subjects"] = chance.sample(subjects, 2)
            document["roleRef"] = {"kind": chance.choice(["Role", "ClusterRole"]), "name": chance.choice("abc")}
        else:
            document["rules"] = rules(*chance.sample(["services", "pods", "secrets"], 2))
        await world.create(kind, document, namespace)
        there.add(key)
        if step % 10 == 9:
            await world.parts.mirror.fresh()
            anew = RoleBindings(world.parts.mirror)
            asked = [
                ResourceRequest("get", "", resource, "", namespace, "x")
                for resource in ("services", "pods", "secrets")
                for namespace in ("default", "kube-public", "")
            ]
            for user in users:
                kept, made = index.rights_of(user), anew.rights_of(user)
                assert [kept.allows(each) for each in asked] == [made.allows(each) for each in asked]
