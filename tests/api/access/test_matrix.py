"""Every kind, verb and default role: over HTTP, in bulk applies and in reviews, as Kubernetes' table has it."""

import pytest

from app.domain.declarations.catalog import ALL
from app.domain.declarations.reviews import REVIEWS
from tests.api.access.conftest import people_of
from tests.unit.access.test_default_roles import READ, TABLE, WRITE

PEOPLE = {
    "cluster-admin": "admin",
    "admin": "alice",
    "edit": "bob",
    "view": "carol",
    "other namespace's admin": "dave",
    "nobody": "erin",
}
COLUMNS = {"admin": 0, "edit": 1, "view": 2}
HERE = "default"
BULK = "/apis/fairlead.io/v1/apply?fieldManager=m&dryRun=All"
MERGE = {"content-type": "application/merge-patch+json"}
OWN_QUESTIONS = {"selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"}


@pytest.fixture(scope="module")
async def people(registry):
    async with people_of(registry) as people:
        for role in COLUMNS:
            await people.bind(PEOPLE[role], role, namespace=HERE, binding=role)
        await people.bind("dave", "admin", namespace="kube-public", binding="elsewhere")
        yield people
        await people.clean()


def granted(kind, resource, role):
    """What a role gives in a namespace: by Kubernetes' table, and for kinds that it has not by their declaration."""
    known = TABLE.get((kind.group, resource))
    if known is not None:
        return known[COLUMNS[role]]
    order = ["view", "edit", "admin"]
    contained = order[: order.index(role) + 1]
    grants = kind.default_grants
    read = READ if grants.readers in contained else set()
    write = WRITE if grants.writers in contained and "/" not in resource else set()
    return (read | write) & {*kind.verbs, *(READ if "/" in resource else ())}


def allowed(role, kind, resource, verb, *, inside):
    """Whether a request is allowed; `inside` tells whether it is in the namespace in which people have their roles."""
    if role == "cluster-admin" or (verb == "create" and resource in OWN_QUESTIONS):
        return True
    return role in COLUMNS and inside and verb in granted(kind, resource, role)


def requests(kind):
    """Verb, resource, method, path and whether it is in the namespace: all that can be asked of a kind."""
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    name = HERE if kind.plural == "namespaces" else "x"
    collection = f"{root}/namespaces/{HERE}/{kind.plural}" if kind.namespaced else f"{root}/{kind.plural}"
    one, inside = f"{collection}/{name}", kind.namespaced or kind.plural == "namespaces"
    for method, verb in {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.items():
        yield verb, kind.plural, method, one, inside
    for method, verb in {"GET": "list", "POST": "create", "DELETE": "deletecollection"}.items():
        yield verb, kind.plural, method, collection, kind.namespaced
    yield "watch", kind.plural, "GET", f"{root}/watch{collection.removeprefix(root)}", kind.namespaced
    for method, verb in {"GET": "get", "PUT": "update", "PATCH": "patch"}.items() if kind.has_status else ():
        yield verb, f"{kind.plural}/status", method, f"{one}/status", inside
    if kind.namespaced:
        yield "list", kind.plural, "GET", f"{root}/{kind.plural}", False


async def is_refused(client, verb, resource, method, path):
    """Whether a request that changes nothing is refused for want of a right; its answer is not read to the end."""
    sent = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
    headers = MERGE if method == "PATCH" else {}
    query = "" if method == "GET" else "?dryRun=All"
    async with client.stream(method, path + query, headers=headers, **sent) as answer:
        if answer.status_code != 403:
            return False
        await answer.aread()
    return f'cannot {verb} resource "{resource}"' in answer.json()["message"]


@pytest.mark.parametrize("kind", [*ALL, *REVIEWS], ids=lambda kind: kind.key)
async def test_over_http(people, kind):
    wrong = []
    for verb, resource, method, path, inside in requests(kind):
        for role, user in PEOPLE.items():
            refused = await is_refused(people.as_(user), verb, resource, method, path)
            if refused is allowed(role, kind, resource, verb, inside=inside):
                wrong.append(f"{role}: {method} {path}")
    assert not wrong


@pytest.mark.parametrize(
    "kind", [kind for kind in ALL if {"create", "patch"} <= set(kind.verbs)], ids=lambda kind: kind.key
)
async def test_in_a_bulk_apply(people, kind):
    item = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": "x"}}
    for role, user in PEOPLE.items():
        answer = await people.as_(user).post(BULK, json=item)
        may = all(allowed(role, kind, kind.plural, verb, inside=kind.namespaced) for verb in ("patch", "create"))
        assert (answer.status_code == 403) is not may, f"{role}: {answer.text}"


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.key)
async def test_in_reviews(people, kind):
    for role, user in PEOPLE.items():
        for verb in sorted(READ | WRITE):
            asked = {"verb": verb, "group": kind.group, "resource": kind.plural, "namespace": HERE, "name": "x"}
            answer = await people.as_(user).post(
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", json={"spec": {"resourceAttributes": asked}}
            )
            # A review names a namespace also for what lives in none, and is answered as asked.
            assert answer.json()["status"]["allowed"] is allowed(role, kind, kind.plural, verb, inside=True)
