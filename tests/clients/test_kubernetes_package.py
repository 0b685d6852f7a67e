"""The `kubernetes` package: typed and dynamic clients, watches that resume, informers, `create_from_yaml`."""

import threading
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client import ApiException
from kubernetes.informer import ADDED, DELETED, MODIFIED, SharedInformer

from tests.e2e.waiting import until


@pytest.fixture
def api_client(kubeconfig):
    with config.new_client_from_config(str(kubeconfig)) as made:
        yield made


@pytest.fixture
def core(api_client):
    return client.CoreV1Api(api_client)


def service(name, *, labels=None, **spec):
    return client.V1Service(
        metadata=client.V1ObjectMeta(name=name, labels=labels),
        spec=client.V1ServiceSpec(ports=[client.V1ServicePort(port=80, target_port="http")], **spec),
    )


@contextmanager
def refused(status, reason):
    with pytest.raises(ApiException) as raised:
        yield
    assert raised.value.status == status
    assert f'"reason":"{reason}"' in raised.value.body


def test_the_life_of_a_service(core, namespace):
    created = core.create_namespaced_service(namespace, service("web", type="LoadBalancer"))
    assert created.spec.cluster_ip.startswith("10.96.")
    assert created.status.load_balancer.ingress[0].ip
    assert {each.type: each.status for each in created.status.conditions}["Allocated"] == "True"
    read = core.read_namespaced_service("web", namespace)
    assert read == created

    read.spec.ports[0].target_port = 8080
    replaced = core.replace_namespaced_service("web", namespace, read)
    assert replaced.spec.ports[0].target_port == 8080
    assert replaced.spec.cluster_ip == created.spec.cluster_ip
    with refused(409, "Conflict"):
        core.replace_namespaced_service("web", namespace, read)

    core.patch_namespaced_service("web", namespace, {"metadata": {"labels": {"tier": "front"}}})
    operations = [{"op": "add", "path": "/metadata/annotations", "value": {"note": "here"}}]
    patched = core.patch_namespaced_service("web", namespace, operations)
    assert (patched.metadata.labels, patched.metadata.annotations) == ({"tier": "front"}, {"note": "here"})
    with refused(422, "Invalid"):
        core.patch_namespaced_service("web", namespace, {"spec": {"type": "Other"}})
    condition = {"type": "Checked", "status": "True", "reason": "Tested", "message": "",
                 "lastTransitionTime": "2026-01-02T03:04:05Z"}  # fmt: skip
    shown = core.patch_namespaced_service_status("web", namespace, {"status": {"conditions": [condition]}})
    assert "Checked" in {each.type for each in shown.status.conditions}

    assert core.delete_namespaced_service("web", namespace).metadata.uid == created.metadata.uid
    with refused(404, "NotFound"):
        core.read_namespaced_service("web", namespace)


def test_lists(core, namespace):
    for number in range(5):
        core.create_namespaced_service(namespace, service(f"s{number}", labels={"odd": str(number % 2)}))
    with refused(409, "AlreadyExists"):
        core.create_namespaced_service(namespace, service("s0"))
    listed = core.list_namespaced_service(namespace, label_selector="odd=1")
    assert [each.metadata.name for each in listed.items] == ["s1", "s3"]
    assert [each.metadata.name for each in core.list_namespaced_service(
        namespace, field_selector="metadata.name!=s3", label_selector="odd=1").items] == ["s1"]  # fmt: skip

    pages, token = [], None
    while token != "":
        page = core.list_namespaced_service(namespace, limit=2, _continue=token)
        pages.append(([each.metadata.name for each in page.items], page.metadata.resource_version))
        token = page.metadata._continue or ""
    assert [names for names, _ in pages] == [["s0", "s1"], ["s2", "s3"], ["s4"]]
    assert len({revision for _, revision in pages}) == 1
    everywhere = core.list_service_for_all_namespaces(field_selector=f"metadata.namespace={namespace}")
    assert len(everywhere.items) == 5
    core.delete_collection_namespaced_service(namespace, label_selector="odd=0")
    assert [each.metadata.name for each in core.list_namespaced_service(namespace).items] == ["s1", "s3"]


def test_a_watch_resumes_where_it_ended(core, namespace):
    listed = core.list_namespaced_service(namespace)
    core.create_namespaced_service(namespace, service("a"))
    core.create_namespaced_service(namespace, service("b"))
    first = watch.Watch()
    seen = []
    for event in first.stream(core.list_namespaced_service, namespace,
                              resource_version=listed.metadata.resource_version):  # fmt: skip
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == 2:
            first.stop()
    assert seen == [("ADDED", "a"), ("ADDED", "b")]

    core.patch_namespaced_service("a", namespace, {"metadata": {"labels": {"x": "y"}}})
    core.delete_namespaced_service("b", namespace)
    resumed = watch.Watch().stream(
        core.list_namespaced_service, namespace, resource_version=first.resource_version, timeout_seconds=1
    )
    rest = [(event["type"], event["object"].metadata.name) for event in resumed]
    assert rest == [("MODIFIED", "a"), ("DELETED", "b")]


