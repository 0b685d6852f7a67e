"""The first thing a user does: a file of Services goes in, allocated Services come out."""

from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
import yaml
from kubernetes import config, utils

from tests.clients.kubectl import Kubectl, find
from tests.e2e import audit
from tests.e2e.serving import Serving
from tests.e2e.subject import is_allocated
from tests.e2e.waiting import until

OWN = Path(__file__).parent / "examples" / "bookshop.yaml"
SHARED = Path(__file__).parents[3] / "shared" / "examples" / "shop.yaml"
absent = pytest.mark.skipif(not SHARED.exists(), reason=f"{SHARED.name} is not beside this checkout")


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    """One that nobody else uses: the files ask for node ports by number."""
    with Serving(tmp_path_factory.mktemp("first") / "data") as serving:
        yield serving


@pytest.fixture(params=[OWN, pytest.param(SHARED, marks=absent)], ids=lambda path: path.stem)
def documents(request, product):
    """A file's objects; what a test leaves of them goes."""
    found = list(yaml.safe_load_all(request.param.read_text()))
    yield request.param, found
    name = found[0]["metadata"]["name"]
    httpx.delete(f"{product.url}/api/v1/namespaces/{name}", timeout=30)
    until(lambda: httpx.get(f"{product.url}/api/v1/namespaces/{name}", timeout=30).status_code == 404, timeout=60)


def get(product, path):
    reply = httpx.get(product.url + path, timeout=30)
    assert reply.status_code == 200, reply.text
    return reply.json()


def check(product, found):
    """Each Service has all that its type promises."""
    namespace = found[0]["metadata"]["name"]
    for document in found[1:]:
        name = document["metadata"]["name"]
        service = get(product, f"/api/v1/namespaces/{namespace}/services/{name}")
        assert is_allocated(service), name
        check_addresses(service, document["spec"])
        check_records(product, service)


def check_addresses(service, asked):
    spec = service["spec"]
    kind, headless = spec["type"], asked.get("clusterIP") == "None"
    assert kind == asked.get("type", "ClusterIP")
    if kind == "ExternalName":
        assert "clusterIP" not in spec
    elif headless:
        assert spec["clusterIPs"] == ["None"]
    else:
        assert ip_address(spec["clusterIP"]) in audit.SERVICE_CIDR
    for port, given in zip(asked.get("ports", []), spec.get("ports", []), strict=True):
        assert given.get("nodePort", 0) in (audit.NODE_PORTS if kind in ("NodePort", "LoadBalancer") else [0])
        assert port.get("nodePort", given.get("nodePort")) == given.get("nodePort")
    points = [ip_address(point["ip"]) for point in service["status"]["loadBalancer"].get("ingress", [])]
    internal, external = audit.POOLS
    pool = internal if any("internal" in key for key in service["metadata"].get("annotations", {})) else external
    assert [point in pool for point in points] == ([True] if kind == "LoadBalancer" else [])
    assert bool(spec.get("healthCheckNodePort")) == (asked.get("externalTrafficPolicy") == "Local")


def check_records(product, service):
    """Its name answers with its address, with its endpoints, or with its alias."""
    meta, spec = service["metadata"], service["spec"]
    items = get(product, f"/apis/fairlead.io/v1/namespaces/{meta['namespace']}/dnsrecordsets")["items"]
    name = f"{meta['name']}.{meta['namespace']}.svc.cluster.local"
    records = {item["spec"]["type"]: item["spec"] for item in items if item["spec"]["name"].rstrip(".") == name}
    if spec["type"] == "ExternalName":
        assert [value.rstrip(".") for value in records["CNAME"]["values"]] == [spec["externalName"]]
    elif spec["clusterIP"] != "None":
        assert records["A"]["values"] == spec["clusterIPs"]


def test_by_the_kubernetes_package(product, documents):
    path, found = documents
    with config.new_client_from_config(str(product.data_dir / "kubeconfig")) as api:
        created = utils.create_from_yaml(api, str(path))
    assert len(created) == len(found)
    check(product, found)


def test_by_kubectl(product, documents, tmp_path):
    program = find("1.33")
    if program is None:
        pytest.skip("there is no kubectl 1.33 on this machine")
    path, found = documents
    namespace = found[0]["metadata"]["name"]
    kubectl = Kubectl(program, "1.33", tmp_path, product.data_dir / "kubeconfig", namespace)
    said = kubectl("create", "-f", str(path)).splitlines()
    assert said == [f"{each['kind'].lower()}/{each['metadata']['name']} created" for each in found]
    check(product, found)
    shown = yaml.safe_load(kubectl("get", "services", "-o", "yaml"))["items"]
    stored = get(product, f"/api/v1/namespaces/{namespace}/services")["items"]
    assert [(each["spec"], each["status"]) for each in shown] == [(each["spec"], each["status"]) for each in stored]
    # The namespace takes its Services along, perhaps before their turn comes.
    kubectl("delete", "--ignore-not-found", "-f", str(path))
    assert httpx.get(f"{product.url}/api/v1/namespaces/{namespace}", timeout=30).status_code == 404
