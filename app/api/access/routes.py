"""Where a request goes: what it asks for, as authorization sees it, and what answers it."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from app.api.exchange import Exchange
from app.api.parameters import is_watch
from app.domain.rules.access.requests import PathRequest, Request, ResourceRequest
from app.domain.selectors import selected_name
from app.registry.target import Target

Answerer = Callable[[Exchange], Awaitable[None]]

_ON_OBJECT = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_ON_COLLECTION = {**_ON_OBJECT, "GET": "list", "HEAD": "list", "DELETE": "deletecollection"}
_SELECTING = ("list", "watch", "deletecollection")
_IN_NAMESPACE = 2
"""Segments before the resource in a path below /namespaces/."""


class Route(NamedTuple):
    """Where a request goes.

    Attributes:
        request: What the user has to have a right to.
        answer: Answers the request once it is authorized.
    """

    request: Request
    answer: Answerer


def path_request(exchange: Exchange) -> PathRequest:
    """A request for a path that is no resource."""
    method = exchange.method.lower()
    return PathRequest("get" if method == "head" else method, exchange.path or "/")


def target_request(exchange: Exchange, target: Target, *, streams: bool) -> ResourceRequest:
    """A request for a resource that is served; `streams` tells one of the old paths that watch by themselves."""
    verb = _verb(exchange, named=bool(target.name), streams=streams)
    return target.request(verb, _selected_name(exchange, verb))


def unserved_request(exchange: Exchange) -> Request:
    """A request for a path that names nothing that is served, as Kubernetes reads it (RequestInfo).

    So it is refused as any other to whoever has no right, and only others learn that it is not there.
    """
    root, *parts = exchange.path.strip("/").split("/")
    group = parts.pop(0) if root == "apis" and parts else ""
    if root not in ("api", "apis") or len(parts) < 2:  # noqa: PLR2004 - version, resource
        return path_request(exchange)
    rest = parts[1:]
    streams = rest[0] == "watch" and len(rest) > 1
    rest = rest[1:] if streams else rest
    namespace = rest[1] if rest[0] == "namespaces" and len(rest) > 1 else ""
    if namespace and len(rest) > _IN_NAMESPACE:
        rest = rest[_IN_NAMESPACE:]
    resource, name, subresource = (*rest[:3], "", "")[:3]
    verb = _verb(exchange, named=bool(name), streams=streams)
    return ResourceRequest(verb, group, resource, subresource, namespace, name or _selected_name(exchange, verb))


def _verb(exchange: Exchange, *, named: bool, streams: bool) -> str:
    verb = (_ON_OBJECT if named else _ON_COLLECTION).get(exchange.method, "")
    if verb in ("get", "list"):
        asked = verb == "list" and bool(exchange.scope["query_string"]) and is_watch(exchange.query)
        return "watch" if streams or asked else verb
    return verb


def _selected_name(exchange: Exchange, verb: str) -> str:
    if verb not in _SELECTING or not exchange.scope["query_string"]:
        return ""
    return selected_name(exchange.query.get("fieldSelector", ""))
