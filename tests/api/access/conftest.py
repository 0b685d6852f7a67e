"""An API that asks for tokens: each user of a test has one, and the rights that the test gives."""

import contextlib

import httpx
import pytest

from app.credentials.tokens import Token
from app.domain.user import User
from tests.api.conftest import serving, token_access

RBAC = "/apis/rbac.authorization.k8s.io/v1"
GROUPS = {
    "admin": ("system:masters",),
    "alice": ("developers",),
    "bob": ("developers", "ops"),
    "carol": (),
    "dave": (),
    "erin": (),
}


class People:
    """A client for each user, and shorthands for giving rights; what was given is taken back after the test."""

    def __init__(self, url, clients):
        self.url = url
        self._clients = clients
        self._given = []

    def __getattr__(self, name):
        return self._clients[name]

    def as_(self, name):
        return self._clients[name]

    async def make(self, path, name, **document):
        """Create an object as the administrator, until the end of the test."""
        answer = await self.admin.post(path, json={"metadata": {"name": name}, **document})
        assert answer.status_code == 201, answer.text
        self._given.append(f"{path}/{name}")
        return answer.json()

    async def may(self, user, *rules, namespace="", name="given"):
        """Give a user a role with these rules, in a namespace or everywhere."""
        where = f"{RBAC}/namespaces/{namespace}/" if namespace else f"{RBAC}/cluster"
        kind = "Role" if namespace else "ClusterRole"
        await self.make(f"{where}roles", name, rules=list(rules))
        await self.bind(user, name, kind=kind, namespace=namespace, binding=name)

    async def bind(self, user, role, *, kind="ClusterRole", namespace="", binding="bound"):
        """Give a user a role that is there."""
        where = f"{RBAC}/namespaces/{namespace}/" if namespace else f"{RBAC}/cluster"
        subjects = [{"kind": "User", "name": user}]
        await self.make(f"{where}rolebindings", binding, roleRef={"kind": kind, "name": role}, subjects=subjects)

    async def clean(self):
        for path in reversed(self._given):
            await self.admin.delete(path)


def rule(verbs, resources, group="", names=None):
    made = {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split()}
    return made | ({"resourceNames": names.split()} if names else {})


@contextlib.asynccontextmanager
async def people_of(registry):
    tokens = [Token(f"token-of-{name}", User(name, f"uid-{name}", groups)) for name, groups in GROUPS.items()]
    async with contextlib.AsyncExitStack() as stack:
        url, _ = await stack.enter_async_context(serving(registry, access=token_access(*tokens)))
        clients = {
            name: await stack.enter_async_context(
                httpx.AsyncClient(base_url=url, timeout=60, headers={"authorization": f"Bearer token-of-{name}"})
            )
            for name in GROUPS
        }
        clients["stranger"] = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=60))
        yield People(url, clients)


@pytest.fixture
async def people(registry):
    async with people_of(registry) as people:
        yield people
        await people.clean()
