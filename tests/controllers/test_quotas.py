"""Quotas with a reconciler: their status tells what the store has counted, and what is allocated is counted, too."""

import msgspec
import pytest

from app.controllers.quota_status import QuotaStatus
from app.domain.declarations.config_map import CONFIG_MAP
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.event import EVENT
from app.domain.declarations.pod import POD
from app.domain.declarations.resource_quota import RESOURCE_QUOTA
from app.domain.declarations.secret import SECRET
from app.domain.declarations.service import SERVICE
from app.domain.declarations.service_account import SERVICE_ACCOUNT
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.documents.decoding import Strictness
from app.domain.errors import Forbidden
from app.domain.user import ITSELF
from app.domain.wanted.namespace_defaults import ROOT_CERTIFICATES
from app.registry.bulk_preparation import BulkOptions, RawItem
from app.registry.options import WriteOptions
from tests.controllers.world import running, target
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.anyio

EXTERNAL, INTERNAL = "fairlead.io/external-addresses", "fairlead.io/internal-addresses"


def quota(name="q", **hard):
    named = {resource.replace("__", "/").replace("_", "."): quantity for resource, quantity in hard.items()}
    return {"metadata": {"name": name}, "spec": {"hard": named}}


def service(name, type_="ClusterIP", metadata=None, **spec):
    return {
        "metadata": {"name": name, **(metadata or {})},
        "spec": {"type": type_, "selector": {"app": name}, "ports": [{"port": 80}], **spec},
    }


async def told(world, name="q", **used):
    """Wait until a quota says that so much is used."""
    named = {resource.replace("__", "/").replace("_", "."): amount for resource, amount in used.items()}
    found = await world.becomes(RESOURCE_QUOTA, name, lambda quota: quota.status.used == named)
    assert found.status.hard == found.spec.hard


async def test_the_life_of_a_service(world):
    async with world.reconciling_everything():
        await world.create(RESOURCE_QUOTA, quota(services="3", services_nodeports="2", services_loadbalancers="1"))
        await told(world, services="0", services_nodeports="0", services_loadbalancers="0")
        await world.create(SERVICE, service("plain"))
        await world.create(SERVICE, service("ported", "NodePort"))
        await told(world, services="2", services_nodeports="1", services_loadbalancers="0")
        await world.create(SERVICE, service("front", "LoadBalancer", allocateLoadBalancerNodePorts=False))
        await told(world, services="3", services_nodeports="1", services_loadbalancers="1")
        with pytest.raises(Forbidden, match="exceeded quota: q, requested: services=1, used: services=3"):
            await world.create(SERVICE, service("more"))
        with pytest.raises(Forbidden, match=r"services\.loadbalancers=1, used: services\.loadbalancers=1"):
            await world.change(SERVICE, "plain", lambda each: setattr(each.spec, "type", "LoadBalancer"))
        for name in ("plain", "ported", "front"):
            await world.delete(SERVICE, name)
        await told(world, services="0", services_nodeports="0", services_loadbalancers="0")


@pytest.mark.parametrize(
    ("kind", "document", "resource", "before"),
    [(CONFIG_MAP, {"data": {"a": "b"}}, "configmaps", 1), (SECRET, {"stringData": {"a": "b"}}, "secrets", 0)],
)
async def test_the_life_of_what_is_counted(world, kind, document, resource, before):
    """There is one ConfigMap before: every namespace has it."""
    async with world.reconciling_everything():
        await world.create(RESOURCE_QUOTA, quota(**{resource: "2", f"count__{resource}": "9"}))
        await told(world, **{resource: f"{before}", f"count__{resource}": f"{before}"})
        await world.create(kind, {"metadata": {"name": "it"}, **document})
        await told(world, **{resource: f"{before + 1}", f"count__{resource}": f"{before + 1}"})
        await world.delete(kind, "it")
        await told(world, **{resource: f"{before}", f"count__{resource}": f"{before}"})


async def test_quotas_are_counted_themselves_and_follow_changes(world):
    await world.create(SERVICE, service("old", clusterIP="None"))
    async with world.reconciling(QuotaStatus(*collaborators(world))):
        await world.create(RESOURCE_QUOTA, quota(resourcequotas="2", cpu="1", example_com__x="1"))
        await told(world, resourcequotas="1", cpu="0")
        await world.change(RESOURCE_QUOTA, "q", lambda each: setattr(each.spec, "hard", {"services": "1k"}))
        await told(world, services="1")
        await world.create(RESOURCE_QUOTA, quota("other", services="5", count__pods="1", pods="1"))
        await told(world, "other", services="1", count__pods="0", pods="0")
        await world.create(POD, {"metadata": {"name": "job"}, "spec": {"containers": [{"name": "main"}]}})
        await told(world, "other", services="1", count__pods="1", pods="1")
        await world.change(POD, "job", lambda pod: setattr(pod.status, "phase", "Succeeded"), subresource="status")
        await told(world, "other", services="1", count__pods="1", pods="0")


async def test_a_status_that_somebody_writes_stays_until_something_changes(world):
    """As in Kubernetes, whose own tests write it and read it again."""
    async with world.reconciling(QuotaStatus(*collaborators(world))):
        await world.create(RESOURCE_QUOTA, quota(services="5"))
        await told(world, services="0")
        written = {"services": "3"}
        await world.change(
            RESOURCE_QUOTA, "q", lambda each: setattr(each.status, "used", written), subresource="status"
        )
        await world.create(RESOURCE_QUOTA, quota("other", services="5"), namespace="kube-public")
        await world.becomes(RESOURCE_QUOTA, "other", lambda each: each.status.used, namespace="kube-public")
        assert (await world.get(RESOURCE_QUOTA, "q")).status.used == written
        await world.create(SERVICE, service("web", clusterIP="None"))
        await told(world, services="1")


