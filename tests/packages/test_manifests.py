"""The Helm chart and Kustomize's base: rendered, checked against Kubernetes' own schemas, and their pods run."""

import asyncio
import importlib.util
import json
import re
import secrets
import subprocess
from base64 import b64encode
from pathlib import Path

import helm_python
import kubernetes_validate
import pytest
import trustme
import yaml

from app import __version__
from app.cli import COMMANDS
from app.settings.base import ENVIRONMENT_PREFIX
from tests.dataplane.namespaces import needs_root
from tests.e2e.ensemble import create_database
from tests.packages.apart import run_apart

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "fairlead"
KUSTOMIZE = ROOT / "deploy" / "kustomize"
PROCESSES = ["api", "dns", "reconciler", "xds"]
EVERYTHING = {
    "xds": {"enabled": True},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "imagePullSecrets": [{"name": "registry"}],
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "priorityClassName": "system-cluster-critical",
    "podAnnotations": {"a": "b"},
    "image": {"digest": f"sha256:{'0' * 64}"},
    "settings": {"cluster-domain": "services.example.org", "service-cidrs": "10.96.0.0/16"},
    "api": {
        "settings": {"log-requests": True, "watches-per-user": 100},
        "service": {"type": "LoadBalancer", "annotations": {"a": "b"}},
        "secretFiles": {"console-key-file": {"secret": "console", "key": "keys", "optional": True}},
    },
    "dns": {"service": {"type": "LoadBalancer"}},
    "networkPolicy": {
        "clients": [{"podSelector": {"matchLabels": {"a": "b"}}}],
        "metricsFrom": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}],
        "extraEgress": [{"ports": [{"port": 443}]}],
    },
}


