"""The `lightkube` package, synchronous and asynchronous."""

import asyncio

import pytest
from lightkube import ApiError, AsyncClient, Client, KubeConfig, operators
from lightkube.models.core_v1 import ServicePort, ServiceSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Namespace, Service, ServiceStatus
from lightkube.types import CascadeType, PatchType


@pytest.fixture
def settings(kubeconfig, namespace):
    return {"config": KubeConfig.from_file(kubeconfig), "namespace": namespace}


@pytest.fixture
def client(settings):
    with Client(**settings, field_manager="lightkube") as made:
        yield made


def service(name, labels=None, **spec):
    return Service(
        metadata=ObjectMeta(name=name, labels=labels), spec=ServiceSpec(ports=[ServicePort(port=80)], **spec)
    )


def test_the_life_of_a_service(client):
    created = client.create(service("web", type="LoadBalancer"))
    assert created.status.loadBalancer.ingress[0].ip.startswith("198.18.")
    assert client.get(Service, "web") == created
    created.spec.sessionAffinity = "ClientIP"
    replaced = client.replace(created)
    assert replaced.spec.sessionAffinityConfig.clientIP.timeoutSeconds == 10800
    with pytest.raises(ApiError) as conflict:
        client.replace(created)
    assert (conflict.value.status.code, conflict.value.status.reason) == (409, "Conflict")
    patches = {
        PatchType.STRATEGIC: {"metadata": {"labels": {"a": "b"}}},
        PatchType.MERGE: {"metadata": {"labels": {"c": "d"}}},
        PatchType.JSON: [{"op": "add", "path": "/metadata/labels/e", "value": "f"}],
    }
    for kind, patch in patches.items():
        patched = client.patch(Service, "web", patch, patch_type=kind)
    assert patched.metadata.labels == {"a": "b", "c": "d", "e": "f"}
    status = client.get(ServiceStatus, "web")
    assert status.metadata.resourceVersion == patched.metadata.resourceVersion
    client.delete(Service, "web", cascade=CascadeType.BACKGROUND)
    with pytest.raises(ApiError, match="not found"):
        client.get(Service, "web")


def test_apply(client):
    first = client.apply(service("web", {"a": "b"}))
    assert client.apply(service("web", {"a": "b"})) == first
    with pytest.raises(ApiError) as conflict:
        client.apply(service("web", {"a": "c"}), field_manager="other")
    (cause,) = conflict.value.status.details.causes
    assert (cause.reason, cause.field) == ("FieldManagerConflict", ".metadata.labels.a")
    assert client.apply(service("web", {"a": "c"}), field_manager="other", force=True).metadata.labels == {"a": "c"}
    assert client.create(service("dry"), dry_run=True).spec.clusterIP.startswith("10.96.")
    client.deletecollection(Service)
    assert list(client.list(Service)) == []


def test_lists_and_selectors(client, namespace):
    for number in range(7):
        client.create(service(f"s{number}", {"tier": "front" if number % 2 else "back"}))
    assert [each.metadata.name for each in client.list(Service, chunk_size=3)] == [f"s{n}" for n in range(7)]
    front = client.list(Service, labels={"tier": "front"}, fields={"metadata.name": operators.not_equal("s1")})
    assert [each.metadata.name for each in front] == ["s3", "s5"]
    assert namespace in {each.metadata.name for each in client.list(Namespace)}


async def test_watching_and_waiting(settings):
    client = AsyncClient(**settings)
    listed = client.list(Service)
    assert [each async for each in listed] == []
    revision = await asyncio.wait_for(_resource_version(listed), 5)
    await client.create(service("a"))
    await client.patch(Service, "a", {"metadata": {"labels": {"x": "y"}}})
    await client.delete(Service, "a")
    seen = []
    async for kind, obj in client.watch(Service, resource_version=revision):
        seen.append((kind, obj.metadata.name))
        if kind == "DELETED":
            break
    assert seen == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    await client.create(service("b"))
    met = await asyncio.wait_for(client.wait(Service, "b", for_conditions=["Allocated"]), 60)
    assert met.metadata.name == "b"
    await client.close()


async def _resource_version(listed):
    return await listed.resourceVersion if asyncio.iscoroutine(listed.resourceVersion) else listed.resourceVersion
