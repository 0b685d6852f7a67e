"""One line of the audit log: an Event of audit.k8s.io/v1, put together of pieces that are ready.

Most of a line is as in many others: who sent the request, from where, for which kind. These pieces are encoded once and
remembered, so that a line costs little more than joining them.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

import msgspec

from app.api.access.user_info import user_info
from app.api.exchange import Exchange
from app.domain.documents.decoding import MAX_DEPTH
from app.domain.documents.objects import ObjectMeta
from app.domain.documents.yaml_documents import parse_yaml_documents
from app.domain.errors import ApiError
from app.domain.rules.access.requests import Request, ResourceRequest
from app.domain.rules.audit_policy import LEVELS, Level
from app.domain.timestamps import format_time
from app.domain.user import User

LARGEST_OBJECT = 1024 * 1024
"""Bytes; a larger object is left out of its line."""
LONGEST_AGENT = 1024
DECISION = "authorization.k8s.io/decision"
"""The annotation that tells whether a request was allowed."""
_MOST_FORWARDERS = 10
_SECRET_IN_QUERY = re.compile(rb"((?:^|[?&])[a-z_-]*(?:token|secret|password)[a-z_-]*=)[^&]*", re.IGNORECASE)
_PLAIN = re.compile(rb"[ !#-\[\]-~]*").fullmatch
"""What is the same in JSON."""
_BEGINNINGS = {
    level: b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"%b","auditID":"' % name.encode()
    for name, level in LEVELS.items()
}

quoted = msgspec.json.Encoder().encode
"""A text in JSON."""


class _Named(msgspec.Struct):
    metadata: ObjectMeta


_NAMED = msgspec.json.Decoder(_Named)


def beginning(level: Level, audit_id: bytes, stage: str) -> bytes:
    """The first fields of a line."""
    return b'%b%b","stage":"%b","requestURI":' % (_BEGINNINGS[level], audit_id, stage.encode())


def request_uri(exchange: Exchange) -> bytes:
    """The path and query of a request in JSON, without what may be a secret: somebody may have put a token there."""
    path: bytes = exchange.scope.get("raw_path") or exchange.scope["path"].encode()
    query: bytes = exchange.scope["query_string"]
    if query:
        path += b"?" + _SECRET_IN_QUERY.sub(rb"\1***", query)
    return b'"%b"' % path if _PLAIN(path) else quoted(path.decode("latin-1"))


def sender(exchange: Exchange, verb: str, user: User) -> bytes:
    """The fields that tell the verb, who sent the request, and from where."""
    headers, client = exchange.headers, exchange.scope.get("client")
    as_other = exchange.user if exchange.impersonator is not None else None
    return _sender(
        verb,
        _key(user),
        None if as_other is None else _key(as_other),
        client[0] if client else None,
        headers.get(b"x-forwarded-for"),
        headers.get(b"user-agent", b""),
    )


_UserKey = tuple[str, str, tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]


def _key(user: User) -> _UserKey:
    return user.name, user.uid, user.groups, tuple(user.extra.items()) if user.extra else ()


@lru_cache(maxsize=1024)
def _sender(
    verb: str, user: _UserKey, as_other: _UserKey | None, client: str | None, forwarded: bytes | None, agent: bytes
) -> bytes:
    fields = [b',"verb":' + quoted(verb), b'"user":' + _user(user)]
    if as_other is not None:
        fields.append(b'"impersonatedUser":' + _user(as_other))
    fields.append(b'"sourceIPs":' + quoted(_source_ips(client, forwarded)))
    if agent:
        fields.append(b'"userAgent":' + quoted(_shortened(agent.decode("latin-1"))))
    return b",".join(fields)


def _user(key: _UserKey) -> bytes:
    name, uid, groups, extra = key
    return quoted(user_info(User(name, uid, groups, dict(extra))))


def _source_ips(client: str | None, forwarded: bytes | None) -> list[str]:
    """Where a request comes from: what proxies say, which anybody can say, and last who has connected."""
    told = forwarded.decode("latin-1").split(",")[:_MOST_FORWARDERS] if forwarded else ()
    return [*filter(None, (_address(part.strip()) for part in told)), *([client] if client else ())]


def _shortened(agent: str) -> str:
    return agent if len(agent) <= LONGEST_AGENT else f"{agent[:LONGEST_AGENT]}...TRUNCATED"


def reference(request: Request, path: str, name: str) -> bytes:
    """The field that tells what a request is about, nothing if it is for a path that is no resource."""
    if not isinstance(request, ResourceRequest):
        return b""
    version = path.split("/", 4)[3 if request.group else 2]
    known = _reference(request.group, version, request.resource, request.subresource, request.namespace)
    return b'%b,"name":%b}' % (known, quoted(name)) if name else known + b"}"


@lru_cache(maxsize=1024)
def _reference(group: str, version: str, resource: str, subresource: str, namespace: str) -> bytes:
    """The reference to any object of a kind in a namespace, without its end."""
    fields = {
        "resource": resource,
        "namespace": namespace,
        "apiGroup": group,
        "apiVersion": version,
        "subresource": subresource,
    }
    return b',"objectRef":' + quoted({key: value for key, value in fields.items() if value})[:-1]


def status(code: int, error: ApiError | None) -> bytes:
    """The field that tells how a request was answered."""
    if error is None:
        return b',"responseStatus":{"metadata":{},"code":%d}' % code
    told = {"metadata": {}, "status": "Failure", "message": error.message, "reason": error.reason, "code": error.code}
    return b',"responseStatus":' + quoted({key: value for key, value in told.items() if value not in ("", 0)})


def times(received: float, now: float) -> bytes:
    """The fields that tell when a request came, and when its stage was reached."""
    return b',"requestReceivedTimestamp":"%b","stageTimestamp":"%b"' % (_timestamp(received), _timestamp(now))


def _timestamp(seconds: float) -> bytes:
    """A `metav1.MicroTime`. The second is formatted once, since every line has two."""
    whole = int(seconds)
    return b"%b.%06dZ" % (_second(whole), (seconds - whole) * 1e6)


@lru_cache(maxsize=64)
def _second(seconds: int) -> bytes:
    return format_time(datetime.fromtimestamp(seconds, UTC)).removesuffix("Z").encode()


def annotations(told: dict[str, str]) -> bytes:
    """The field that tells what else is known of a request, and the end of the line."""
    if len(told) == 1 and (decision := told.get(DECISION)):
        return b',"annotations":{"authorization.k8s.io/decision":"%b"}}\n' % decision.encode()
    return b',"annotations":%b}\n' % quoted(told) if told else b"}\n"


def name_of(body: bytes) -> str:
    """The name of an object that was answered."""
    try:
        return _NAMED.decode(body).metadata.name
    except msgspec.MsgspecError:
        return ""


def as_recorded(field: bytes, body: bytes, *, omits_managed_fields: bool) -> bytes:
    """A field with a document in one line, nothing if it is none, or too large."""
    document = _document(body) if len(body) <= LARGEST_OBJECT else None
    if document is None:
        return b""
    if omits_managed_fields and isinstance(document, dict):
        for each in (document, *(document.get("items") or ())):
            if isinstance(each, dict) and isinstance(metadata := each.get("metadata"), dict):
                metadata.pop("managedFields", None)
    return b',"%b":%b' % (field, quoted(document))


def _document(body: bytes) -> Any:
    """What a body in JSON or YAML says, None if it says nothing that can be read."""
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError):
        pass
    try:
        return next((document for document, _ in parse_yaml_documents(body, MAX_DEPTH)), None)
    except (ApiError, ValueError, RecursionError):
        return None


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
