"""Creating and changing objects: as YAML, and for some kinds by a form that writes the YAML."""

from collections.abc import Mapping
from difflib import unified_diff
from http import HTTPStatus

import yaml
from starlette.responses import RedirectResponse, Response

from app.console.api_client import Document, Refused, Resource
from app.console.forms import Field, fields_of, filled, help_texts, shown
from app.console.lists import object_url
from app.console.objects import named
from app.console.visit import Visit, as_yaml


async def new(visit: Visit) -> Response:
    """The page to create an object of a kind."""
    resource = await visit.resource(visit.request.path_params["resource"])
    document = _skeleton(resource, visit.query("namespace") or "default")
    return await _page(visit, resource, document, f"/console/new/{resource.key}", "")


async def edit(visit: Visit) -> Response:
    """The page to change an object."""
    resource, namespace, name = await named(visit)
    document = await visit.api.get(resource.path(namespace, name))
    document.pop("status", None)
    url = f"/console/edit/{resource.key}/{namespace or '-'}/{name}"
    return await _page(visit, resource, document, url, name)


async def create(visit: Visit) -> Response:
    """Take a form: write its YAML, show what would be stored, or create the object."""
    resource = await visit.resource(visit.request.path_params["resource"])
    form = await visit.form()
    if form.get("action") == "form":
        return _fill(visit, fields_of(resource.key, is_new=True), form)
    document = _read(form.get("text", ""))
    path = resource.path(str((document.get("metadata") or {}).get("namespace") or "default"))
    return await _save(visit, resource, "POST", path, document, form)


async def change(visit: Visit) -> Response:
    """Take a form: write its YAML, show what would be stored, or replace the object."""
    resource, namespace, name = await named(visit)
    form = await visit.form()
    if form.get("action") == "form":
        return _fill(visit, fields_of(resource.key, is_new=False), form)
    return await _save(visit, resource, "PUT", resource.path(namespace, name), _read(form.get("text", "")), form)


async def _page(visit: Visit, resource: Resource, document: Document, url: str, name: str) -> Response:
    fields = fields_of(resource.key, is_new=not name)
    return await visit.page(
        "edit.html",
        resource=resource,
        text=as_yaml(document),
        url=url,
        name=name,
        fields=fields,
        values=shown(fields, document),
        helps=help_texts(fields, await _schemas(visit, resource), resource.identity) if fields else {},
    )


async def _schemas(visit: Visit, resource: Resource) -> Document:
    """How the API describes the kinds of a group; nothing if the user may not see it."""
    try:
        return dict((await visit.api.get(f"/openapi/v3{resource.root}"))["components"]["schemas"])
    except Refused:
        return {}


def _fill(visit: Visit, fields: list[Field], form: Mapping[str, str]) -> Response:
    """The YAML with what a form says; or, where the preview stands, what is wrong."""
    try:
        return visit.part("yaml.html", text=as_yaml(filled(fields, form, _read(form.get("text", "")))))
    except Refused as error:
        response = visit.part("problem.html", error=error)
        response.headers.update({"HX-Retarget": "#preview", "HX-Reswap": "innerHTML"})
        return response


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
