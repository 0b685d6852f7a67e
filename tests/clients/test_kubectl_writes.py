"""What kubectl's writing commands say and do, in each version."""

import json

import httpx
import pytest

from tests.clients.kubectl import VERSIONS

TEN_SECONDS = "--timeout=10s"


def service(name="web", *, target=8080, labels=None, **spec):
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": labels or {"app": name}},
        "spec": {
            "selector": {"app": name},
            "ports": [{"name": "http", "port": 80, "targetPort": target}],
            **spec,
        },
    }


@pytest.fixture
def stored(product, namespace):
    """Reads a Service past kubectl."""

    def read(name="web"):
        reply = httpx.get(f"{product.url}/api/v1/namespaces/{namespace}/services/{name}")
        return reply.json() if reply.status_code == 200 else None

    return read


@pytest.fixture
def editor(tmp_path):
    """Makes an editor that applies one `sed` command."""

    def make(command):
        script = tmp_path / "editor"
        script.write_text(f'#!/bin/sh\nexec sed -i "{command}" "$1"\n')
        script.chmod(0o700)
        return script

    return make


def managers(document):
    return {(each["manager"], each["operation"]) for each in document["metadata"]["managedFields"]}


def test_namespaces(kubectl):
    name = f"{kubectl.namespace}-own"
    assert kubectl("create", "namespace", name) == f"namespace/{name} created\n"
    assert kubectl.table("get", "namespace", name) == [["NAME", "STATUS", "AGE"], [name, "Active", "AGE"]]
    kubectl("create", "namespace", name, status=1)
    assert "(AlreadyExists)" in kubectl.errors
    kubectl("create", "--namespace", name, given=service())
    assert kubectl("delete", "namespace", name).startswith(f'namespace "{name}" deleted')
    kubectl("get", "namespace", name, status=1)
    assert kubectl.errors == f'Error from server (NotFound): namespaces "{name}" not found\n'


def test_apply(kubectl, stored):
    assert kubectl("apply", given=service()) == "service/web created\n"
    first = stored()
    assert managers(first) == {("kubectl-client-side-apply", "Update")}
    applied = json.loads(first["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"])
    assert applied["spec"] == service()["spec"]
    assert kubectl("apply", given=service()) == "service/web unchanged\n"
    assert stored() == first

    # What is left out goes, what others chose stays.
    changed = service(target=8081, sessionAffinity="ClientIP")
    del changed["metadata"]["labels"]
    assert kubectl("apply", given=changed) == "service/web configured\n"
    second = stored()
    assert "labels" not in second["metadata"]
    assert second["spec"]["ports"] == [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8081}]
    assert second["spec"]["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    assert second["spec"]["clusterIP"] == first["spec"]["clusterIP"]


def test_apply_on_the_server(kubectl, stored):
    kubectl("apply", given=service())
    assert kubectl("apply", "--server-side", given=service()) == "service/web serverside-applied\n"
    first = stored()
    assert ("kubectl", "Apply") in managers(first)
    assert kubectl("apply", "--server-side", given=service()) == "service/web serverside-applied\n"
    assert stored() == first

    other = ["apply", "--server-side", "--field-manager", "other"]
    kubectl(*other, given=service(target=9090), status=1)
    conflict = 'Apply failed with 1 conflict: conflict with "kubectl": .spec.ports[port=80,protocol="TCP"].targetPort'
    assert conflict in kubectl.errors
    assert stored() == first
    assert kubectl(*other, "--force-conflicts", given=service(target=9090)) == "service/web serverside-applied\n"
    assert stored()["spec"]["ports"][0]["targetPort"] == 9090
    assert {("kubectl", "Apply"), ("other", "Apply")} <= managers(stored())


def test_diff(kubectl, stored):
    kubectl("apply", given=service())
    before = stored()
    assert kubectl("diff", given=service()) == ""
    lines = kubectl("diff", given=service(target=8081), status=1).splitlines()
    changes = [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert changes == ["-    targetPort: 8080", "+    targetPort: 8081"]
    added = kubectl("diff", given=service("new"), status=1)
    assert "+  name: new" in added
    assert stored() == before
    assert stored("new") is None


def test_dry_run_on_the_server(kubectl, stored):
    tentative = kubectl.document("create", "--dry-run=server", given=service())
    assert tentative["spec"]["clusterIP"].startswith("10.96.")
    assert "resourceVersion" not in tentative["metadata"]
    assert stored() is None
    assert kubectl("apply", "--dry-run=server", given=service()) == "service/web created (server dry run)\n"
    assert stored() is None


def test_label_and_annotate(kubectl, stored):
    kubectl("create", given=service())
    assert kubectl("label", "service", "web", "tier=front", "app-") == "service/web labeled\n"
    assert stored()["metadata"]["labels"] == {"tier": "front"}
    assert kubectl("label", "service", "web", "--overwrite", "tier=back").startswith("service/web labeled")
    assert kubectl("annotate", "service", "web", "note=a word").startswith("service/web annotate")
    assert stored()["metadata"]["annotations"] == {"note": "a word"}
    assert stored()["metadata"]["labels"] == {"tier": "back"}
    kubectl("label", "service", "web", "no/such/key=1", status=1)
    kubectl("patch", "service", "web", "-p", '{"metadata":{"labels":{"k":"not a value"}}}', status=1)
    assert 'The Service "web" is invalid: metadata.labels' in kubectl.errors


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("strategic", {"spec": {"ports": [{"port": 80, "targetPort": 9090}]}}),
        ("merge", {"spec": {"ports": [{"name": "http", "port": 80, "targetPort": 9090}]}}),
        ("json", [{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 9090}]),
    ],
)
def test_patch(kubectl, stored, kind, patch):
    kubectl("create", given=service())
    command = ["patch", "service", "web", "--type", kind, "-p", json.dumps(patch)]
    assert kubectl(*command) == "service/web patched\n"
    assert stored()["spec"]["ports"] == [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 9090}]
    assert kubectl(*command) == "service/web patched (no change)\n"


