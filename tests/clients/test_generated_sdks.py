"""Clients that generators make from `/openapi.json`, and what a linter says of the documents."""

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from tests.e2e.waiting import until

EXAMPLE = Path(__file__).parents[2] / "examples" / "portal"
GROUPS = ("api/v1", "apis/discovery.k8s.io/v1", "apis/fairlead.io/v1", "apis/networking.k8s.io/v1")


@pytest.fixture(scope="module")
def document(product, tmp_path_factory):
    """The file that a user of a generator downloads."""
    path = tmp_path_factory.mktemp("openapi") / "openapi.json"
    path.write_bytes(httpx.get(f"{product.url}/openapi.json").content)
    return path


def test_the_documents_are_sound(product, document):
    OpenAPIV31SpecValidator(json.loads(document.read_bytes())).validate()
    for group in GROUPS:
        OpenAPIV30SpecValidator(httpx.get(f"{product.url}/openapi/v3/{group}").json()).validate()


@pytest.fixture(scope="module")
def sdk(document):
    """The package that `openapi-python-client` makes; gives its modules by name."""
    config = document.with_name("generator.yaml")
    config.write_text("post_hooks: []\n" + (EXAMPLE / "sdk.yaml").read_text().replace("fairlead_sdk", "made_sdk"))
    command = ["generate", "--path", document, "--config", config, "--output-path", document.with_name("made_sdk"),
               "--meta", "none"]  # fmt: skip
    made = subprocess.run(
        [sys.executable, "-m", "openapi_python_client", *command], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "arning" not in made.stdout + made.stderr
    sys.path.insert(0, str(document.parent))
    yield lambda name: importlib.import_module(f"made_sdk.{name}" if name else "made_sdk")
    sys.path.remove(str(document.parent))


def test_a_python_sdk(sdk, product, namespace):
    models, core = sdk("models"), "api.service"
    with sdk("").Client(base_url=product.url, raise_on_unexpected_status=True) as client:
        service = models.Service(
            metadata=models.ObjectMeta(name="web"),
            spec=models.ServiceSpec(type_="LoadBalancer", ports=[models.ServicePort(port=80, target_port="http")]),
        )
        create = sdk(f"{core}.create_core_v1_namespaced_service").sync
        created = create(namespace, client=client, body=service)
        assert created.spec.cluster_ip.startswith("10.96.")
        assert created.status.load_balancer.ingress[0].ip.startswith("198.18.")
        assert created.spec.ports[0].target_port == "http"
        refused = create(namespace, client=client, body=service)
        assert (refused.code, refused.reason) == (409, "AlreadyExists")

        patch = models.StrategicMergePatch.from_dict({"metadata": {"labels": {"tier": "front"}}})
        patched = sdk(f"{core}.patch_core_v1_namespaced_service").sync(namespace, "web", client=client, body=patch)
        assert patched.metadata.labels.additional_properties == {"tier": "front"}
        listed = sdk(f"{core}.list_core_v1_namespaced_service").sync(
            namespace, client=client, label_selector="tier=front"
        )
        assert [each.metadata.name for each in listed.items] == ["web"]
        assert listed.items[0].to_dict() == patched.to_dict()
        assert sdk(f"{core}.read_core_v1_namespaced_service").sync(namespace, "web", client=client) == patched
        deleted = sdk(f"{core}.delete_core_v1_namespaced_service").sync(namespace, "web", client=client)
        assert deleted.metadata.uid == created.metadata.uid
        missing = sdk(f"{core}.read_core_v1_namespaced_service").sync(namespace, "web", client=client)
        assert (missing.code, missing.reason) == (404, "NotFound")


def test_a_typescript_sdk(node, npx, document, product, namespace):
    """What `openapi-typescript` makes of it is enough for a program that `tsc` accepts in strict mode, and works."""
    npx("openapi-typescript", document, "--output", "schema.d.ts")
    npx("tsc", "--project", "tsconfig.json", sources=["sdk.ts", "tsconfig.json"])
    told = json.loads(node("sdk.js", product.url, namespace))
    assert told.pop("address").startswith("10.96.")
    assert told == {
        "again": "AlreadyExists",
        "labels": {"tier": "front"},
        "listed": ["web"],
        "deleted": True,
        "missing": [404, "NotFound"],
    }


@pytest.fixture
def portal(sdk, product, document, tmp_path):
    """The portal of `examples/`, beside the package that the generator made; gives its URL."""
    assert sdk("").Client  # it was made
    (tmp_path / "fairlead_sdk").symlink_to(document.with_name("made_sdk"))
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, EXAMPLE / "portal.py", product.url, "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    yield process.stdout.readline().split()[-1]
    process.terminate()
    process.wait(10)
    process.stdout.close()


def test_the_portal_lists_creates_and_shows(portal, product):
    services = f"{product.url}/api/v1/namespaces/default/services"
    assert "<td>kubernetes<td>ClusterIP" in until(lambda: _with(portal, "kubernetes"))
    made = httpx.post(portal, data={"name": "by-portal", "port": "8000"})
    assert made.status_code == 201, made.text
    address = httpx.get(f"{services}/by-portal").json()["status"]["loadBalancer"]["ingress"][0]["ip"]
    assert f"<td>by-portal<td>LoadBalancer<td>{address}<td>8000<td>" in until(lambda: _with(portal, address))
    assert httpx.post(portal, data={"name": "by-portal"}).status_code == 409
    refused = httpx.post(portal, data={"name": "Not A Name"})
    assert refused.status_code == 422
    assert "metadata.name" in refused.text
    httpx.delete(f"{services}/by-portal").raise_for_status()
    until(lambda: "by-portal" not in httpx.get(portal).text)


def _with(portal, word):
    page = httpx.get(portal).text
    return page if word in page else ""


def test_the_page_on_sdks(sdk, product, document, tmp_path):
    """Its blocks of Python, one after the other, beside the package that the generator made."""
    assert sdk("").Client  # it was made
    (tmp_path / "fairlead_sdk").symlink_to(document.with_name("made_sdk"))
    page = (EXAMPLE.parents[1] / "docs" / "sdk.md").read_text()
    listed = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(listed) == 3
    (tmp_path / "page.py").write_text("\n".join([f"SERVER = {product.url!r}", *listed]))
    ended = subprocess.run(
        [sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "MODIFIED orders {'tier': 'back'}" in ended.stdout
    assert (EXAMPLE / "sdk.yaml").read_text().split("\n", 1)[1].strip() in page
