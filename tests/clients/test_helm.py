"""Helm, by the package that carries its SDK: a release of Services from its installation to its end."""

import base64
import gzip
import json
from pathlib import Path

import helm_python
import httpx
import pytest

CHART = {
    "Chart.yaml": "{apiVersion: v2, name: shop, version: 0.1.0}",
    "values.yaml": "{port: 80, extra: false}",
    "templates/web.yaml": """\
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}-web
  labels: {app.kubernetes.io/managed-by: {{ .Release.Service }}}
spec:
  selector: {app: web}
  ports: [{name: http, port: {{ .Values.port }}}]
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-login}
stringData: {password: {{ .Values.port | quote }}}
""",
    "templates/extra.yaml": """\
{{- if .Values.extra }}
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}-extra}
spec: {type: LoadBalancer, ports: [{port: 443}]}
{{- end }}
""",
}
STORED = {"secret": ("secrets", "helm.sh/release.v1"), "configmap": ("configmaps", None)}


@pytest.fixture
def chart(tmp_path):
    for name, text in CHART.items():
        path = tmp_path / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "shop"


@pytest.fixture(params=STORED)
def helm(request, kubeconfig, namespace):
    """Helm with each place in which it keeps releases."""
    with helm_python.Config(
        kubeconfig_path=kubeconfig, namespace=namespace, storage_driver=request.param
    ) as configured:
        configured.storage = STORED[request.param]
        yield configured


@pytest.fixture
def objects(product, namespace):
    """The objects of a kind in the namespace, by name."""

    def read(plural):
        items = httpx.get(f"{product.url}/api/v1/namespaces/{namespace}/{plural}").json()["items"]
        return {item["metadata"]["name"]: item for item in items}

    return read


def ports(objects):
    return {name: item["spec"]["ports"][0]["port"] for name, item in objects("services").items()}


def test_a_release_lives(helm, chart, objects):
    plural, type_ = helm.storage
    assert helm.install(chart, "shop", {"port": 81}, wait="watcher", timeout=30)["status"] == "deployed"
    assert ports(objects) == {"shop-web": 81}
    assert base64.b64decode(objects("secrets")["shop-login"]["data"]["password"]) == b"81"
    assert [(each["name"], each["revision"]) for each in helm.list()] == [("shop", 1)]
    kept = objects(plural)["sh.helm.release.v1.shop.v1"]
    assert kept.get("type") == type_
    assert kept["metadata"]["labels"]["status"] == "deployed"
    assert release(kept)["info"]["status"] == "deployed"

    helm.upgrade(chart, "shop", {"port": 82, "extra": True}, wait="watcher", timeout=30)
    assert ports(objects) == {"shop-web": 82, "shop-extra": 443}
    helm.rollback("shop", wait="watcher", timeout=30)
    assert ports(objects) == {"shop-web": 81}
    states = [(each["revision"], each["status"]) for each in helm.history("shop")]
    assert states == [(1, "superseded"), (2, "superseded"), (3, "deployed")]
    assert helm.get_values("shop") == {"port": 81}

    helm.uninstall("shop", wait="watcher", timeout=30)
    assert ports(objects) == {}
    assert helm.list(all_states=True) == []
    assert not any(name.startswith("sh.helm") for name in objects(plural))


def test_a_chart_with_what_is_refused_fails_and_can_be_mended(helm, chart, objects):
    with pytest.raises(helm_python.HelmError, match=r"spec\.ports"):
        helm.install(chart, "shop", {"port": 0})
    assert helm.status("shop")["status"] == "failed"
    assert helm.upgrade(chart, "shop", {"port": 80})["status"] == "deployed"
    assert ports(objects) == {"shop-web": 80}


def test_a_chart_with_a_kind_that_is_not_served_says_which(helm, chart, objects):
    claim = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: x}}"
    Path(chart / "templates" / "claim.yaml").write_text(claim)
    with pytest.raises(helm_python.HelmError, match='no matches for kind "PersistentVolumeClaim" in version "v1"'):
        helm.install(chart, "shop")
    assert ports(objects) == {}


def release(kept):
    """What Helm keeps of a release: JSON, compressed, in base64, and once more where it lies in a Secret."""
    text = kept["data"]["release"]
    packed = base64.b64decode(base64.b64decode(text) if kept["kind"] == "Secret" else text)
    return json.loads(gzip.decompress(packed))
