"""Runs the pods of rendered manifests as a kubelet would: with their arguments, environment, files and probes.

It is run by `unshare --net --mount`, so that ports and paths are those of the manifests. What the database is, and what
the Secrets hold, is given by the test. At the end it prints what it saw, as JSON.
"""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import dns.message
import dns.query
import httpx

ADDRESS = "192.0.2.10"
NAME = "fairlead.fairlead.svc"
START_SECONDS = 120


def run(command):
    subprocess.run(command, check=True)


class Pod:
    """The container of a Deployment or a Job."""

    def __init__(self, document, database_url, secrets, log):
        spec = document["spec"]["template"]["spec"]
        (self.container,) = spec["containers"]
        self.name = document["metadata"]["name"]
        self._grace = spec.get("terminationGracePeriodSeconds", 30)
        self._write_files(spec["volumes"], secrets)
        environment = {each["name"]: _value(each, database_url) for each in self.container["env"]}
        own = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", *self.container["args"]],
                env=own | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._log = log

    def _write_files(self, volumes, secrets):
        """As a projected volume has them: links to files that their group can read."""
        (mount,) = [each["mountPath"] for each in self.container["volumeMounts"] if each["name"] == "secrets"] or [None]
        for volume in volumes:
            for source in volume.get("projected", {}).get("sources", ()):
                secret = source["secret"]
                for item in secret["items"]:
                    data = Path(mount, "..data", item["path"])
                    data.parent.mkdir(parents=True, exist_ok=True)
                    data.write_text(secrets[secret["name"]][item["key"]])
                    data.chmod(volume["projected"]["defaultMode"])
                    link = Path(mount, item["path"])
                    link.unlink(missing_ok=True)
                    link.symlink_to(Path("..data", item["path"]))

    def probe(self, kind):
        """Whether a probe succeeds."""
        asked = self.container[kind]["httpGet"]
        (port,) = [each["containerPort"] for each in self.container["ports"] if each["name"] == asked["port"]]
        try:
            url = f"{asked['scheme'].lower()}://{ADDRESS}:{port}{asked['path']}"
            # A kubelet does not look at the certificate either.
            return httpx.get(url, verify=False, timeout=self.container[kind]["timeoutSeconds"]).status_code == 200  # noqa: S501
        except httpx.TransportError:
            return False

    def wait(self):
        """Wait until it is started, and ready; it may end at no time."""
        deadline = time.monotonic() + START_SECONDS
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            while not self.probe(kind):
                ended = self.process.poll() is not None
                if ended or time.monotonic() > deadline:
                    sys.exit(f"{self.name}: {kind} fails\n{self._log.read_text()}")
                time.sleep(0.1)

    def end(self):
        """Its status after SIGTERM, within its grace."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(self._grace)


def _value(variable, database_url):
    source = variable.get("valueFrom", {})
    if "secretKeyRef" in source:
        return database_url
    if source.get("fieldRef") == {"fieldPath": "status.podIP"}:
        return ADDRESS
    return variable["value"]


def use(token, trust):
    """What a user sees: a Service with its address, and its name."""
    headers = {"authorization": f"Bearer {token}", "host": NAME}
    with httpx.Client(base_url=f"https://{ADDRESS}:8080", verify=trust, headers=headers, timeout=30) as api:
        made = api.post(
            "/api/v1/namespaces/default/services",
            extensions={"sni_hostname": NAME},
            json={"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}},
        )
        address = made.json()["spec"]["clusterIP"]
    question = dns.message.make_query("web.default.svc.cluster.local", "A")
    deadline = time.monotonic() + 10
    while not (answer := dns.query.udp(question, ADDRESS, port=5353, timeout=5).answer):
        if time.monotonic() > deadline:
            sys.exit("the name has no address")
    return {"created": made.status_code, "address": address, "answer": answer[0][0].to_text()}


def xds_shows_its_certificate():
    """Whether the xDS server speaks TLS, and asks for a certificate: a client without one is refused."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with socket.create_connection((ADDRESS, 18000), 10) as plain, context.wrap_socket(plain) as connection:
        try:
            connection.settimeout(10)
            return connection.recv(1) == b""
        except ssl.SSLError as error:
            return "CERTIFICATE_REQUIRED" in str(error).upper().replace(" ", "_")


def main(path):
    given = json.loads(Path(path).read_text())
    run(["ip", "link", "set", "lo", "up"])
    run(["ip", "address", "add", f"{ADDRESS}/32", "dev", "lo"])
    Path("/run/secrets").mkdir(exist_ok=True)
    run(["mount", "-t", "tmpfs", "secrets", "/run/secrets"])
    logs = Path(path).parent

    def pod(document):
        return Pod(document, given["database_url"], given["secrets"], logs / f"{document['metadata']['name']}.log")

    jobs = [each for each in given["documents"] if each["kind"] == "Job"]
    statuses = {job.name: job.process.wait(120) for job in map(pod, jobs)}
    pods = [pod(each) for each in given["documents"] if each["kind"] == "Deployment"]
    try:
        for each in pods:
            each.wait()
        used = use(given["token"], ssl.create_default_context(cadata=given["secrets"]["fairlead-xds"]["ca.crt"]))
        seen = {"used": used, "xds": xds_shows_its_certificate()}
        statuses |= {each.name: each.end() for each in pods}
    finally:
        for each in pods:
            each.process.kill()
    print(json.dumps(seen | {"statuses": statuses}))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1])
