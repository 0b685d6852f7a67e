"""What people see of their rights with kubectl, and that kubectl is refused what they have not."""

import httpx
import pytest

from app.domain.declarations.catalog import ALL
from tests.unit.access.test_default_roles import TABLE

COLUMNS = {"admin": 0, "edit": 1, "view": 2}


@pytest.fixture
def person(product, namespace, request):
    """Somebody with one of the default roles in the test's namespace."""
    role = request.param
    user = f"{role}-of-{namespace}"
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings"
    subjects = [{"kind": "User", "name": user}]
    body = {"metadata": {"name": role}, "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": subjects}
    assert httpx.post(f"{product.url}{path}", json=body, timeout=60).status_code == 201
    return role, user


@pytest.mark.parametrize("person", list(COLUMNS), indirect=True)
def test_the_list_of_rights(kubectl, person):
    role, user = person
    listed = {}
    for resource, *rest in kubectl.table("auth", "can-i", "--list", f"--as={user}")[1:]:
        listed.setdefault(resource, set()).update(rest[-1].strip("[]").split())
    for kind in ALL:
        wanted = TABLE.get((kind.group, kind.plural))
        if wanted is not None:
            resource = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
            assert listed.get(resource, set()) == wanted[COLUMNS[role]], resource


@pytest.mark.parametrize("person", list(COLUMNS), indirect=True)
def test_what_kubectl_may(kubectl, person):
    role, user = person
    for verb in ("get", "create"):
        allowed = verb in TABLE["", "secrets"][COLUMNS[role]]
        said = kubectl("auth", "can-i", verb, "secrets", f"--as={user}", status=0 if allowed else 1)
        assert said.startswith("yes" if allowed else "no")
    kubectl("get", "services", f"--as={user}")
    writes = ("create", "configmap", "made", f"--as={user}")
    kubectl(*writes, status=1 if role == "view" else 0)
    if role == "view":
        assert f'User "{user}" cannot create resource "configmaps" in API group ""' in kubectl.errors
    kubectl("get", "services", "--namespace=default", f"--as={user}", status=1)
    assert kubectl.errors.startswith('Error from server (Forbidden): services is forbidden: User "')


@pytest.mark.parametrize("person", ["edit"], indirect=True)
def test_roles_are_made_bound_and_shown(kubectl, person, namespace):
    _, user = person
    if kubectl.minor >= 28:
        assert ["Username", user] in kubectl.table("auth", "whoami", f"--as={user}")
    kubectl("create", "role", "reader", "--verb=get,list", "--resource=secrets")
    subjects = ("--user=ann", "--serviceaccount=shop:app", "--group=ops")
    kubectl("create", "rolebinding", "readers", "--role=reader", *subjects)
    assert kubectl.table("get", "rolebinding", "readers", "-o", "wide") == [
        ["NAME", "ROLE", "AGE", "USERS", "GROUPS", "SERVICEACCOUNTS"],
        ["readers", "Role/reader", "AGE", "ann", "ops", "shop/app"],
    ]
    (_, row) = kubectl.table("get", "role", "reader")
    assert row[0] == "reader"
    assert "secrets" in kubectl("describe", "role", "reader")
    assert "ServiceAccount  app" in kubectl("describe", "rolebinding", "readers")
    kubectl("create", "role", "more", "--verb=get", "--resource=nodes", f"--as={user}", status=1)
    assert "forbidden" in kubectl.errors
    reconciled = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "reader", "namespace": namespace},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    }  # fmt: skip
    kubectl("auth", "reconcile", given=reconciled)
    assert "pods" in kubectl("describe", "role", "reader")
    kubectl("delete", "role/reader", "rolebinding/readers")
