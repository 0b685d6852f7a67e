"""A portal in one file: it lists Services, creates one, and shows live what becomes of it.

It uses the client that openapi-python-client generates, and a watch by httpx, which generated clients do not have.

    python portal.py http://127.0.0.1:8080 --port 8090

Then open http://127.0.0.1:8090/. A token is read from the environment variable FAIRLEAD_TOKEN.
"""

import argparse
import json
import os
import threading
from collections.abc import Iterator
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import httpx
from fairlead_sdk import AuthenticatedClient, Client
from fairlead_sdk.api.service import create_core_v1_namespaced_service as create_service
from fairlead_sdk.models import ObjectMeta, Service, ServicePort, ServiceSpec, ServiceSpecSelector, Status

NAMESPACE = "default"
COLLECTION = f"/api/v1/namespaces/{NAMESPACE}/services"
RETRY_SECONDS = 1.0

PAGE = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>Portal</title><meta http-equiv="refresh" content="2">
<h1>Services</h1>
<table border="1" cellpadding="6"><tr><th>Name<th>Type<th>Address<th>Ports<th>Status</tr>{rows}</table>
<h2>Another one</h2>
<form method="post"><label>Name <input name="name" required></label>
<label>Port <input name="port" type="number" value="80"></label> <button>Create</button></form><p>{message}</p></html>
"""


class Services:
    """The Services of the namespace in memory: one list, and then a watch from its revision on."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._found: dict[str, Service] = {}
        self.listed = threading.Event()

    def all(self) -> list[Service]:
        """The Services by name."""
        return [self._found[name] for name in sorted(self._found)]

    def follow(self, stopping: threading.Event) -> None:
        """Keep them current until `stopping` is set. When the watch ends for any reason, list again."""
        while not stopping.is_set():
            try:
                for event in self._watch(self._list()):
                    if event["type"] == "ERROR":  # the revision is too old
                        break
                    self._note(event["type"], event["object"])
            except (httpx.HTTPError, json.JSONDecodeError):
                stopping.wait(RETRY_SECONDS)

    def _list(self) -> str:
        listed = self._client.get(COLLECTION).raise_for_status().json()
        self._found = {each["metadata"]["name"]: Service.from_dict(each) for each in listed["items"]}
        self.listed.set()
        return str(listed["metadata"]["resourceVersion"])

    def _watch(self, revision: str) -> Iterator[dict]:
        query = {"watch": "true", "resourceVersion": revision, "timeoutSeconds": "300"}
        with self._client.stream("GET", COLLECTION, params=query, timeout=httpx.Timeout(5, read=None)) as stream:
            stream.raise_for_status()
            for line in stream.iter_lines():
                yield json.loads(line)

    def _note(self, happened: str, document: dict) -> None:
        service = Service.from_dict(document)
        if happened == "DELETED":
            self._found.pop(service.metadata.name, None)
        else:
            self._found[service.metadata.name] = service


def row(service: Service) -> str:
    """A line of the table: what was asked for, what was given, and what is not yet as it should be."""
    spec, status = service.spec, service.status.to_dict() if service.status else {}
    given = [each.get("ip") or each.get("hostname") for each in status.get("loadBalancer", {}).get("ingress", [])]
    waits = [each["message"] for each in status.get("conditions", []) if each["status"] != "True"]
    ports = ", ".join(str(port.port) for port in spec.ports or [])
    cells = (service.metadata.name, spec.type_, ", ".join(given) or spec.cluster_ip, ports, "; ".join(waits) or "ready")
    return "<tr>" + "".join(f"<td>{escape(str(cell or ''))}" for cell in cells) + "</tr>"


def handler(services: Services, client: Client | AuthenticatedClient) -> type[BaseHTTPRequestHandler]:
    """Answers GET with the page, and POST by creating a load balancer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(HTTPStatus.OK, "")

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers.get("content-length", 0))).decode())
            name, port = form.get("name", [""])[0], form.get("port", ["80"])[0]
            wanted = Service(
                metadata=ObjectMeta(name=name),
                spec=ServiceSpec(
                    type_="LoadBalancer",
                    selector=ServiceSpecSelector.from_dict({"app": name}),
                    ports=[ServicePort(port=int(port) if port.isdigit() else 0)],
                ),
            )
            made = create_service.sync(NAMESPACE, client=client, body=wanted)
            if isinstance(made, Status):  # it says which field is wrong, and what would be valid
                self._answer(HTTPStatus(made.code or 500), made.message or "")
            else:
                self._answer(HTTPStatus.CREATED, f"{name} was created")

        def _answer(self, status: HTTPStatus, message: str) -> None:
            page = PAGE.format(rows="".join(map(row, services.all())), message=escape(message)).encode()
            self.send_response(status)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    return Handler


def main() -> None:
    """Serve the portal until it is interrupted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--port", type=int, default=8090)
    arguments = parser.parse_args()
    token = os.environ.get("FAIRLEAD_TOKEN")
    client = AuthenticatedClient(arguments.server, token=token) if token else Client(arguments.server)
    services, stopping = Services(client.get_httpx_client()), threading.Event()
    threading.Thread(target=services.follow, args=(stopping,), daemon=True).start()
    with ThreadingHTTPServer(("127.0.0.1", arguments.port), handler(services, client)) as portal:
        print(f"portal at http://127.0.0.1:{portal.server_port}/", flush=True)
        try:
            portal.serve_forever()
        except KeyboardInterrupt:
            stopping.set()


if __name__ == "__main__":
    main()
