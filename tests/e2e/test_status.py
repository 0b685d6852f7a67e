"""`fairlead status` as users call it, against a running product."""

import json
import subprocess
import sys

import httpx
import pytest
import yaml


def status(product, *flags, status=0):
    command = [sys.executable, "-m", "app.cli", "status", "--kubeconfig", product.data_dir / "kubeconfig", *flags]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == status, ended.stdout + ended.stderr
    return ended.stdout if status == 0 else ended.stderr


@pytest.fixture(scope="module")
def pending(product):
    """A Service for which there is no address: its pool gives none."""
    name = "status"
    spec = {"scope": "external", "addresses": ["203.0.113.0/29"], "autoAssign": False, "drain": True}
    service = {
        "metadata": {"name": "waits", "annotations": {"metallb.io/address-pool": name}},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
    }
    for path, body in (
        ("/api/v1/namespaces", {"metadata": {"name": name}}),
        ("/apis/fairlead.io/v1/addresspools", {"metadata": {"name": name}, "spec": spec}),
        (f"/api/v1/namespaces/{name}/services", service),
    ):
        made = httpx.post(product.url + path, json=body, headers={"prefer": "respond-async"})
        assert made.status_code == 201, made.text
    yield f"{name}/waits"
    for path in (f"/api/v1/namespaces/{name}", f"/apis/fairlead.io/v1/addresspools/{name}"):
        httpx.delete(product.url + path).raise_for_status()


def test_the_text_says_what_is_pending_and_why(product, pending):
    told = status(product)
    assert told.startswith(f"{product.url}")
    assert "  ready" in told.splitlines()[0]
    assert f"  {pending}   Allocated: " in told
    for title in ("processes:", "data planes:", "zones:", "pools:", "services:"):
        assert title in told
    assert "not shown" not in told


@pytest.mark.parametrize(("form", "load"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_the_same_for_programs(product, pending, form, load):
    told = load(status(product, "-o", form))
    assert pending in [f"{each['namespace']}/{each['name']}" for each in told["pending"]]
    assert told["unseen"] == []
    assert told["ready"] is True
    assert "allocation" in [each["name"] for each in told["leases"]]
    works = [name for each in told["processes"] for name in each["leases"]]
    assert sorted(works) == sorted(each["name"] for each in told["leases"])
    assert {"internal", "external"} <= {each["name"] for each in told["pools"]}
    assert "cluster.local" in [each["name"] for each in told["zones"]]


def test_a_server_that_does_not_answer(product, tmp_path, unused_port):
    document = yaml.safe_load((product.data_dir / "kubeconfig").read_text())
    document["clusters"][0]["cluster"]["server"] = f"http://127.0.0.1:{unused_port}"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(document))
    told = status(product, "--kubeconfig", tmp_path / "kubeconfig", status=1)
    assert "does not answer" in told
    assert "fairlead doctor" in told