def _module():
    spec = importlib.util.spec_from_file_location("manifests", ROOT / "deploy" / "manifests.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


manifests = _module()


def kustomized(path):
    done = subprocess.run(["kubectl", "kustomize", path], capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


RENDERED = {
    "chart": lambda: manifests.render({}),
    "chart with everything": lambda: manifests.render(EVERYTHING),
    "chart with a plain migration": lambda: manifests.render({"migrate": {"hook": False}}),
    "base": lambda: kustomized(KUSTOMIZE / "base"),
    "production": lambda: kustomized(KUSTOMIZE / "overlays" / "production"),
}


@pytest.fixture(scope="module", params=RENDERED)
def documents(request):
    return RENDERED[request.param]()


def of_kind(documents, *kinds):
    return [each for each in documents if each["kind"] in kinds]


def test_the_chart_is_without_fault():
    found = helm_python.lint(CHART, EVERYTHING, strict=True)
    assert found["errors"] == []
    assert [each["error"] for each in found["messages"]] == ["icon is recommended"]


def test_the_chart_is_of_this_version():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == __version__


@pytest.mark.parametrize("version", ["1.29", kubernetes_validate.latest_version()])
def test_each_object_is_as_kubernetes_wants_it(documents, version):
    """From the oldest version that the chart names to the newest. Monitors are the Prometheus operator's."""
    for each in documents:
        if each["kind"] != "ServiceMonitor":
            kubernetes_validate.validate(each, version, strict=True)


def test_kustomize_says_what_the_chart_says():
    for path, text in manifests.manifests().items():
        assert path.read_text() == text, f"{path} is not of the chart: run make manifests"


def pods(documents):
    return [each["spec"]["template"]["spec"] for each in of_kind(documents, "Deployment", "Job")]


def test_each_process_gets_settings_of_its_own_and_nothing_else(documents):
    for pod in pods(documents):
        (container,) = pod["containers"]
        (command,) = container["args"]
        names = {each["name"].removeprefix(ENVIRONMENT_PREFIX).lower() for each in container["env"]}
        # Settings of all processes may be those of another one.
        common = {"cluster_domain", "service_cidrs"}
        assert names - common <= set(COMMANDS[command].settings.model_fields)
        # Kubernetes would set FAIRLEAD_PORT for a Service of that name.
        assert pod["enableServiceLinks"] is False


def test_each_pod_is_as_restricted_as_it_can_be(documents):
    for pod in pods(documents):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"].keys() == {"requests", "limits"}


def test_all_that_belongs_together_finds_each_other(documents):
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in of_kind(documents, "Deployment", "Job")]
    components = {each["app.kubernetes.io/component"] for each in labels}

    def selected(selector):
        return {each["app.kubernetes.io/component"] for each in labels if selector.items() <= each.items()}

    for each in of_kind(documents, "Service"):
        assert selected(each["spec"]["selector"]) == {each["metadata"]["labels"]["app.kubernetes.io/component"]}
    guarded = [selected(each["spec"]["podSelector"]["matchLabels"]) for each in of_kind(documents, "NetworkPolicy")]
    assert sorted(map(list, guarded)) == [[each] for each in sorted(components)]
    budgets = [selected(each["spec"]["selector"]["matchLabels"]) for each in of_kind(documents, "PodDisruptionBudget")]
    assert sorted(map(list, budgets)) == [[each] for each in sorted(components - {"migrate"})]
    for each in of_kind(documents, "ServiceMonitor"):
        (endpoint,) = each["spec"]["endpoints"]
        wanted = each["spec"]["selector"]["matchLabels"].items()
        services = [each for each in of_kind(documents, "Service") if wanted <= each["metadata"]["labels"].items()]
        named = [port for service in services for port in service["spec"]["ports"] if port["name"] == endpoint["port"]]
        assert len(named) == 1


def test_metrics_are_behind_no_load_balancer():
    services = of_kind(manifests.render(EVERYTHING), "Service")
    exposed = [each for each in services if each["spec"].get("type") == "LoadBalancer"]
    assert {port["name"] for each in exposed for port in each["spec"]["ports"]} == {"https", "dns-udp", "dns-tcp"}


def test_a_process_with_one_replica_has_no_budget_and_one_that_is_off_has_nothing():
    documents = manifests.render({"reconciler": {"replicas": 1}, "dns": {"enabled": False}})
    assert [each["metadata"]["name"] for each in of_kind(documents, "PodDisruptionBudget")] == ["fairlead-api"]
    assert not [each for each in documents if "dns" in each["metadata"]["name"]]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"replicas": 3}, "replicas"),
        ({"api": {"settings": {"log_requests": True}}}, "log_requests"),
        ({"image": {"digest": "latest"}}, "digest"),
        ({"secretFiles": {"service-tags": {"secret": "tags"}}}, "key"),
    ],
)
def test_values_that_mean_nothing_are_refused(values, message):
    with pytest.raises(helm_python.HelmError, match=message):
        manifests.render(values)


@needs_root
def test_the_pods_run_and_serve(postgres, tmp_path):
    url = asyncio.run(create_database(postgres, "pods"))
    authority, token = trustme.CA(), secrets.token_hex(16)
    certificate = authority.issue_cert("fairlead.fairlead.svc")
    tls = {
        "tls.crt": b"".join(blob.bytes() for blob in certificate.cert_chain_pems).decode(),
        "tls.key": certificate.private_key_pem.bytes().decode(),
        "ca.crt": authority.cert_pem.bytes().decode(),
    }
    given = {
        "database_url": url,
        "token": token,
        "documents": manifests.render({"xds": {"enabled": True}}),
        "secrets": {
            "fairlead-encryption-keys": {"keys": b64encode(secrets.token_bytes(32)).decode()},
            "fairlead-tokens": {"tokens.csv": f'{token},admin,1,"system:masters"\n'},
            "fairlead-tls": tls,
            "fairlead-xds": tls,
        },
    }
    done = run_apart("pods", given, tmp_path)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["used"]["created"] == 201
    assert re.match(r"10\.96\.", seen["used"]["address"])
    assert seen["used"]["answer"] == seen["used"]["address"]
    assert seen["xds"] is True
    assert sorted(seen["statuses"].values()) == [0] * 5
