"""Runs what docker-compose.yml runs, without containers: each service has an address, and all share one machine.

It is run by `unshare --net --mount`. Where a service listens on every address, it listens on its own here. The database
is given by the test. At the end it prints what it saw, as JSON.
"""

import contextlib
import http.server
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import dns.message
import dns.query
import httpx
import yaml

ROOT = Path(__file__).parents[2]
EVERYWHERE, HERE = "0.0.0.0", "127.0.0.1"  # noqa: S104 - what the files say
ENGINES_DNS = "127.0.0.11"
MEMBER = "192.0.2.200"
NODE_PORT = 30080
PAIRS = ("api", "reconciler", "dns", "xds", "envoy")


def run(*command):
    subprocess.run(command, check=True)


def eventually(what, attempt, seconds=60):
    """What an attempt answers as soon as it answers something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError, OSError):
            if answer := attempt():
                return answer
        time.sleep(0.1)
    raise TimeoutError(what)


class Composition:
    """The services of the file.

    Args:
        text: Of the file.
        directory: For logs and copies of configuration files.
        database_url: The database, in the place of the service `postgres`.
    """

    def __init__(self, text, directory, database_url):
        self.services = yaml.safe_load(text)["services"]
        self.address = {name: f"192.0.2.{number}" for number, name in enumerate(self.services, start=10)}
        self._directory = directory
        self._database_url = database_url
        self.processes = {}

    def start(self, name):
        """Start a service."""
        service = self.services[name]
        own = {each: os.environ[each] for each in ("PATH", "HOME") if each in os.environ}
        environment = {
            key: self._database_url if key == "FAIRLEAD_DATABASE_URL" else self._own(name, value)
            for key, value in service.get("environment", {}).items()
        }
        with (self._directory / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self._command(name, service), env=own | environment, stdout=log, stderr=subprocess.STDOUT
            )

    def _command(self, name, service):
        if service["image"].startswith("haproxy"):
            return ["haproxy", "-f", self._file(name, service, "/usr/local/etc/haproxy/haproxy.cfg")]
        if "entrypoint" in service:
            path = self._file(name, service, "/etc/envoy/envoy.yaml")
            words = [path if word == "/etc/envoy/envoy.yaml" else word for word in service["command"]]
            # Each container has such numbers and sockets for itself.
            return [Path(sys.executable).with_name(service["entrypoint"][0]), *words, "--use-dynamic-base-id"]
        return [sys.executable, "-m", "app.cli", *service["command"]]

    def _file(self, name, service, inside):
        """A copy of the file that is mounted at a path."""
        (source,) = [each.split(":")[0] for each in service["volumes"] if each.split(":")[1] == inside]
        copy = self._directory / f"{name}-{Path(source).name}"
        copy.write_text(self._own(name, (ROOT / source).read_text()).replace("bind :", f"bind {self.address[name]}:"))
        return copy

    def _own(self, name, value):
        return value.replace(EVERYWHERE, self.address[name])

    def is_healthy(self, name):
        """Whether its healthcheck passes."""
        _, program, *words = self.services[name]["healthcheck"]["test"]
        command = [sys.executable if program == "python" else program]
        command += [word.replace(HERE, self.address[name]) for word in words]
        return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0

    def kill(self, name):
        """Kill a service."""
        self.processes[name].kill()
        self.processes[name].wait()

    def stop(self):
        """Ask all to end; answers who did not end well."""
        alive = {name: process for name, process in self.processes.items() if process.poll() is None}
        for process in alive.values():
            process.send_signal(signal.SIGTERM)
        ours = {name: process.wait(30) for name, process in alive.items() if name.split("-")[0] in PAIRS[:4]}
        return {name: status for name, status in ours.items() if status}


def prepare(composition, secrets):
    """The network, the names and the secrets that an engine provides."""
    run("ip", "link", "set", "lo", "up")
    for address in (*composition.address.values(), MEMBER):
        run("ip", "address", "add", f"{address}/32", "dev", "lo")
    hosts = Path("/run/hosts.composed")
    Path("/run/secrets").mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "secrets", "/run/secrets")
    for name, text in secrets.items():
        (Path("/run/secrets") / name).write_text(text)
        (Path("/run/secrets") / name).chmod(0o644 if name != "tokens" else 0o640)
    hosts = Path("/run/secrets/.hosts")
    hosts.write_text("".join(f"{address} {name}\n" for name, address in composition.address.items()))
    run("mount", "--bind", hosts, "/etc/hosts")
    dnsmasq = shutil.which("dnsmasq") or "/usr/sbin/dnsmasq"
    words = ("--no-daemon", "--no-resolv", "--bind-interfaces", "--user=root", "--conf-file=/dev/null")
    return subprocess.Popen([dnsmasq, *words, f"--listen-address={ENGINES_DNS}"], stderr=subprocess.DEVNULL)


class Client:
    """A user of the API, at HAProxy."""

    def __init__(self, composition, secrets):
        token = secrets["tokens"].partition(",")[0]
        self._extensions = {"sni_hostname": "localhost"}
        self._api = httpx.Client(
            base_url=f"https://{composition.address['haproxy']}:8443",
            verify=ssl.create_default_context(cadata=secrets["tls.crt"]),
            headers={"authorization": f"Bearer {token}", "host": "localhost"},
            timeout=60,
        )
        self._addresses = composition.address

    def create(self, path, document):
        """Create an object; answers it, or None while nobody can."""
        reply = self._api.post(path, json=document, extensions=self._extensions)
        return reply.json() if reply.status_code == 201 else None

    def serve(self, name, port):
        """A Service with a node port, and its one member."""
        namespace = "namespaces/default"
        ports = [{"name": "http", "port": 80, "nodePort": port}]
        service = {"metadata": {"name": name}, "spec": {"type": "NodePort", "ports": ports}}
        found = eventually(f"creating {name}", lambda: self.create(f"/api/v1/{namespace}/services", service))
        members = {
            "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [MEMBER]}],
            "ports": [{"name": "http", "port": 9000}],
        }
        path = f"/apis/discovery.k8s.io/v1/{namespace}/endpointslices"
        eventually(f"members of {name}", lambda: self.create(path, members))
        return found["spec"]["clusterIP"]

    def answers(self, envoy, port):
        """What the node port answers at an Envoy."""
        return eventually(
            f"{envoy} on port {port}", lambda: httpx.get(f"http://{self._addresses[envoy]}:{port}", timeout=5).text
        )

    def address(self, server, name):
        """The address of a Service's name, as a DNS server tells it."""
        question = dns.message.make_query(f"{name}.default.svc.cluster.local", "A")

        def asked():
            answer = dns.query.udp(question, self._addresses[server], port=5353, timeout=5).answer
            return answer[0][0].to_text() if answer else None

        return eventually(f"{name} at {server}", asked)


