"""Nobody gives away what they do not have."""

import pytest

from tests.api.access.conftest import RBAC, rule

HERE = f"{RBAC}/namespaces/default"
GET, SECRETS = rule("get", "services"), rule("get", "secrets")
MANAGE = rule("get create update patch delete", "roles rolebindings", group="rbac.authorization.k8s.io")


def role(name, *rules, **metadata):
    return {"metadata": {"name": name, **metadata}, "rules": list(rules)}


def binding(name, to, kind="Role"):
    subjects = [{"kind": "User", "name": "dave"}]
    return {"metadata": {"name": name}, "roleRef": {"kind": kind, "name": to}, "subjects": subjects}


@pytest.fixture
async def manager(people):
    """alice may write roles and bindings, and read Services, in one namespace."""
    await people.may("alice", GET, MANAGE, namespace="default")
    await people.make(f"{HERE}/roles", "secretive", rules=[SECRETS])
    yield people.alice
    for kind in ("roles", "rolebindings"):
        await people.admin.delete(f"{HERE}/{kind}?labelSelector=made%3Dhere")


async def allowed(answer):
    assert answer.is_success, answer.text


async def escalates(answer, resource, name, lacking=SECRETS):
    assert answer.status_code == 403, answer.text
    status = answer.json()
    first, *missing = status["message"].splitlines()
    groups = '["developers" "system:authenticated"]'
    assert first == (
        f'{resource}.rbac.authorization.k8s.io "{name}" is forbidden: user "alice" (groups={groups}) is attempting '
        "to grant RBAC permissions not currently held:"
    )
    assert lacking["resources"][0] in missing[0]
    assert status["details"] == {"group": "rbac.authorization.k8s.io", "kind": resource, "name": name}


async def test_a_role_gives_only_what_its_writer_has(manager):
    made = {"labels": {"made": "here"}}
    await allowed(await manager.post(f"{HERE}/roles", json=role("own", GET, **made)))
    await escalates(await manager.post(f"{HERE}/roles", json=role("own2", GET, SECRETS)), "roles", "own2")
    await escalates(await manager.put(f"{HERE}/roles/own", json=role("own", SECRETS, **made)), "roles", "own")
    await escalates(await manager.put(f"{HERE}/roles/own2", json=role("own2", SECRETS)), "roles", "own2")
    merge = {"content-type": "application/merge-patch+json"}
    patch = await manager.patch(f"{HERE}/roles/own", json={"rules": [GET, SECRETS]}, headers=merge)
    await escalates(patch, "roles", "own")
    apply = {"content-type": "application/apply-patch+yaml"}
    applied = await manager.patch(f"{HERE}/roles/own3?fieldManager=m", json={
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", **role("own3", SECRETS),
    }, headers=apply)  # fmt: skip
    await escalates(applied, "roles", "own3")
    relabelled = role("secretive", SECRETS, labels={"a": "b"})
    await escalates(await manager.put(f"{HERE}/roles/secretive", json=relabelled), "roles", "secretive")


async def test_bulk_apply_escalates_no_more_than_the_rest(manager, people):
    item = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", **role("bulky", SECRETS, namespace="default")}
    answer = await manager.post("/apis/fairlead.io/v1/apply?fieldManager=m", json=item)
    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")
    assert "not currently held" in answer.json()["details"]["causes"][0]["message"]
    assert (await people.admin.get(f"{HERE}/roles/bulky")).status_code == 404


async def test_a_role_can_always_be_deleted_and_let_go(manager, people):
    merge = {"content-type": "application/merge-patch+json"}
    held = {"metadata": {"finalizers": ["example.com/hold"]}}
    await allowed(await people.admin.patch(f"{HERE}/roles/secretive", json=held, headers=merge))
    await allowed(await manager.delete(f"{HERE}/roles/secretive"))
    released = {"metadata": {"finalizers": None}}
    await allowed(await manager.patch(f"{HERE}/roles/secretive", json=released, headers=merge))
    assert (await people.admin.get(f"{HERE}/roles/secretive")).status_code == 404


async def test_a_binding_gives_only_what_its_writer_has(manager, people):
    await people.make(f"{HERE}/roles", "reader", rules=[GET])
    await people.make(f"{HERE}/rolebindings", "ready", roleRef={"kind": "Role", "name": "secretive"})
    mine = {**binding("mine", "reader")}
    mine["metadata"]["labels"] = {"made": "here"}
    await allowed(await manager.post(f"{HERE}/rolebindings", json=mine))
    await escalates(await manager.post(f"{HERE}/rolebindings", json=binding("b", "secretive")), "rolebindings", "b")
    await escalates(
        await manager.put(f"{HERE}/rolebindings/ready", json=binding("ready", "secretive")), "rolebindings", "ready"
    )
    viewer = await manager.post(f"{HERE}/rolebindings", json=binding("b", "view", "ClusterRole"))
    await escalates(viewer, "rolebindings", "b", rule("get", "configmaps"))
    lost = await manager.post(f"{HERE}/rolebindings", json=binding("b", "missing"))
    assert (lost.status_code, lost.json()["details"]["name"]) == (404, "missing")


async def test_the_verbs_escalate_and_bind(manager, people):
    await people.may("alice", rule("escalate", "roles", "rbac.authorization.k8s.io", "secretive"), namespace="default",
                     name="escalates")  # fmt: skip
    await allowed(await manager.put(f"{HERE}/roles/secretive", json=role("secretive", SECRETS, rule("*", "pods"))))
    await escalates(await manager.post(f"{HERE}/roles", json=role("own", SECRETS)), "roles", "own")
    bound = await manager.post(f"{HERE}/rolebindings", json=binding("b", "secretive"))
    await escalates(bound, "rolebindings", "b", rule("*", "pods"))
    await people.may("alice", rule("bind", "roles", "rbac.authorization.k8s.io", "secretive missing"),
                     namespace="default", name="binds")  # fmt: skip
    for name, to in (("b", "secretive"), ("lost", "missing")):
        made = binding(name, to)
        made["metadata"]["labels"] = {"made": "here"}
        await allowed(await manager.post(f"{HERE}/rolebindings", json=made))
    viewer = await manager.post(f"{HERE}/rolebindings", json=binding("v", "view", "ClusterRole"))
    await escalates(viewer, "rolebindings", "v", rule("get", "configmaps"))


async def test_who_gathers_rights_needs_them_all(people):
    everything = rule("*", "*", group="*")
    writes = rule("create update", "clusterroles", group="rbac.authorization.k8s.io")
    await people.may("alice", writes)
    gathering = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    body = {"metadata": {"name": "gathers"}, "aggregationRule": gathering}
    answer = await people.alice.post(f"{RBAC}/clusterroles", json=body)
    assert answer.status_code == 403
    assert answer.json()["message"].endswith("must have cluster-admin privileges to use the aggregationRule")
    await people.may("alice", everything, name="all")
    people._given.append(f"{RBAC}/clusterroles/gathers")
    await allowed(await people.alice.post(f"{RBAC}/clusterroles", json=body))


async def test_rights_of_another_namespace_do_not_count(people):
    await people.may("alice", MANAGE, namespace="default")
    await people.may("alice", SECRETS, namespace="kube-public")
    await escalates(await people.alice.post(f"{HERE}/roles", json=role("own", SECRETS)), "roles", "own")
