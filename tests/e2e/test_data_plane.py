"""The data plane that `serve` runs, and programs that are registered: the first minute of a user."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.serving import all_gone
from tests.e2e.waiting import until as patiently
from tests.ports import free_port

until = partial(patiently, timeout=60.0)
"""Programs start here, which takes long on a busy machine."""


class Registered:
    """A program that `fairlead register` runs."""

    def __init__(self, serving, name, *flags, program=None, port=None):
        self.port = port or free_port()
        self._directory = serving.data_dir
        program = [sys.executable, "-m", "http.server", str(self.port)] if program is None else program
        command = [sys.executable, "-m", "app.cli", "register", name, "--port", str(self.port), *flags]
        self.process = subprocess.Popen(
            [*command, *(["--", *program] if program else [])],
            env=os.environ | {"KUBECONFIG": str(serving.data_dir / "kubeconfig")},
            stderr=subprocess.PIPE,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)
        self.process.stderr.close()


def make_service(serving, name, port=80, annotations=None, **spec):
    document = {
        "metadata": {"name": name, "annotations": annotations or {}},
        "spec": {"type": "LoadBalancer", "selector": {"app": name}, "ports": [{"port": port}], **spec},
    }
    reply = httpx.post(f"{serving.url}/api/v1/namespaces/default/services", json=document, timeout=30)
    assert reply.status_code == 201, reply.text
    return reply.json() | {"warnings": reply.headers.get_list("warning")}


def address_of(service):
    return service["status"]["loadBalancer"]["ingress"][0]["ip"]


def answers(url):
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def pods(serving, name):
    found = httpx.get(f"{serving.url}/api/v1/namespaces/default/pods?labelSelector=app={name}", timeout=60).json()
    return found["items"]


def is_ready(serving, name):
    return [
        condition["status"]
        for pod in pods(serving, name)
        for condition in pod["status"].get("conditions", [])
        if condition["type"] == "Ready"
    ] == ["True"]


def test_a_registered_program_answers_through_its_load_balancer_and_node_port(serving):
    with Registered(serving, "web") as web:
        service = make_service(serving, "web", ports=[{"port": 80, "targetPort": web.port}])
        address = address_of(service)
        assert address.startswith("127.64.")
        until(lambda: answers(f"http://{address}/"))
        until(lambda: answers(f"http://127.0.0.1:{service['spec']['ports'][0]['nodePort']}/"))
        web.process.send_signal(signal.SIGTERM)
        assert web.process.wait(60) == 0
        assert not pods(serving, "web")


def test_the_banner_names_the_addresses(serving):
    assert "external load balancers have addresses of 127.64.0.0/16" in serving.said
    assert "internal load balancers have addresses of 127.128.0.0/16" in serving.said


def test_nobody_else_can_tell_envoy_what_to_do(serving):
    told = json.loads((serving.data_dir / "envoy.json").read_text())
    assert "admin" not in told
    (cluster,) = told["static_resources"]["clusters"]
    (server,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    path = Path(server["endpoint"]["address"]["pipe"]["path"])
    assert path.is_socket()
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_program_that_is_not_well_gets_no_traffic(serving):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with Registered(serving, "checked", "--check-tcp", program=(), port=port):
            until(lambda: is_ready(serving, "checked"))
            server.close()
            until(lambda: pods(serving, "checked") and not is_ready(serving, "checked"))


def test_a_program_that_takes_no_connections_is_registered_in_the_end(serving):
    with Registered(serving, "silent", program=()):
        until(lambda: is_ready(serving, "silent"))


def test_the_status_of_the_program_is_passed_on(serving):
    with Registered(serving, "short", program=[sys.executable, "-c", "raise SystemExit(7)"]) as short:
        assert short.process.wait(60) == 7
    assert not pods(serving, "short")


def test_a_registration_ends_with_its_lease_when_the_registrant_is_killed(serving):
    with Registered(serving, "killed", "--lease-seconds", "3") as killed:
        until(lambda: is_ready(serving, "killed"))
        (program,) = psutil.Process(killed.process.pid).children()
        killed.process.kill()
        until(lambda: all_gone([program]))
        until(lambda: not is_ready(serving, "killed"))


def test_envoy_is_started_again_and_serves_as_before(serving):
    with Registered(serving, "again") as program:
        address = address_of(make_service(serving, "again", ports=[{"port": 80, "targetPort": program.port}]))
        until(lambda: answers(f"http://{address}/"))
        before = serving.child("envoy")
        before.kill()
        until(lambda: (found := serving.child("envoy")) and found.pid != before.pid)
        until(lambda: answers(f"http://{address}/"))
        serving.child("xds").kill()
        assert answers(f"http://{address}/")
        until(lambda: serving.child("xds"))
        other = address_of(
            make_service(
                serving, "again-2", selector={"app": "again"}, ports=[{"port": 80, "targetPort": program.port}]
            )
        )
        until(lambda: answers(f"http://{other}/"))


def condition(serving, name):
    service = httpx.get(f"{serving.url}/api/v1/namespaces/default/services/{name}", timeout=60).json()
    (found,) = [each for each in service["status"]["conditions"] if each["type"] == "Programmed"]
    return found


def measured(serving, what):
    """What a metric says of the Envoy of `serve`."""
    metrics = httpx.get(f"{serving.url}/metrics", timeout=60).text
    (found,) = re.findall(rf'^fairlead_data_plane_{what}{{plane="embedded"}} (\S+)$', metrics, re.MULTILINE)
    return float(found)


def test_a_service_and_its_load_balancer_tell_how_far_data_planes_are(serving):
    group = f"{serving.url}/apis/fairlead.io/v1"
    until(lambda: httpx.get(f"{group}/dataplanes/embedded", timeout=60).status_code == 200)
    make_service(serving, "told")
    until(lambda: condition(serving, "told")["status"] == "True")
    assert condition(serving, "told")["message"] == "taken over by the data plane embedded"

    def states():
        found = httpx.get(f"{group}/namespaces/default/loadbalancers/told", timeout=60).json()
        return found["status"].get("dataPlanes")

    until(lambda: states() == [{"name": "embedded", "state": "Served"}])
    plane = httpx.get(f"{group}/dataplanes/embedded", timeout=60).json()
    assert plane["spec"]["type"] == "Envoy"
    assert plane["status"]["version"].startswith("envoy 1.")
    told = {each["type"]: each["status"] for each in plane["status"]["conditions"]}
    assert told["Connected"] == "True"
    assert measured(serving, "connected") == 1.0
    until(lambda: measured(serving, "lag_revisions") == 0.0)
    assert measured(serving, "revision") >= plane["status"]["revision"]
    assert measured(serving, "pushes_total") > 0
    assert measured(serving, "sent_bytes_total") > measured(serving, "pushes_total")


def test_what_envoy_rejects_is_said_in_its_words_and_heals(serving):
    address = address_of(make_service(serving, "taken", port=8080))
    until(lambda: condition(serving, "taken")["status"] == "True")
    with socket.create_server((address, 8181)):
        path = f"{serving.url}/api/v1/namespaces/default/services/taken"
        ports = {"spec": {"ports": [{"port": 8181}]}}
        merge = {"content-type": "application/merge-patch+json"}
        assert httpx.patch(path, json=ports, headers=merge, timeout=60).status_code == 200
        until(lambda: condition(serving, "taken")["status"] == "False")
        told = condition(serving, "taken")
        assert told["reason"] == "Rejected"
        assert "cannot bind" in told["message"]
        plane = httpx.get(f"{serving.url}/apis/fairlead.io/v1/dataplanes/embedded", timeout=60).json()
        assert [each["name"] for each in plane["status"]["rejected"]] == ["taken"]
        assert measured(serving, "rejections_total") > 0
    until(lambda: condition(serving, "taken")["status"] == "True")


AZURE = "service.beta.kubernetes.io/azure-load-balancer-"
HIGH_AVAILABILITY = {f"{AZURE}internal": "true", f"{AZURE}enable-high-availability-ports": "true"}


@pytest.mark.parametrize(
    ("name", "annotations", "spec", "said"),
    [
        (
            "affinity",
            {},
            {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}}},
            "its timeout has no effect",
        ),
        ("all-ports", HIGH_AVAILABILITY, {}, "the ports that the Service lists are served"),
        ("reset", {f"{AZURE}disable-tcp-reset": "false"}, {}, "not with a reset"),
        ("sctp", {}, {"ports": [{"port": 80, "protocol": "SCTP"}]}, "SCTP"),
    ],
)
def test_what_envoy_cannot_do_is_said(serving, name, annotations, spec, said):
    until(lambda: httpx.get(f"{serving.url}/apis/fairlead.io/v1/dataplanes/embedded", timeout=60).is_success)
    warnings = make_service(serving, f"limited-{name}", annotations=annotations, **spec)["warnings"]
    assert any(said in each for each in warnings)
    until(lambda: said in condition(serving, f"limited-{name}")["message"])


def test_a_wrong_kubeconfig_is_said_so(tmp_path):
    reply = subprocess.run(
        [sys.executable, "-m", "app.cli", "register", "web", "--port", "80", "--kubeconfig", tmp_path / "none"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert reply.returncode == 1
    assert "cannot be read: No such file or directory; give --kubeconfig" in reply.stderr


def test_loopback_members_are_for_the_data_plane_of_serve(serving, product, namespace):
    document = {
        "metadata": {"name": "local", "labels": {"kubernetes.io/service-name": "local"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"]}],
        "ports": [],
    }
    path = "apis/discovery.k8s.io/v1/namespaces"
    assert httpx.post(f"{serving.url}/{path}/default/endpointslices", json=document).status_code == 201
    refused = httpx.post(f"{product.url}/{path}/{namespace}/endpointslices", json=document)
    assert refused.status_code == 422
    assert "must not be a loopback address" in refused.text
