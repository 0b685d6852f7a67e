"""The `kubernetes_asyncio` package."""

import asyncio
import json

import pytest
from kubernetes_asyncio import client, config, watch
from kubernetes_asyncio.client import ApiException

PORTS = {"ports": [{"port": 80}]}


@pytest.fixture
async def core(kubeconfig):
    made = await config.new_client_from_config(str(kubeconfig))
    async with made:
        yield client.CoreV1Api(made)


def service(name, labels=None, **spec):
    return {"metadata": {"name": name, "labels": labels}, "spec": {**PORTS, **spec}}


async def test_the_life_of_a_service(core, namespace):
    created = await core.create_namespaced_service(namespace, service("web", type="NodePort"))
    assert created.spec.ports[0].node_port in range(30000, 32768)
    read = await core.read_namespaced_service("web", namespace)
    assert read.to_dict() == created.to_dict()
    read.metadata.labels = {"a": "b"}
    await core.replace_namespaced_service("web", namespace, read)
    with pytest.raises(ApiException) as conflict:
        await core.replace_namespaced_service("web", namespace, read)
    assert (conflict.value.status, json.loads(conflict.value.body)["reason"]) == (409, "Conflict")
    patched = await core.patch_namespaced_service("web", namespace, {"spec": {"type": "ClusterIP"}})
    assert patched.spec.ports[0].node_port is None
    await core.delete_namespaced_service("web", namespace)
    with pytest.raises(ApiException, match="404"):
        await core.read_namespaced_service("web", namespace)


async def test_many_at_once(core, namespace):
    names = [f"s{number:02}" for number in range(30)]
    created = await asyncio.gather(*(core.create_namespaced_service(namespace, service(name)) for name in names))
    assert len({each.spec.cluster_ip for each in created}) == len(names)
    listed = await core.list_namespaced_service(namespace, limit=20)
    assert [each.metadata.name for each in listed.items] == names[:20]
    rest = await core.list_namespaced_service(namespace, limit=20, _continue=listed.metadata._continue)
    assert [each.metadata.name for each in rest.items] == names[20:]
    assert rest.metadata.resource_version == listed.metadata.resource_version
    await core.delete_collection_namespaced_service(namespace)
    assert (await core.list_namespaced_service(namespace)).items == []


async def test_a_watch_goes_on_after_the_server_ended_it(core, namespace):
    """Each part lasts a second; together they miss nothing and tell nothing twice."""
    seen = []
    changes = 30

    async def follow(revision):
        nonlocal seen
        while not seen or seen[-1][0] != "DELETED":
            async with watch.Watch() as part:
                async for event in part.stream(core.list_namespaced_service, namespace, resource_version=revision,
                                               timeout_seconds=1, allow_watch_bookmarks=True):  # fmt: skip
                    if event["type"] != "BOOKMARK":
                        seen += [(event["type"], event["object"].metadata.annotations["step"])]
                revision = part.resource_version or revision

    before = await core.list_namespaced_service(namespace)
    following = asyncio.create_task(follow(before.metadata.resource_version))
    made = service("web")
    made["metadata"]["annotations"] = {"step": "0"}
    await core.create_namespaced_service(namespace, made)
    for step in range(1, changes):
        await core.patch_namespaced_service("web", namespace, {"metadata": {"annotations": {"step": str(step)}}})
        await asyncio.sleep(0.1)  # the changes last longer than a part
    await core.delete_namespaced_service("web", namespace)
    await asyncio.wait_for(following, 30)
    expected = [("ADDED", "0"), *(("MODIFIED", str(step)) for step in range(1, changes))]
    assert seen == [*expected, ("DELETED", str(changes - 1))]


async def test_a_watch_that_sends_what_there_is_first(core, namespace):
    await core.create_namespaced_service(namespace, service("a"))
    asked = {"send_initial_events": True, "resource_version_match": "NotOlderThan", "allow_watch_bookmarks": True}
    async with watch.Watch() as initial:
        stream = initial.stream(core.list_namespaced_service, namespace, timeout_seconds=1, **asked)
        events = [(event["type"], event["raw_object"]["metadata"]) async for event in stream]
    assert [(kind, metadata.get("name")) for kind, metadata in events[:2]] == [("ADDED", "a"), ("BOOKMARK", None)]
    assert events[1][1]["annotations"] == {"k8s.io/initial-events-end": "true"}
