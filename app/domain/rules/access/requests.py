"""What a user asks to do, as authorization sees it (authorizer.Attributes of Kubernetes)."""

import msgspec

from app.domain.errors import Forbidden

_SANITIZED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""Names in refusals cannot be markup: a refusal may be shown in a browser."""


class ResourceRequest(msgspec.Struct, frozen=True):
    """A verb on a resource.

    Attributes:
        verb: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, or one that stands for
            no request, such as `bind` or `impersonate`.
        group: The API group, "" for the core group.
        resource: The resource in the plural, without its subresource.
        subresource: `status` and the like, or "".
        namespace: The namespace; "" for all namespaces, and for what lives in none.
        name: The name of the object, "" where the request names none.
    """

    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def path(self) -> str:
        """The resource as rules name it, `services/status`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class PathRequest(msgspec.Struct, frozen=True):
    """A verb on a path that is no resource.

    Attributes:
        verb: The HTTP method in lower case; `get` also for HEAD.
        path: The path, such as `/metrics`.
    """

    verb: str
    path: str


Request = ResourceRequest | PathRequest


def refused(user: str, request: Request) -> Forbidden:
    """The error for a request that no right allows, in the words of Kubernetes.

    It says who may not do what, and nothing of what would allow it.
    """
    if isinstance(request, PathRequest):
        told = f"User {_quoted(user)} cannot {request.verb} path {_quoted(request.path)}"
        return Forbidden(f"forbidden: {_shown(told)}")
    where = f"in the namespace {_quoted(request.namespace)}" if request.namespace else "at the cluster scope"
    what = f"resource {_quoted(request.path)} in API group {_quoted(request.group)} {where}"
    qualified = f"{request.resource}.{request.group}" if request.group else request.resource
    told = _shown(f"User {_quoted(user)} cannot {request.verb} {what}")
    named = f"{qualified} {_quoted(request.name)}" if request.name else qualified
    return Forbidden(f"{named} is forbidden: {told}", group=request.group, kind=request.resource, name=request.name)


def _quoted(text: str) -> str:
    escaped = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text.replace("\\", "\\\\"))
    return '"' + escaped.replace('"', '\\"') + '"'


def _shown(text: str) -> str:
    return text.translate(_SANITIZED)
