"""ClusterIPs and node ports, by traffic: through what reads as kube-proxy does, or through kube-proxy itself.

`KUBE_PROXY=/path/to/kube-proxy` has the same table run against that program.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from tests.dataplane.namespaces import Namespace, needs_root
from tests.e2e.serving import Serving
from tests.e2e.waiting import until

pytestmark = needs_root

NODE, NODE_ADDRESS, MEMBERS = "n1", "10.79.1.1", ("10.79.2.1", "10.79.2.2")
CORE, DISCOVERY = "/api/v1", "/apis/discovery.k8s.io/v1"


def proxy_command(url):
    told = ("--master", url, "--hostname-override", NODE)
    program = os.environ.get("KUBE_PROXY")
    if program:
        return (program, *told, "--proxy-mode", "nftables")
    return (sys.executable, "-m", "tests.dataplane.userspace_proxy", *told)


class Machine:
    """A namespace with a product, a proxy, and members that say their addresses at ports 8080 and 9090."""

    def __init__(self, own, serving):
        self._own = own
        self._url = serving.url

    def call(self, method, path, document=None):
        reply = self._own.do(lambda: httpx.request(method, self._url + path, json=document, timeout=30))
        assert reply.is_success, reply.text
        return reply.json()

    def service(self, name, **spec):
        spec = {"ports": [{"port": 80}], **spec}
        return self.call("POST", f"{CORE}/namespaces/default/services", {"metadata": {"name": name}, "spec": spec})

    def members(self, name, *endpoints, ports=({"name": "", "port": 8080},)):
        """Give a Service these endpoints, each an address with what else is said of it."""
        document = {
            "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], **more} for address, more in endpoints],
            "ports": list(ports),
        }
        path = f"{DISCOVERY}/namespaces/default/endpointslices"
        names = {each["metadata"]["name"] for each in self.call("GET", path)["items"]}
        method, path = ("PUT", f"{path}/{name}") if name in names else ("POST", path)
        self.call(method, path, document)

    def heard(self, address, port, source=None):
        return self._own.heard(address, port, source)

    def all_heard(self, address, port, source=None):
        return {self.heard(address, port, source) for _ in range(16)}

    def until_heard(self, address, port, what):
        until(lambda: self.all_heard(address, port) == set(what))


def _greet(server, word):
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(word.encode())


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    directory: Path = tmp_path_factory.mktemp("proxied")
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(Namespace("node"))
        for address in (NODE_ADDRESS, *MEMBERS):
            own.ip("address", "add", f"{address}/32", "dev", "lo")
        serving = stack.enter_context(Serving(directory / "data", within=own.command))
        machine = Machine(own, serving)
        for cidr in machine.call("GET", "/apis/networking.k8s.io/v1/servicecidrs")["items"]:
            for each in cidr["spec"]["cidrs"]:
                own.ip(*(["-6"] if ":" in each else []), "route", "add", "local", each, "dev", "lo")
        for address in MEMBERS:
            for port in (8080, 9090):
                server = stack.enter_context(contextlib.closing(own.listening(address, port)))
                stack.callback(server.shutdown, socket.SHUT_RDWR)  # so that `accept` returns
                threading.Thread(target=_greet, args=(server, f"{address} {port}"), daemon=True).start()
        node = {"metadata": {"name": NODE}, "status": {"addresses": [{"type": "InternalIP", "address": NODE_ADDRESS}]}}
        machine.call("POST", f"{CORE}/nodes", node)
        machine.call("PUT", f"{CORE}/nodes/{NODE}/status", machine.call("GET", f"{CORE}/nodes/{NODE}") | node)
        log = stack.enter_context((directory / "proxy.log").open("wb"))
        proxy = subprocess.Popen([*own.command, *proxy_command(serving.url)], stdout=log, stderr=log)
        stack.callback(proxy.wait, 20)
        stack.callback(proxy.kill)
        yield machine


def test_a_cluster_ip_leads_to_all_members(machine):
    address = machine.service("plain")["spec"]["clusterIP"]
    machine.members("plain", *((each, {}) for each in MEMBERS))
    machine.until_heard(address, 80, [f"{each} 8080" for each in MEMBERS])


def test_each_port_leads_to_its_own(machine):
    ports = [{"name": "http", "port": 80}, {"name": "admin", "port": 90}]
    address = machine.service("ports", ports=ports)["spec"]["clusterIP"]
    targets = [{"name": "http", "port": 8080}, {"name": "admin", "port": 9090}]
    machine.members("ports", (MEMBERS[0], {}), ports=targets)
    machine.until_heard(address, 80, [f"{MEMBERS[0]} 8080"])
    machine.until_heard(address, 90, [f"{MEMBERS[0]} 9090"])


def test_a_node_port_answers_at_the_address_of_the_node(machine):
    made = machine.service("nodes", type="NodePort")
    machine.members("nodes", (MEMBERS[0], {}))
    machine.until_heard(NODE_ADDRESS, made["spec"]["ports"][0]["nodePort"], [f"{MEMBERS[0]} 8080"])


def test_a_client_stays_with_its_member(machine):
    address = machine.service("sticky", sessionAffinity="ClientIP")["spec"]["clusterIP"]
    machine.members("sticky", *((each, {}) for each in MEMBERS))
    until(lambda: machine.heard(address, 80))
    assert len(machine.all_heard(address, 80)) == 1


@pytest.mark.parametrize("policy", ["internalTrafficPolicy", "externalTrafficPolicy"])
def test_local_means_the_members_of_the_node(machine, policy):
    made = machine.service(policy.lower(), type="NodePort", **{policy: "Local"})
    here, elsewhere = (MEMBERS[0], {"nodeName": NODE}), (MEMBERS[1], {"nodeName": "n2"})
    machine.members(policy.lower(), here, elsewhere)
    cluster, node = (made["spec"]["clusterIP"], 80), (NODE_ADDRESS, made["spec"]["ports"][0]["nodePort"])
    local, all_over = (cluster, node) if policy.startswith("internal") else (node, cluster)
    machine.until_heard(*local, [f"{MEMBERS[0]} 8080"])
    machine.until_heard(*all_over, [f"{each} 8080" for each in MEMBERS])


def test_members_that_are_not_ready_get_nothing_and_those_that_terminate_are_the_last_resort(machine):
    address = machine.service("changing")["spec"]["clusterIP"]
    ending = (MEMBERS[1], {"conditions": {"ready": False, "serving": True, "terminating": True}})
    machine.members("changing", (MEMBERS[0], {}), ending)
    machine.until_heard(address, 80, [f"{MEMBERS[0]} 8080"])
    machine.members("changing", (MEMBERS[0], {"conditions": {"ready": False}}), ending)
    machine.until_heard(address, 80, [f"{MEMBERS[1]} 8080"])


def test_what_has_no_members_or_is_gone_does_not_answer(machine):
    address = machine.service("going")["spec"]["clusterIP"]
    machine.members("going", (MEMBERS[0], {}))
    machine.until_heard(address, 80, [f"{MEMBERS[0]} 8080"])
    machine.members("going")
    until(lambda: not machine.heard(address, 80))
    machine.members("going", (MEMBERS[0], {}))
    machine.until_heard(address, 80, [f"{MEMBERS[0]} 8080"])
    machine.call("DELETE", f"{CORE}/namespaces/default/services/going")
    until(lambda: machine.heard(address, 80) is None)
