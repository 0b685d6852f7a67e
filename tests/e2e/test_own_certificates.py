"""A server that lets in those with a certificate of its own authority, and ServiceAccounts with their tokens."""

import json
import shutil

import httpx
import pytest

from app.credentials.certificates import client_context
from tests.clients.kubectl import Kubectl
from tests.e2e.serving import Serving
from tests.e2e.waiting import until


def test_the_owner_has_a_certificate_and_programs_have_tokens(tmp_path):
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("there is no kubectl on this machine")
    data = tmp_path / "data"
    with Serving(data, "--client-ca-file", data / "tls" / "ca.crt") as serving:
        kubectl = Kubectl(program, "1.32", tmp_path, data / "kubeconfig", "default")
        assert "fairlead-admin" in kubectl("auth", "whoami")
        kubectl("create", "serviceaccount", "app")
        kubectl("create", "rolebinding", "app", "--clusterrole=view", "--serviceaccount=default:app")
        token = kubectl("create", "token", "app").strip()
        trust = client_context(data / "tls" / "ca.crt")
        with httpx.Client(base_url=serving.url, verify=trust, headers={"authorization": f"Bearer {token}"}) as client:
            who = client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json={}).json()
            assert who["status"]["userInfo"]["username"] == "system:serviceaccount:default:app"
            assert client.get("/api/v1/namespaces/default/services").status_code == 200
            assert client.get("/api/v1/namespaces/default/secrets").status_code == 403
        until(lambda: "kube-root-ca.crt" in kubectl("get", "configmaps"))
        published = json.loads(kubectl("get", "configmap", "kube-root-ca.crt", "-o", "json"))
        assert published["data"]["ca.crt"] == (data / "tls" / "ca.crt").read_text()
        assert "create a Service:\n    kubectl" in serving.said
