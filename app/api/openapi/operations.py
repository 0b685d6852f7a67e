"""The operations of each kind. All OpenAPI documents are made from this one description."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from app.api.openapi.parameters import (
    DELETING,
    DELETING_COLLECTION,
    EVERYWHERE,
    LISTING,
    NAME,
    NAMESPACE,
    PATCHING,
    READING,
    WRITING,
    Parameter,
)
from app.api.paths import subresource_verbs
from app.domain.declarations.kind import Kind

Body = Literal["", "object", "patch", "delete options"]
Result = Literal["object", "list", "status"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Attributes:
        path: The path, with its parameters in braces.
        method: The HTTP method in lower case.
        action: Its name in `x-kubernetes-action`.
        operation_id: Its name as Kubernetes forms it, such as `createCoreV1NamespacedService`.
        summary: What it does, in words for people.
        description: The same in a sentence or two, with what comes of it.
        kind: The kind of its objects.
        carried: The kind of what it takes and answers: the same, but for some subresources.
        parameters: Its parameters in path, query and headers.
        body: What the request carries.
        codes: The HTTP statuses of success.
        result: What the answer carries on success.
    """

    path: str
    method: str
    action: str
    operation_id: str
    summary: str
    description: str
    kind: Kind[Any]
    carried: Kind[Any]
    parameters: tuple[Parameter, ...]
    body: Body
    codes: tuple[int, ...]
    result: Result


@dataclass(frozen=True, slots=True)
class _Verb:
    method: str
    action: str
    prefix: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    body: Body = ""
    codes: tuple[int, ...] = (200,)
    result: Result = "object"


_COLLECTION = {
    "list": _Verb(
        "get", "list", "list", "List {many}, or watch them",
        "Answers with {many}, page by page if `limit` is given. With `watch=true` it streams their changes instead, "
        "one WatchEvent a line.",
        LISTING, result="list",
    ),
    "create": _Verb(
        "post", "post", "create", "Create {one}",
        "Stores what the body describes and answers with it as the server completed it; what breaks a rule is refused "
        "with 422, which names the fields.",
        WRITING, "object", (201,),
    ),
    "deletecollection": _Verb(
        "delete", "deletecollection", "delete", "Delete all {many} that are selected",
        "Deletes every one of the {many} that the selectors match, without selectors all of them, and answers with "
        "them.",
        DELETING_COLLECTION, "delete options", result="list",
    ),
}  # fmt: skip
_OBJECT = {
    "get": _Verb("get", "get", "read", "Read {one}", "Answers with its present state.", READING),
    "update": _Verb(
        "put", "put", "replace", "Replace {one}",
        "Replaces it with the body. A `metadata.resourceVersion` in the body has to be the present one, else the "
        "answer is 409: so no change of somebody else is lost.",
        WRITING, "object",
    ),
    "patch": _Verb(
        "patch", "patch", "patch", "Patch {one}",
        "Changes the fields that the body names, and leaves the others. The media type says how the body is "
        "understood; server-side apply needs the parameter `fieldManager`.",
        PATCHING, "patch",
    ),
    "delete": _Verb(
        "delete", "delete", "delete", "Delete {one}",
        "Deletes it, and releases what it holds. With finalizers it stays until they are removed.",
        DELETING, "delete options", (200, 202),
    ),
}  # fmt: skip
_SUBRESOURCE = _OBJECT | {"create": _COLLECTION["create"]}


def operations(kinds: Iterable[Kind[Any]]) -> Iterator[Operation]:
    """All operations of kinds."""
    for kind in kinds:
        yield from _operations(kind)


def paths(listed: Iterable[Operation], describe: Callable[[Operation], dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The paths of a document in their order, with what describes each method."""
    found: dict[str, dict[str, Any]] = {}
    for operation in listed:
        found.setdefault(operation.path, {})[operation.method] = describe(operation)
    return dict(sorted(found.items()))


def _operations(kind: Kind[Any]) -> Iterator[Operation]:
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    place = "/namespaces/{namespace}" if kind.namespaced else ""
    collection = f"{root}{place}/{kind.plural}"
    if kind.namespaced and "list" in kind.verbs:
        yield _operation(kind, _COLLECTION["list"], f"{root}/{kind.plural}", "", everywhere=True)
    for name, verb in _COLLECTION.items():
        if name in kind.verbs:
            yield _operation(kind, verb, collection, "")
    for name, verb in _OBJECT.items():
        if name in kind.verbs:
            yield _operation(kind, verb, f"{collection}/{{name}}", "")
    for subresource, verbs in subresource_verbs(kind).items():
        for name in verbs:
            yield _operation(kind, _SUBRESOURCE[name], f"{collection}/{{name}}/{subresource}", subresource)


def group_prefix(kind: Kind[Any]) -> str:
    """A group and version in operation ids, such as `CoreV1`."""
    return (kind.group.partition(".")[0] or "core").capitalize() + kind.version.capitalize()


def tag(kind: Kind[Any]) -> str:
    """The group of operations in documentation, such as `core_v1`."""
    return f"{kind.group.partition('.')[0] or 'core'}_{kind.version}"


def group_version_kind(kind: Kind[Any]) -> dict[str, str]:
    """The value of `x-kubernetes-group-version-kind`, by which clients find the operations of a kind."""
    return {"group": kind.group, "version": kind.version, "kind": kind.name}


def _operation(kind: Kind[Any], verb: _Verb, path: str, subresource: str, *, everywhere: bool = False) -> Operation:
    in_path = [NAME] * ("{name}" in path) + [NAMESPACE] * ("{namespace}" in path)
    codes = verb.codes
    if (verb.action == "put" and kind.create_on_update and not subresource) or (
        verb.body == "patch" and not subresource
    ):
        codes = (200, 201)
    result = verb.result
    if verb.action == "delete" and not kind.delete_returns_object:
        result = "status"
    return Operation(
        path=path,
        method=verb.method,
        action=verb.action,
        operation_id=_operation_id(kind, verb, subresource, everywhere),
        summary=_worded(verb.summary, kind, subresource, everywhere),
        description=_worded(verb.description, kind, subresource, everywhere),
        kind=kind,
        carried=kind.carried_by(subresource),
        parameters=(*in_path, *verb.parameters, *EVERYWHERE),
        body=verb.body,
        codes=codes,
        result=result,
    )


def _operation_id(kind: Kind[Any], verb: _Verb, subresource: str, everywhere: bool) -> str:
    collection = "Collection" if verb.action == "deletecollection" else ""
    scope = "Namespaced" if kind.namespaced and not everywhere else ""
    suffix = "ForAllNamespaces" if everywhere else ""
    return f"{verb.prefix}{group_prefix(kind)}{collection}{scope}{kind.name}{subresource.capitalize()}{suffix}"


def _worded(text: str, kind: Kind[Any], subresource: str, everywhere: bool) -> str:
    one = f"the {subresource} of {_one(kind)}" if subresource else _one(kind)
    many = f"{kind.name} objects" + (" of all namespaces" if everywhere else "")
    return text.format(one=one, many=many)


def _one(kind: Kind[Any]) -> str:
    """The kind with its article; the name of Endpoints is a plural."""
    if kind.name == "Endpoints":
        return kind.name
    return f"{'an' if kind.name[0] in 'AEIO' else 'a'} {kind.name}"
