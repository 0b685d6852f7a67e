"""Ports below 1024 without the right to bind them: the Service says what to do, and is served once that was done."""

import subprocess

import httpx

from tests.dataplane.namespaces import Namespace, needs_root
from tests.e2e.serving import Serving
from tests.e2e.waiting import until

SERVICES = "/api/v1/namespaces/default/services"
_WITHOUT_THE_RIGHT = ("setpriv", "--bounding-set", "-net_bind_service")


@needs_root
def test_a_port_that_needs_a_right_is_said_with_what_to_do_and_heals(tmp_path):
    with (
        Namespace("low") as own,
        Serving(tmp_path / "data", data_plane="envoy", within=(*own.command, *_WITHOUT_THE_RIGHT)) as serving,
    ):

        def call(method, path, **more):
            return own.do(lambda: httpx.request(method, serving.url + path, timeout=30, **more))

        spec = {"type": "LoadBalancer", "ports": [{"port": 80}]}
        made = call("POST", SERVICES, json={"metadata": {"name": "low"}, "spec": spec}).json()
        address = made["status"]["loadBalancer"]["ingress"][0]["ip"]

        def programmed():
            conditions = call("GET", f"{SERVICES}/low").json()["status"]["conditions"]
            return next((each for each in conditions if each["type"] == "Programmed"), {"status": ""})

        until(lambda: programmed()["status"] == "False", timeout=60)
        told = programmed()
        assert told["reason"] == "Rejected"
        assert "run sysctl net.ipv4.ip_unprivileged_port_start=80" in told["message"]
        assert own.heard(address, 80) is None
        subprocess.run(
            [*own.command, "sysctl", "-w", "net.ipv4.ip_unprivileged_port_start=80"], check=True, capture_output=True
        )
        until(lambda: programmed()["status"] == "True", timeout=60)
        assert own.heard(address, 80) == "", "it is taken, and closed since there are no members"