def test_an_informer_holds_what_the_server_holds(core, namespace):
    core.create_namespaced_service(namespace, service("before"))
    informer = SharedInformer(core.list_namespaced_service, namespace, label_selector="!hidden")
    seen, lock = [], threading.Lock()

    def note(kind):
        def handler(obj):
            with lock:
                seen.append((kind, obj.metadata.name))

        informer.add_event_handler(kind, handler)

    for kind in (ADDED, MODIFIED, DELETED):
        note(kind)
    informer.start()
    try:
        until(lambda: ("ADDED", "before") in seen)
        core.create_namespaced_service(namespace, service("after"))
        core.patch_namespaced_service("before", namespace, {"metadata": {"labels": {"hidden": ""}}})
        core.patch_namespaced_service("after", namespace, {"metadata": {"labels": {"x": "y"}}})
        until(lambda: len(seen) >= 4)
        assert seen == [("ADDED", "before"), ("ADDED", "after"), ("DELETED", "before"), ("MODIFIED", "after")]
        assert [each.metadata.name for each in informer.cache.list()] == ["after"]
    finally:
        core.delete_namespaced_service("after", namespace)  # an event, so that the thread looks whether it is to stop
        informer.stop()


def test_the_dynamic_client(api_client, namespace):
    services = dynamic.DynamicClient(api_client).resources.get(api_version="v1", kind="Service")
    assert services.namespaced
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"ports": [{"port": 80}], "type": "NodePort"},
    }
    applied = services.server_side_apply(body, namespace=namespace, field_manager="tests")
    assert applied.spec.ports[0].nodePort in range(30000, 32768)
    assert [each.manager for each in applied.metadata.managedFields] == ["tests"]
    merged = services.patch({"metadata": {"name": "web", "labels": {"a": "b"}}}, namespace=namespace,
                            content_type="application/merge-patch+json")  # fmt: skip
    assert merged.metadata.labels.to_dict() == {"a": "b"}
    events = services.watch(namespace=namespace, timeout=1)
    assert [event["object"].metadata.name for event in events] == ["web"]
    services.delete("web", namespace)
    assert services.get(namespace=namespace).items == []


def test_backends_and_events(core, api_client, namespace):
    core.create_namespaced_service(namespace, service("web", selector={"app": "web"}))
    pod = client.V1Pod(
        metadata=client.V1ObjectMeta(name="web-1", labels={"app": "web"}),
        spec=client.V1PodSpec(containers=[client.V1Container(
            name="web", image="web:1", ports=[client.V1ContainerPort(container_port=8080, name="http")])]),
    )  # fmt: skip
    made = core.create_namespaced_pod(namespace, pod)
    made.status = client.V1PodStatus(
        phase="Running",
        pod_ip="10.244.1.1",
        pod_ips=[client.V1PodIP(ip="10.244.1.1")],
        conditions=[client.V1PodCondition(type="Ready", status="True")],
    )
    core.replace_namespaced_pod_status("web-1", namespace, made)
    discovery = client.DiscoveryV1Api(api_client)

    def endpoints():
        slices = discovery.list_namespaced_endpoint_slice(
            namespace, label_selector="kubernetes.io/service-name=web"
        ).items
        return [(each.addresses, slice_.ports[0].port) for slice_ in slices for each in slice_.endpoints or []]

    assert until(endpoints) == [(["10.244.1.1"], 8080)]
    event = client.CoreV1Event(
        metadata=client.V1ObjectMeta(generate_name="web."),
        involved_object=client.V1ObjectReference(kind="Service", name="web", namespace=namespace),
        reason="Tested",
        type="Normal",
        message="it was tried",
        event_time=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        action="Trying",
        reporting_component="tests",
        reporting_instance="tests-1",
    )
    core.create_namespaced_event(namespace, event)
    (newer,) = client.EventsV1Api(api_client).list_namespaced_event(namespace, field_selector="reason=Tested").items
    assert (newer.regarding.name, newer.note) == ("web", "it was tried")
    assert newer.event_time == event.event_time


def test_what_the_server_says_of_itself(api_client, kubeconfig):
    del kubeconfig
    assert client.VersionApi(api_client).get_code().git_version.startswith("v1.36.0+fairlead.")
    groups = {group.name for group in client.ApisApi(api_client).get_api_versions().groups}
    assert {"discovery.k8s.io", "events.k8s.io", "networking.k8s.io", "fairlead.io"} <= groups
    resources = client.CoreV1Api(api_client).get_api_resources().resources
    assert {"services", "services/status", "pods", "namespaces/finalize"} <= {each.name for each in resources}
    review = client.V1SelfSubjectAccessReview(
        spec=client.V1SelfSubjectAccessReviewSpec(
            resource_attributes=client.V1ResourceAttributes(verb="create", resource="services")
        )
    )
    answer = client.AuthorizationV1Api(api_client).create_self_subject_access_review(review)
    assert answer.status.allowed
    records = client.CustomObjectsApi(api_client).list_namespaced_custom_object(
        "fairlead.io", "v1", "default", "dnsrecordsets"
    )
    assert records["kind"] == "DNSRecordSetList"


def test_documents_from_a_file(api_client, core, namespace, tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n---\n"
        "apiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {type: ExternalName, externalName: example.com}\n"
    )
    utils.create_from_yaml(api_client, str(path), namespace=namespace)
    assert [each.spec.type for each in core.list_namespaced_service(namespace).items] == ["ClusterIP", "ExternalName"]
