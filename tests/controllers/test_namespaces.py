"""A namespace that is deleted is emptied of every kind there is, and goes when it is empty."""

import asyncio

import pytest

from app.domain.declarations.catalog import ALL
from app.domain.declarations.config_map import CONFIG_MAP
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.endpoints import ENDPOINTS
from app.domain.declarations.event import EVENT
from app.domain.declarations.lease import LEASE
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.pod import POD
from app.domain.declarations.resource_quota import RESOURCE_QUOTA
from app.domain.declarations.role_bindings import ROLE_BINDING
from app.domain.declarations.roles import ROLE
from app.domain.declarations.secret import SECRET
from app.domain.declarations.service import SERVICE
from app.domain.declarations.service_account import SERVICE_ACCOUNT
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.errors import Forbidden

HOLD = "example.com/hold"
CONTENTS = {
    SERVICE: {"metadata": {"name": "x"}, "spec": {"selector": {"app": "x"}, "ports": [{"port": 80}]}},
    POD: {"metadata": {"name": "x", "labels": {"app": "x"}}, "spec": {"containers": [{"name": "main"}]}},
    ENDPOINTS: {"metadata": {"name": "by-hand"}, "subsets": [{"addresses": [{"ip": "172.16.0.1"}]}]},
    ENDPOINT_SLICE: {"metadata": {"name": "by-hand"}, "addressType": "IPv4", "endpoints": [], "ports": []},
    EVENT: {"metadata": {"name": "x"}, "involvedObject": {"namespace": "full"}, "reason": "Because"},
    LEASE: {"metadata": {"name": "x"}, "spec": {"holderIdentity": "somebody"}},
    CONFIG_MAP: {"metadata": {"name": "x"}, "data": {"a": "b"}},
    SECRET: {"metadata": {"name": "x"}, "stringData": {"a": "b"}},
    RESOURCE_QUOTA: {"metadata": {"name": "x"}, "spec": {"hard": {"services": "5"}}},
    SERVICE_ACCOUNT: {"metadata": {"name": "x"}},
    ROLE: {"metadata": {"name": "x"}, "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]},
    ROLE_BINDING: {"metadata": {"name": "x"}, "roleRef": {"kind": "Role", "name": "x"}},
    STATIC_ADDRESS: {"metadata": {"name": "x"}, "spec": {"pool": "external"}},
}


@pytest.fixture
async def full(world):
    """A namespace with one object of each kind, while all controllers run."""
    async with world.reconciling_everything():
        await world.create(NAMESPACE, {"metadata": {"name": "full"}})
        for kind, document in CONTENTS.items():
            await world.create(kind, document, "full")
        yield world


def test_every_stored_kind_is_in_it():
    assert {kind.key for kind in ALL if kind.namespaced and kind.stored} == {kind.key for kind in CONTENTS}


async def test_everything_in_it_goes_and_releases_what_it_held(full):
    await full.delete(NAMESPACE, "full")
    with pytest.raises(Forbidden, match="being terminated"):
        await full.create(LEASE, {"metadata": {"name": "late"}}, "full")
    await full.gone(NAMESPACE, "full")
    for kind in CONTENTS:
        assert await full.names(kind, "full") == set()
    assert [claim async for claim in full.parts.reader.claimed("cluster_ips")] == []


async def test_what_is_held_holds_the_namespace(full):
    def hold(pod):
        pod.metadata.finalizers = [HOLD]

    def release(pod):
        pod.metadata.finalizers = None

    await full.change(POD, "x", hold, "full")
    await full.delete(NAMESPACE, "full")
    await full.becomes(POD, "x", lambda pod: pod.metadata.deletion_timestamp, "full")
    await full.gone(SERVICE, "x", "full")
    assert (await full.get(NAMESPACE, "full")).status.phase == "Terminating"
    await full.change(POD, "x", release, "full")
    await full.gone(NAMESPACE, "full")


async def test_more_than_fits_into_one_write(full):
    await asyncio.gather(*(full.create(LEASE, {"metadata": {"name": f"l-{number}"}}, "full") for number in range(1200)))
    await full.delete(NAMESPACE, "full")
    await full.gone(NAMESPACE, "full")
