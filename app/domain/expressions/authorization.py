"""Kubernetes' `authorizer` in expressions: whether the user may do something else, too."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from app.domain.expressions.functions import member, tagged, untagged
from app.domain.rules.access.requests import PathRequest, Request, ResourceRequest
from app.domain.user import User, account_user

Decide = Callable[[User, Request], bool]
"""Whether a user may do something."""

_asked: ContextVar[tuple[User, Decide]] = ContextVar("authorizer")


class Deciding:
    """Lets expressions ask what a user may do, while it is entered."""

    __slots__ = ("_asked", "_token")

    def __init__(self, user: User, decide: Decide) -> None:
        self._asked = user, decide

    def __enter__(self) -> None:
        self._token = _asked.set(self._asked)

    def __exit__(self, *_: object) -> None:
        _asked.reset(self._token)


def authorizer_of(request: ResourceRequest | None = None) -> dict[str, Any]:
    """The variable `authorizer`; with a request, `authorizer.requestResource` is about it."""
    if request is None:
        return tagged("authorizer")
    resource = tagged(
        "check",
        group=request.group,
        resource=request.resource,
        subresource=request.subresource,
        namespace=request.namespace,
        name=request.name,
    )
    return tagged("authorizer", requestResource=resource)


def _with(kind: str, made: str, name: str) -> Callable[[dict[str, Any], str], dict[str, Any]]:
    """A step of a question: it adds one word to it."""

    def step(value: dict[str, Any], word: str) -> dict[str, Any]:
        return {**untagged(kind, value), **tagged(made, **{name: word})}

    return step


def _service_account(value: dict[str, Any], namespace: str, name: str) -> dict[str, Any]:
    return {**untagged("authorizer", value), "account": [namespace, name]}


def _check(value: dict[str, Any], verb: str) -> dict[str, Any]:
    user, decide = _asked.get()
    if "account" in value:
        user = account_user(*value["account"])
    if "path" in value:
        return tagged("decision", allowed=decide(user, PathRequest(verb, value["path"])))
    words = ("group", "resource", "subresource", "namespace", "name")
    group, resource, subresource, namespace, name = (untagged("check", value).get(word, "") for word in words)
    request = ResourceRequest(verb, group, resource, subresource=subresource, namespace=namespace, name=name)
    return tagged("decision", allowed=decide(user, request))


AUTHORIZATION = (
    member("path", ("map", "string"), "map", _with("authorizer", "path", "path")),
    member("group", ("map", "string"), "map", _with("authorizer", "group", "group")),
    member("serviceAccount", ("map", "string", "string"), "map", _service_account),
    member("resource", ("map", "string"), "map", _with("group", "check", "resource")),
    member("subresource", ("map", "string"), "map", _with("check", "check", "subresource")),
    member("namespace", ("map", "string"), "map", _with("check", "check", "namespace")),
    member("name", ("map", "string"), "map", _with("check", "check", "name")),
    member("check", ("map", "string"), "map", _check),
    member("allowed", ("map",), "bool", lambda decision: untagged("decision", decision)["allowed"]),
    member("reason", ("map",), "string", lambda decision: untagged("decision", decision) and ""),
    member("errored", ("map",), "bool", lambda decision: untagged("decision", decision) is None),
    member("error", ("map",), "string", lambda decision: untagged("decision", decision) and ""),
)