class Member(http.server.BaseHTTPRequestHandler):
    """What the Services lead to."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "6")
        self.end_headers()
        self.wfile.write(b"member")

    def log_message(self, *_):
        """Say nothing."""


def main(path):
    given = json.loads(Path(path).read_text())
    composition = Composition((ROOT / "docker-compose.yml").read_text(), Path(path).parent, given["database_url"])
    resolver = prepare(composition, given["secrets"])
    member = http.server.ThreadingHTTPServer((MEMBER, 9000), Member)
    threading.Thread(target=member.serve_forever, daemon=True).start()
    try:
        composition.start("migrate")
        if composition.processes["migrate"].wait(60):
            raise SystemExit((composition._directory / "migrate.log").read_text())
        for name in composition.services:
            if name not in ("postgres", "migrate"):
                composition.start(name)
        checked = [name for name, each in composition.services.items() if "test" in each.get("healthcheck", {})]
        checked.remove("postgres")
        for name in checked:
            eventually(f"health of {name}", lambda name=name: composition.is_healthy(name), 120)
        client = Client(composition, given["secrets"])
        seen = {"healthy": checked, "address": client.serve("web", NODE_PORT)}
        seen["names"] = [client.address(name, "web") for name in ("dns-1", "dns-2")]
        seen["answers"] = [client.answers(name, NODE_PORT) for name in ("envoy-1", "envoy-2")]
        for name in PAIRS:
            composition.kill(f"{name}-1")
        seen["address with half of them"] = client.serve("late", NODE_PORT + 1)
        seen["name with half of them"] = client.address("dns-2", "late")
        seen["answer with half of them"] = client.answers("envoy-2", NODE_PORT + 1)
        seen["ended badly"] = composition.stop()
    finally:
        for process in (*composition.processes.values(), resolver):
            process.kill()
    print(json.dumps(seen))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1])
