"""Creating and changing objects: as YAML, and a Service by a form that writes the YAML."""

from collections.abc import Mapping
from difflib import unified_diff
from http import HTTPStatus

import yaml
from starlette.responses import RedirectResponse, Response

from app.console.api_client import Document, Refused, Resource
from app.console.lists import object_url
from app.console.objects import named
from app.console.visit import Visit, as_yaml

_INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
_SERVER_FIELDS = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")


async def new(visit: Visit) -> Response:
    """The page to create an object of a kind."""
    resource = await visit.resource(visit.request.path_params["resource"])
    text = as_yaml(_skeleton(resource, visit.query("namespace") or "default"))
    return await visit.page("edit.html", resource=resource, text=text, url=f"/console/new/{resource.key}", name="")


async def edit(visit: Visit) -> Response:
    """The page to change an object."""
    resource, namespace, name = await named(visit)
    document = await visit.api.get(resource.path(namespace, name))
    document.pop("status", None)
    url = f"/console/edit/{resource.key}/{namespace or '-'}/{name}"
    return await visit.page("edit.html", resource=resource, text=as_yaml(document), url=url, name=name)


async def create(visit: Visit) -> Response:
    """Take a form: write its YAML, show what would be stored, or create the object."""
    resource = await visit.resource(visit.request.path_params["resource"])
    form = await visit.form()
    if form.get("action") == "form":
        return visit.part("yaml.html", text=as_yaml(_service(form)))
    document = _read(form.get("text", ""))
    path = resource.path(str((document.get("metadata") or {}).get("namespace") or "default"))
    return await _save(visit, resource, "POST", path, document, form)


async def change(visit: Visit) -> Response:
    """Take a form: show what would be stored, or replace the object."""
    resource, namespace, name = await named(visit)
    form = await visit.form()
    return await _save(visit, resource, "PUT", resource.path(namespace, name), _read(form.get("text", "")), form)


async def _save(
    visit: Visit, resource: Resource, method: str, path: str, document: Document, form: Mapping[str, str]
) -> Response:
    if form.get("action") == "save":
        stored = (await visit.api.write(method, path, document)).document["metadata"]
        target = object_url(resource.key, stored.get("namespace", ""), stored["name"])
        if "hx-request" in visit.request.headers:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": target})
        return RedirectResponse(target, HTTPStatus.SEE_OTHER)
    written = await visit.api.write(method, path, document, dry_run=True)
    before = "" if method == "POST" else as_yaml(await visit.api.get(path))
    return visit.part(
        "preview.html", written=written, lines=_difference(before, as_yaml(written.document)), method=method
    )


def _read(text: str) -> Document:
    """The object that a YAML text describes.

    Raises:
        Refused: It describes none.
    """
    try:
        document = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Refused(HTTPStatus.BAD_REQUEST, {"message": f"this is no YAML: {error}"}) from error
    if not isinstance(document, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, {"message": "write one object, as mapping of names to values"})
    return document


def _difference(before: str, after: str) -> list[tuple[str, str]]:
    """The lines of both texts: each with `+`, `-` or a blank."""
    lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1000)
    return [(line[:1], line[1:]) for line in lines if not line.startswith(("---", "+++", "@@"))] or [
        (" ", line) for line in after.splitlines()
    ]


def _skeleton(resource: Resource, namespace: str) -> Document:
    metadata = {"name": "", **({"namespace": namespace} if resource.namespaced else {})}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata, "spec": {}}


def _service(form: Mapping[str, str]) -> Document:
    """The Service that a form describes.

    Raises:
        Refused: A port or a label cannot be read.
    """
    metadata: Document = {"name": form.get("name", "").strip(), "namespace": form.get("namespace", "").strip()}
    if form.get("internal"):
        metadata["annotations"] = {_INTERNAL: "true"}
    spec: Document = {"type": form.get("type", "ClusterIP")}
    if spec["type"] == "ExternalName":
        spec["externalName"] = form.get("external_name", "").strip()
    else:
        spec["selector"] = dict(map(_label, form.get("selector", "").replace(",", " ").split()))
        spec["ports"] = [_port(text) for text in form.get("ports", "").replace(",", " ").split()]
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Refused(HTTPStatus.BAD_REQUEST, {"message": f"{text!r} is no label: write name=value, such as app=web"})
    return name, value


def _port(text: str) -> Document:
    """A port written as `80`, `80:8080` or `53:5353/UDP`; the target may be a name."""
    numbers, _, protocol = text.partition("/")
    port, _, target = numbers.partition(":")
    if not port.isdecimal():
        raise Refused(HTTPStatus.BAD_REQUEST, {"message": f"{text!r} is no port: write 80, 80:8080 or 53:5353/UDP"})
    told: Document = {"name": f"port-{port}{'-' + protocol.lower() if protocol else ''}", "port": int(port)}
    if target:
        told["targetPort"] = int(target) if target.isdecimal() else target
    if protocol:
        told["protocol"] = protocol.upper()
    return told