def test_patch_of_the_status(kubectl, stored):
    kubectl("create", given=service())
    condition = {"type": "Checked", "status": "True", "reason": "Tested", "message": "",
                 "lastTransitionTime": "2026-01-02T03:04:05Z"}  # fmt: skip
    patch = {"status": {"conditions": [condition]}, "spec": {"type": "NodePort"}}
    command = ["patch", "service", "web", "--subresource", "status", "-p", json.dumps(patch)]
    assert kubectl(*command) == "service/web patched\n"
    assert condition in stored()["status"]["conditions"]
    assert stored()["spec"]["type"] == "ClusterIP"


def test_edit(kubectl, stored, editor):
    kubectl("create", given=service())
    assert kubectl("edit", "service", "web", editor=editor("s/targetPort: 8080/targetPort: 9191/")) == (
        "service/web edited\n"
    )
    assert stored()["spec"]["ports"][0]["targetPort"] == 9191
    kubectl("edit", "service", "web", editor=editor("s/a/a/"))
    assert "no changes made" in kubectl.errors
    before = stored()
    kubectl("edit", "service", "web", editor=editor("s/  - name: http/  - name: Not_A_Name/"), status=1)
    assert 'services "web" is invalid' in kubectl.errors
    assert stored() == before


def test_replace(kubectl, stored):
    kubectl("create", given=service())
    before = stored()
    read = kubectl.document("get", "service", "web")
    read["metadata"]["labels"] = {"app": "other"}
    assert kubectl("replace", given=read) == "service/web replaced\n"
    assert stored()["metadata"]["labels"] == {"app": "other"}
    assert stored()["spec"] == before["spec"]
    kubectl("replace", given=read, status=1)
    assert "Error from server (Conflict)" in kubectl.errors
    assert kubectl("replace", "--force", given=service(target=1)).endswith("service/web replaced\n")
    assert stored()["metadata"]["uid"] != before["metadata"]["uid"]
    assert stored("new") is None
    assert kubectl("replace", given=service("new")) == "service/new replaced\n"
    assert stored("new")["spec"]["clusterIP"].startswith("10.96.")


def test_create_service_of_each_type(kubectl, stored):
    create = ["create", "service"]
    asked = 30_081 + VERSIONS.index(f"1.{kubectl.minor}")  # of the band that is handed out last
    assert kubectl(*create, "clusterip", "a", "--tcp=80:8080") == "service/a created\n"
    assert kubectl(*create, "clusterip", "h", "--clusterip=None") == "service/h created\n"
    assert kubectl(*create, "nodeport", "b", "--tcp=80:8080", f"--node-port={asked}") == "service/b created\n"
    assert kubectl(*create, "loadbalancer", "c", "--tcp=80:8080,443") == "service/c created\n"
    assert kubectl(*create, "externalname", "d", "--external-name=example.com") == "service/d created\n"
    specs = {name: stored(name)["spec"] for name in "ahbcd"}
    port = {"name": "80-8080", "port": 80, "protocol": "TCP", "targetPort": 8080}
    chosen = {"internalTrafficPolicy", "ipFamilies", "ipFamilyPolicy", "sessionAffinity"}
    assert {name: (spec["type"], spec["selector"]) for name, spec in specs.items()} == {
        "a": ("ClusterIP", {"app": "a"}),
        "h": ("ClusterIP", {"app": "h"}),
        "b": ("NodePort", {"app": "b"}),
        "c": ("LoadBalancer", {"app": "c"}),
        "d": ("ExternalName", {"app": "d"}),
    }
    assert specs["a"]["ports"] == [port]
    assert specs["h"]["clusterIP"] == "None"
    assert specs["b"]["ports"] == [{**port, "nodePort": asked}]
    assert [each["port"] for each in specs["c"]["ports"]] == [80, 443]
    assert all(30000 <= each["nodePort"] <= 32767 for each in specs["c"]["ports"])
    assert stored("c")["status"]["loadBalancer"]["ingress"][0]["ip"].startswith("198.18.")
    assert specs["d"].keys() == {"externalName", "selector", "sessionAffinity", "type"}
    assert chosen <= specs["a"].keys()
    kubectl(*create, "nodeport", "e", "--tcp=80", f"--node-port={asked}", status=1)
    assert 'Service "e" is invalid: spec.ports[0].nodePort: Invalid value' in kubectl.errors