async def test_what_a_scope_selects_is_never_used(world):
    await world.create(POD, {"metadata": {"name": "it"}, "spec": {"containers": [{"name": "main"}]}})
    async with world.reconciling(QuotaStatus(*collaborators(world))):
        await world.create(
            RESOURCE_QUOTA, {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}, "scopes": ["BestEffort"]}}
        )
        await told(world, pods="0")
    await world.create(POD, {"metadata": {"name": "more"}, "spec": {"containers": [{"name": "main"}]}})


async def test_addresses_are_counted_where_they_are_kept(world):
    internal = {"annotations": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}}
    async with world.reconciling_everything():
        await world.create(
            RESOURCE_QUOTA,
            {"metadata": {"name": "q"}, "spec": {"hard": {EXTERNAL: "2", INTERNAL: "1"}}},
        )
        kept = await world.create(STATIC_ADDRESS, {"metadata": {"name": "front"}, "spec": {"pool": "external"}})
        await world.create(SERVICE, service("one", "LoadBalancer", loadBalancerIP=kept.status.address))
        await world.create(SERVICE, service("two", "LoadBalancer"))
        await world.create(SERVICE, service("inside", "LoadBalancer", internal))
        await world.becomes(RESOURCE_QUOTA, "q", lambda each: each.status.used == {EXTERNAL: "2", INTERNAL: "1"})
        for refused in (service("three", "LoadBalancer"), service("inner", "LoadBalancer", internal)):
            with pytest.raises(Forbidden, match=r"exceeded quota: q, requested: fairlead\.io/"):
                await world.create(SERVICE, refused)
        with pytest.raises(Forbidden, match=f"requested: {EXTERNAL}=1, used: {EXTERNAL}=2, limited: {EXTERNAL}=2"):
            await world.create(STATIC_ADDRESS, {"metadata": {"name": "more"}, "spec": {"pool": "external"}})
        await world.delete(SERVICE, "two")
        await world.create(SERVICE, service("three", "LoadBalancer"))


async def test_what_the_server_makes_waits_for_the_quota_too(world):
    """As in Kubernetes: controllers ask quotas as clients do, and try again."""
    hard = {"count/endpointslices.discovery.k8s.io": "0"}
    await world.create(RESOURCE_QUOTA, {"metadata": {"name": "q"}, "spec": {"hard": hard}})
    async with world.reconciling_everything():
        await world.create(SERVICE, service("web"))

        async def explained():
            await world.parts.mirror.fresh()
            events = world.parts.mirror.list(EVENT.key, "default")
            return any(b"exceeded quota: q, requested: count/endpointslices" in each.wire for each in events)

        await eventually(explained)
        assert await world.names(ENDPOINT_SLICE) == set()
        await world.delete(RESOURCE_QUOTA, "q")

        async def made():
            return len(await world.names(ENDPOINT_SLICE)) == 1

        await eventually(made)


def items(*names):
    return [msgspec.json.encode({"apiVersion": "v1", "kind": "Service", **service(name)}) for name in names]


async def applied(world, *names, dry_run=False):
    options = BulkOptions(WriteOptions(field_manager="tests", user=ITSELF, dry_run=dry_run), Strictness.STRICT)
    return await world.registry.apply([RawItem(item) for item in items(*names)], options)


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_bulk_apply_with_an_allocation_is_counted(world, dry_run):
    await world.create(RESOURCE_QUOTA, quota(services="2"))
    async with world.reconciling_everything():
        with pytest.raises(Forbidden, match="exceeded quota: q, requested: services=1, used: services=2") as refused:
            await applied(world, "a", "b", "c", dry_run=dry_run)
        assert [cause.field for cause in refused.value.causes] == ["items[2]"]
        assert await world.names(SERVICE) == set()
        assert len(await applied(world, "a", "b", dry_run=dry_run)) == 2
        if not dry_run:
            await told(world, services="2")


async def test_the_limit_of_objects_is_for_clients(database_url):
    """Controllers go on: what they make keeps alive what clients have made."""
    async with running(database_url, objects_per_namespace=4) as world:
        own = {"namespace": "kube-public"}
        for name in ("one", "two"):
            await world.create(CONFIG_MAP, {"metadata": {"name": name}}, **own)
        async with world.reconciling_everything():
            # What is made for the namespace counts, and is not refused.
            await world.becomes(SERVICE_ACCOUNT, "default", bool, **own)
            await world.becomes(CONFIG_MAP, ROOT_CERTIFICATES, bool, **own)
            message = "the namespace kube-public has 4 objects, and no namespace may have more than 4 "
            for dry_run in (False, True):
                with pytest.raises(Forbidden, match=message):
                    await world.registry.create(
                        target(CONFIG_MAP, "kube-public"),
                        msgspec.convert({"metadata": {"name": "three"}}, CONFIG_MAP.model),
                        WriteOptions(user=ITSELF, dry_run=dry_run),
                    )
            await world.change(CONFIG_MAP, "one", lambda each: setattr(each, "data", {"a": "b"}), **own)
            await world.delete(CONFIG_MAP, "one", **own)
            await world.create(CONFIG_MAP, {"metadata": {"name": "three"}}, **own)


def collaborators(world):
    return world.parts.writer, world.parts.reader, world.parts.mirror, world.parts.cluster, world.parts.kinds
