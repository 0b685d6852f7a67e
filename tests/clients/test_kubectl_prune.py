"""`kubectl apply` that removes what a file no longer has: by labels, and by ApplySets (KEP-3659)."""

import pytest
import yaml

SERVICE = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}}
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}
ALLOWED = [f"--prune-allowlist=core/v1/{kind}" for kind in ("Service", "ConfigMap", "Secret")]


def manifest(*kinds):
    documents = [{**kind, "metadata": {"name": kind["kind"].lower(), "labels": {"app": "shop"}}} for kind in kinds]
    return yaml.safe_dump_all(documents)


def test_what_a_label_chooses_is_pruned(kubectl):
    assert (
        kubectl("apply", given=manifest(SERVICE, CONFIG_MAP))
        == "service/service created\nconfigmap/configmap created\n"
    )
    kubectl("create", "configmap", "other", "--from-literal=a=b")
    said = kubectl("apply", "--prune", "--selector=app=shop", *ALLOWED, given=manifest(SERVICE))
    assert said == "service/service unchanged\nconfigmap/configmap pruned\n"
    left = set(kubectl("get", "configmaps,services", "--output=name").split())
    # The one that every namespace has may be still to come.
    assert left - {"configmap/kube-root-ca.crt"} == {"configmap/other", "service/service"}


@pytest.mark.parametrize("parent", ["shop", "secret/shop", "configmap/shop"])
def test_a_set_is_pruned_by_its_parent(kubectl, parent, monkeypatch):
    monkeypatch.setitem(kubectl._environment, "KUBECTL_APPLYSET", "true")
    apply = ("apply", "--prune", f"--applyset={parent}")
    assert kubectl(*apply, given=manifest(SERVICE, CONFIG_MAP)).count("created") == 2
    assert kubectl(*apply, given=manifest(CONFIG_MAP)) == "configmap/configmap unchanged\nservice/service pruned\n"
    kind = parent.partition("/")[0] if "/" in parent else "secret"
    kept = kubectl.document("get", kind, "shop")
    assert kept["metadata"]["labels"]["applyset.kubernetes.io/id"].startswith("applyset-")
    assert "services" not in str(kept["metadata"]["annotations"]).lower()
    member = kubectl.document("get", "configmap", "configmap")["metadata"]["labels"]
    assert member["applyset.kubernetes.io/part-of"] == kept["metadata"]["labels"]["applyset.kubernetes.io/id"]