def test_refusals(kubectl):
    kubectl("create", given=service(portz=[]), status=1)
    assert "(BadRequest)" in kubectl.errors
    assert 'strict decoding error: unknown field "spec.portz"' in kubectl.errors
    wrong = service(type="NodePort", ports=[{"port": 0, "protocol": "ICMP"}])
    kubectl("create", given=wrong, status=1)
    assert 'The Service "web" is invalid: \n* spec.ports[0]' in kubectl.errors
    assert "* spec.ports[0].protocol: Unsupported value" in kubectl.errors
    kubectl("apply", "--validate=warn", given=service(portz=[]))
    assert kubectl.errors.startswith('Warning: unknown field "spec.portz"')
    kubectl("create", given=service(), status=1)
    assert kubectl.errors == (
        'Error from server (AlreadyExists): error when creating "STDIN": services "web" already exists\n'
    )
    kubectl("apply", "--namespace", "nowhere", given=service(), status=1)
    assert '(NotFound): error when creating "STDIN": namespaces "nowhere" not found' in kubectl.errors


def test_warnings(kubectl):
    kubectl("create", given=service(clusterIP="None", externalIPs=["192.0.2.1"]))
    assert kubectl.errors.startswith("Warning: spec.externalIPs")


def test_delete(kubectl, stored):
    for name in ("a", "b", "c"):
        kubectl("create", given=service(name, labels={"group": "x" if name == "b" else "y"}))
    deleted = '{} "{}" deleted'
    assert kubectl("delete", "service", "a").startswith(deleted.format("service", "a"))
    assert stored("a") is None
    kubectl("delete", "service", "a", status=1)
    assert kubectl.errors == 'Error from server (NotFound): services "a" not found\n'
    assert kubectl("delete", "service", "a", "--ignore-not-found") == ""
    assert "(server dry run)" in kubectl("delete", "service", "b", "--dry-run=server")
    assert stored("b") is not None
    assert kubectl("delete", "service", "-l", "group in (x, z)").startswith(deleted.format("service", "b"))
    assert kubectl("get", "services", "-o", "name") == "service/c\n"
    assert kubectl("delete", "services", "--all").startswith(deleted.format("service", "c"))
    kubectl("get", "services")
    assert kubectl.errors == f"No resources found in {kubectl.namespace} namespace.\n"


def test_waiting(kubectl, stored):
    kubectl("create", "service", "loadbalancer", "web", "--tcp=80")
    wait = ["wait", "service/web"]
    assert kubectl(*wait, "--for=condition=Allocated", TEN_SECONDS) == "service/web condition met\n"
    assert kubectl(*wait, "--for=condition=Resolvable=True", TEN_SECONDS) == "service/web condition met\n"
    address = stored()["status"]["loadBalancer"]["ingress"][0]["ip"]
    path = f"--for=jsonpath={{.status.loadBalancer.ingress[0].ip}}={address}"
    assert kubectl(*wait, path, TEN_SECONDS) == "service/web condition met\n"
    kubectl(*wait, "--for=condition=Absent", "--timeout=300ms", status=1)
    assert "timed out waiting for the condition on services/web" in kubectl.errors

    # One that becomes true while kubectl waits, which it learns from a watch.
    waiting = kubectl.start_watching(*wait, "--for=condition=Checked", "--timeout=30s")
    patch = {"status": {"conditions": [{"type": "Checked", "status": "True", "reason": "Tested", "message": "",
                                        "lastTransitionTime": "2026-01-02T03:04:05Z"}]}}  # fmt: skip
    kubectl("patch", "service", "web", "--subresource", "status", "-p", json.dumps(patch))
    assert waiting.communicate(timeout=30)[0] == "service/web condition met\n"
    deleting = kubectl.start_watching(*wait, "--for=delete", "--timeout=30s")
    kubectl("delete", "service", "web")
    assert deleting.communicate(timeout=30)[0] == "service/web condition met\n"
