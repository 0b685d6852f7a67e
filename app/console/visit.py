"""One request of a browser: who sent it, and how it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app import __version__
from app.console.api_client import ApiClient, Document, Refused, Resource
from app.console.oidc import OidcLogin
from app.console.sessions import Sessions
from app.console.wording import cell, moment, prose, several

LOGIN = "/console/login"
_FORM_BYTES = 2 * 1024 * 1024
_TEMPLATES = Environment(
    loader=PackageLoader("app.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"moment": moment, "cell": cell, "prose": prose, "several": several}
AUDIT_TAIL = "/logs/audit"
_ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_MENU = (
    ("Services", "list/services", "services"),
    ("Load balancers", "list/loadbalancers", "loadbalancers"),
    ("Addresses", "addresses", "addresspools"),
    ("DNS", "dns", "dnsrecordsets"),
    ("Data planes", "dataplanes", "dataplanes"),
    ("Nodes", "list/nodes", "nodes"),
    ("Pods", "list/pods", "pods"),
    ("All kinds", "kinds", ""),
    ("About", "about", ""),
)
"""Entries of the menu: text, path, and the kind that has to be served for it."""


@dataclass(frozen=True)
class Surroundings:
    """What all visits share.

    Attributes:
        http: Sends requests to the API.
        sessions: Who is logged in.
        oidc: Lets users log in at a provider; None where there is none.
        url: Where browsers find this server, "" for where their requests say.
        docs_url: Where the API describes itself.
        needs_login: Whether nobody sees a page without having logged in, whatever the API allows strangers.
    """

    http: httpx.AsyncClient
    sessions: Sessions
    oidc: OidcLogin | None = None
    url: str = ""
    docs_url: str = "/docs"
    needs_login: bool = False


class Visit:
    """One request of a browser.

    Attributes:
        request: The request.
        api: The API, with the rights of the user.
        sessions: Who is logged in.
        oidc: Lets users log in at a provider; None where there is none.
        needs_login: Whether nobody sees a page without having logged in.
    """

    def __init__(self, request: Request, around: Surroundings) -> None:
        self.request = request
        self.sessions = around.sessions
        self.oidc = around.oidc
        self.needs_login = around.needs_login
        self._around = around
        self._token = around.sessions.token(request)
        self.api = self.client(self._token)

    def client(self, token: str) -> ApiClient:
        """The API, with the rights of the user who has a token."""
        address = self.request.client
        return ApiClient(self._around.http, token, (address.host, address.port) if address is not None else None)

    @property
    def logged_in(self) -> bool:
        """Whether the browser sent the token of a user."""
        return bool(self._token)

    @property
    def origin(self) -> str:
        """Where the browser finds this server."""
        url = self.request.url
        return self._around.url or f"{url.scheme}://{url.netloc}"

    def query(self, name: str) -> str:
        """A parameter of the query, "" if there is none."""
        return self.request.query_params.get(name, "").strip()

    async def form(self) -> Mapping[str, str]:
        """The fields of a form.

        Raises:
            Refused: The form is too large or cannot be read.
        """
        body = b""
        async for chunk in self.request.stream():
            body += chunk
            if len(body) > _FORM_BYTES:
                raise Refused(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"message": f"a form has {_FORM_BYTES} bytes at most"}
                )
        try:
            return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100))
        except ValueError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, {"message": f"the form cannot be read: {error}"}) from error

    async def resource(self, key: str) -> Resource:
        """A kind that the API serves.

        Raises:
            Refused: It serves no such kind.
        """
        found = (await self.api.resources()).get(key)
        if found is None:
            raise Refused(HTTPStatus.NOT_FOUND, {"message": f"the API serves no kind {key!r}; see All kinds"})
        return found

    async def page(self, template: str, code: int = HTTPStatus.OK, **context: Any) -> Response:
        """A whole page, with the menu."""
        try:
            served = await self.api.resources()
        except Refused:
            served = {}
        menu = [(text, f"/console/{path}") for text, path, needs in _MENU if not needs or needs in served]
        if served and await self._may_read(AUDIT_TAIL):
            menu.append(("Audit", "/console/audit"))
        return self.part(template, code, menu=menu, **context)

    async def _may_read(self, path: str) -> bool:
        """Whether the user has a right to a path that is no resource."""
        asked = {"spec": {"nonResourceAttributes": {"path": path, "verb": "get"}}}
        try:
            review = (await self.api.write("POST", _ACCESS_REVIEWS, asked)).document
        except Refused:
            return False
        return bool((review.get("status") or {}).get("allowed"))

    def part(self, template: str, code: int = HTTPStatus.OK, **context: Any) -> Response:
        """A part of a page, or a page without a menu."""
        shown = {
            "menu": [],
            "here": self.request.url.path,
            "logged_in": self.logged_in,
            "version": __version__,
            "docs_url": self._around.docs_url,
        }
        text = _TEMPLATES.get_template(template).render({**shown, **context})
        return HTMLResponse(text, code)

    async def failure(self, error: Refused) -> Response:
        """A page that says what is wrong; the page to log in if nobody is."""
        if error.code == HTTPStatus.UNAUTHORIZED or error.refuses_strangers:
            return self.to_login()
        if "hx-request" in self.request.headers:
            return self.part("problem.html", HTTPStatus.OK, error=error)
        return await self.page("failure.html", error.code, error=error)

    def to_login(self) -> Response:
        """Send the browser to the page to log in."""
        target = f"{LOGIN}?{urlencode({'next': self.request.url.path})}"
        if "hx-request" in self.request.headers:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": target})
        return RedirectResponse(target, HTTPStatus.SEE_OTHER)


def as_yaml(document: Document) -> str:
    """A document as people edit it: without what the server keeps of owners of fields."""
    metadata = {name: value for name, value in (document.get("metadata") or {}).items() if name != "managedFields"}
    shown = {**document, "metadata": metadata}
    return yaml.dump(shown, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)


async def listed(visit: Visit, path: str, **query: str) -> list[Document]:
    """All objects of a collection; none if the user may not list them or the kind is not served."""
    try:
        return list((await visit.api.get(path, resourceVersion="0", **query))["items"])
    except Refused:
        return []
