"""`POST /apis/fairlead.io/v1/apply`: many objects at once, stored all or none of them."""

import asyncio
from collections.abc import Iterator
from typing import Any

import msgspec

from app.api.bodies import media_type
from app.api.exchange import Exchange
from app.api.headers import JSON, YAML
from app.api.parameters import flag, strictness, write_options
from app.api.rendering import Renderer
from app.domain.documents.decoding import MAX_DEPTH, parse_json, yaml_problems
from app.domain.documents.yaml_documents import parse_yaml_documents
from app.domain.errors import BadRequest, MethodNotAllowed, RequestEntityTooLarge
from app.registry.bulk_preparation import BulkOptions, BulkResult, RawItem
from app.registry.registry import Registry

BULK_PATH = "/apis/fairlead.io/v1/apply"
MAX_ITEMS = 10_000
MAX_BYTES = 32 * 2**20

JSON_LINES = ("application/x-ndjson", "application/jsonl")
MEDIA_TYPES = (JSON, YAML, *JSON_LINES)
"""A v1 List, documents one after the other, or one object a line."""

_ITEMS_IN_A_ROW = 256
"""Results encoded before the event loop gets its turn."""


class _List(msgspec.Struct, rename="camel"):
    api_version: str = ""
    kind: str = ""
    items: list[msgspec.Raw] | None = None


class BulkApplication:
    """Reads the objects of a request, has them applied and answers the result of each."""

    def __init__(self, registry: Registry, renderer: Renderer) -> None:
        self._registry = registry
        self._renderer = renderer

    async def answer(self, exchange: Exchange) -> None:
        """Answer the request.

        Raises:
            ApiError: It is refused, and nothing was stored.
        """
        exchange.verb, exchange.resource = "apply", "bulk"
        if exchange.method != "POST":
            exchange.extra = ((b"allow", b"POST"),)
            raise MethodNotAllowed("objects are applied by POST")
        content_type = media_type(exchange, MEDIA_TYPES)
        options = BulkOptions(
            write=write_options(exchange),
            strictness=strictness(exchange.query),
            force=flag(exchange.query, "force"),
            namespace=exchange.query.get("namespace") or "default",
        )
        exchange.body_limit = MAX_BYTES
        body = await exchange.read_body()
        # YAML of this size takes seconds to read. The event loop answers other requests meanwhile.
        items = await asyncio.to_thread(read_items, content_type, body)
        results = await self._registry.apply(items, options)
        await self._renderer.document(exchange, await _encoded(results, dry_run=options.write.dry_run))


def read_items(content_type: str, body: bytes) -> list[RawItem]:
    """The objects in a body, each as JSON.

    Raises:
        BadRequest: It is malformed.
        RequestEntityTooLarge: There are too many.
    """
    items: list[RawItem] = []
    for item in _items(content_type, body):
        items.append(item)
        if len(items) > MAX_ITEMS:
            raise RequestEntityTooLarge(f"more than {MAX_ITEMS} objects cannot be applied at once")
    return items


def _items(content_type: str, body: bytes) -> Iterator[RawItem]:
    if content_type == JSON:
        yield from _members(body)
    elif content_type == YAML:
        for document, duplicates in parse_yaml_documents(body, MAX_DEPTH):
            if document is not None:
                yield from _members(_as_json(document), tuple(yaml_problems(duplicates)))
    else:
        for line in body.splitlines():
            if line.strip():
                yield RawItem(line)


def _members(body: bytes, problems: tuple[str, ...] = ()) -> Iterator[RawItem]:
    """The items of a v1 List; a body that is no List is one item."""
    try:
        found = msgspec.json.decode(body, type=_List)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # Raises the error that any other malformed body gets.
        parse_json(body)
        raise BadRequest("the body must be a List of apiVersion v1, or an object") from None
    if (found.api_version, found.kind) != ("v1", "List"):
        yield RawItem(body, problems)
        return
    for raw in found.items or ():
        yield RawItem(bytes(raw), problems)


def _as_json(document: Any) -> bytes:
    try:
        return msgspec.json.encode(document)
    except (UnicodeEncodeError, OverflowError) as error:
        raise BadRequest(f"the body has a value that cannot be represented: {error}") from error


async def _encoded(results: list[BulkResult], *, dry_run: bool) -> bytes:
    pieces: list[bytes] = []
    for index, each in enumerate(results):
        if index % _ITEMS_IN_A_ROW == 0:
            await asyncio.sleep(0)
        told: dict[str, Any] = {"result": each.result}
        if each.warnings:
            told["warnings"] = list(each.warnings)
        if each.preview:
            told["preview"] = list(each.preview)
        told["object"] = msgspec.Raw(each.entry.wire)
        pieces.append(msgspec.json.encode(told))
    head = {"kind": "ApplyResult", "apiVersion": "fairlead.io/v1", "metadata": {}, "dryRun": dry_run}
    return msgspec.json.encode(head)[:-1] + b',"items":[' + b",".join(pieces) + b"]}"
