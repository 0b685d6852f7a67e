"""ConfigMaps, Secrets and ServiceAccounts as kubectl makes and shows them, in each version."""

import base64
import json

import pytest
import trustme
import yaml

from tests.clients.kubectl import described


def decoded(secret):
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def test_config_maps(kubectl, tmp_path):
    (tmp_path / "app.conf").write_text("a = 1\n")
    (tmp_path / "logo").write_bytes(b"\x00\xff")
    from_file = [f"--from-file={name}={tmp_path / name}" for name in ("app.conf", "logo")]
    assert (
        kubectl("create", "configmap", "settings", "--from-literal=a=b", *from_file) == "configmap/settings created\n"
    )
    made = kubectl.document("get", "cm", "settings")
    assert (made["data"], made["binaryData"]) == ({"a": "b", "app.conf": "a = 1\n"}, {"logo": "AP8="})
    assert kubectl.table("get", "configmaps", "settings") == [["NAME", "DATA", "AGE"], ["settings", "3", "AGE"]]
    assert "app.conf:\n----\na = 1" in kubectl("describe", "configmap", "settings")

    kubectl("patch", "configmap", "settings", "-p", '{"data": {"a": null, "c": "d"}, "immutable": true}')
    assert kubectl.document("get", "cm", "settings")["data"] == {"app.conf": "a = 1\n", "c": "d"}
    kubectl("patch", "configmap", "settings", "-p", '{"data": {"c": "e"}}', status=1)
    assert "immutable" in kubectl.errors
    assert kubectl("delete", "configmap", "settings").startswith('configmap "settings" deleted')
    kubectl("get", "configmap", "settings", status=1)


def test_secrets(kubectl):
    kubectl("create", "secret", "generic", "login", "--type=kubernetes.io/basic-auth", "--from-literal=username=u",
            "--from-literal=password=p=1")  # fmt: skip
    assert decoded(kubectl.document("get", "secret", "login")) == {"username": "u", "password": "p=1"}
    assert kubectl.table("get", "secrets") == [
        ["NAME", "TYPE", "DATA", "AGE"],
        ["login", "kubernetes.io/basic-auth", "2", "AGE"],
    ]
    assert described(kubectl("describe", "secret", "login"))["Type"] == "kubernetes.io/basic-auth"
    kubectl("create", "secret", "docker-registry", "pull", "--docker-username=u", "--docker-password=p")
    pull = kubectl.document("get", "secret", "pull")
    assert pull["type"] == "kubernetes.io/dockerconfigjson"
    assert json.loads(decoded(pull)[".dockerconfigjson"])["auths"]
    assert kubectl.table("get", "secrets", "--field-selector=type=kubernetes.io/dockerconfigjson")[1][0] == "pull"
    kubectl("create", "secret", "generic", "bad", "--type=kubernetes.io/ssh-auth", status=1)
    assert "data[ssh-privatekey]" in kubectl.errors


def test_certificates(kubectl, tmp_path):
    made = trustme.CA().issue_cert("web.example.com")
    files = tmp_path / "tls.crt", tmp_path / "tls.key"
    made.cert_chain_pems[0].write_to_path(files[0])
    made.private_key_pem.write_to_path(files[1])
    kubectl("create", "secret", "tls", "web", f"--cert={files[0]}", f"--key={files[1]}")
    assert "Warning" not in kubectl.errors
    assert decoded(kubectl.document("get", "secret", "web")) == {each.name: each.read_text() for each in files}


def test_texts_are_applied_and_pruned(kubectl):
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "1", "b": "2"}}
    assert kubectl("apply", given=secret) == "secret/s created\n"
    assert decoded(kubectl.document("get", "secret", "s")) == {"a": "1", "b": "2"}
    secret["stringData"]["a"] = "3"
    assert kubectl("apply", given=secret) == "secret/s configured\n"
    assert decoded(kubectl.document("get", "secret", "s"))["a"] == "3"
    data = {**secret, "data": {"c": base64.b64encode(b"4").decode()}}
    del data["stringData"]
    assert kubectl("apply", "--server-side", "--force-conflicts", given=data) == "secret/s serverside-applied\n"
    assert decoded(kubectl.document("get", "secret", "s"))["c"] == "4"


def test_accounts(kubectl):
    assert kubectl("create", "serviceaccount", "app") == "serviceaccount/app created\n"
    assert kubectl.table("get", "sa", "app") == [["NAME", "AGE"], ["app", "AGE"]]
    kubectl("patch", "sa", "app", "-p", '{"imagePullSecrets": [{"name": "pull"}]}')
    assert yaml.safe_load(kubectl("get", "sa", "app", "-o", "yaml"))["imagePullSecrets"] == [{"name": "pull"}]
    assert described(kubectl("describe", "sa", "app"))["Image pull secrets"].startswith("pull")
    assert kubectl("delete", "sa", "app").startswith('serviceaccount "app" deleted')


@pytest.mark.parametrize("kind", ["configmaps", "secrets", "serviceaccounts"])
def test_they_are_explained(kubectl, kind):
    assert "FIELDS:" in kubectl("explain", kind)


def test_quotas(kubectl):
    kubectl("create", "quota", "team", "--hard=services=1,services.loadbalancers=0,cpu=1500m,count/secrets=1000")
    made = kubectl.document("get", "quota", "team")
    assert made["spec"]["hard"]["count/secrets"] == "1k"
    kubectl("wait", "quota/team", "--for=jsonpath={.status.used.services}=0", "--timeout=30s")
    assert kubectl.table("get", "resourcequotas", "team")[0][:3] == ["NAME", "REQUEST", "LIMIT"]
    shown = [line.split() for line in kubectl("describe", "quota", "team").splitlines()]
    for row in (["Resource", "Used", "Hard"], ["cpu", "0", "1500m"], ["services.loadbalancers", "0", "0"]):
        assert row in shown
    kubectl("create", "service", "clusterip", "one", "--tcp=80")
    kubectl("create", "service", "clusterip", "two", "--tcp=80", status=1)
    assert "exceeded quota: team, requested: services=1, used: services=1, limited: services=1" in kubectl.errors
    kubectl("create", "service", "loadbalancer", "three", "--tcp=80", status=1)
    asked = "requested: services=1,services.loadbalancers=1, used: services=1,services.loadbalancers=0"
    assert asked in kubectl.errors
    kubectl("patch", "quota", "team", "-p", '{"spec": {"hard": {"services": "2", "cpu": null}}}')
    kubectl("create", "service", "clusterip", "two", "--tcp=80")
    kubectl("wait", "quota/team", "--for=jsonpath={.status.used.services}=2", "--timeout=30s")
    assert "requests.cpu" not in kubectl("describe", "namespace", "default")
    kubectl("create", "quota", "pods", "--hard=pods=1", "--scopes=BestEffort")
    assert "BestEffort" in kubectl("describe", "quota", "pods")
    kubectl("create", "quota", "bad", "--hard=services=1", "--scopes=BestEffort", status=1)
    assert "unsupported scope applied to resource" in kubectl.errors
    kubectl("delete", "quota", "team", "pods")
    kubectl("delete", "service", "one", "two")
