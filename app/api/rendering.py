"""Objects and lists as the client asked for them: JSON or YAML, whole, as Table rows, or as metadata alone."""

import asyncio
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import yaml

from app.api.exchange import Exchange
from app.api.headers import Header
from app.api.table import Table, partial_metadata
from app.domain.declarations.kind import Kind
from app.mirror.entry import Entry
from app.registry.options import Page
from app.registry.turns import giving_way

_YAML_TYPE: Header = (b"content-type", b"application/yaml")
_JSON_TYPE: Header = (b"content-type", b"application/json")
_STREAM_FROM = 1000
"""Entries from which on a list is sent while it is made."""
_ENTRIES_A_PIECE = 100
"""Entries that are joined and sent at once: they take little memory and time of the event loop."""
_YAML_APART_FROM = 16 * 1024
"""Bytes of JSON from which on YAML is made in another thread, as a megabyte takes half a second."""
_COMPRESS_FROM = 128 * 1024
_APART_AT_ONCE = 2
_COMPRESSED: tuple[Header, ...] = ((b"content-encoding", b"gzip"), (b"vary", b"accept-encoding"))
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Renderer:
    """Writes answers. A large one is sent in pieces, and compressed in another thread or not at all.

    Args:
        now: Tells the present as RFC 3339, for the ages in Tables.
    """

    def __init__(self, now: Callable[[], str]) -> None:
        self._now = now
        self._compressing = asyncio.Semaphore(_APART_AT_ONCE)
        self._dumping = asyncio.Semaphore(_APART_AT_ONCE)

    def table(self, exchange: Exchange, kind: Kind[Any]) -> Table:
        """Makes Tables for one request.

        Raises:
            BadRequest: `includeObject` makes no sense.
        """
        return Table(kind, exchange.form.version, exchange.query.get("includeObject", ""), self._now)

    async def entry(self, exchange: Exchange, kind: Kind[Any], entry: Entry, code: int = 200) -> None:
        """Answer with one object."""
        if exchange.form.shape == "table":
            metadata = {"resourceVersion": str(entry.revision)}
            body = b"".join(self.table(exchange, kind).pieces([entry], metadata))
        elif exchange.form.shape == "partial":
            body = partial_metadata(entry.wire, exchange.form.version)
        else:
            body = entry.wire
        await self.document(exchange, body, code)

    async def page(self, exchange: Exchange, kind: Kind[Any], page: Page) -> None:
        """Answer with a list."""
        pieces = self._pieces(exchange, kind, page)
        if exchange.form.media == "yaml" or exchange.pretty or len(page.entries) <= _STREAM_FROM:
            await self.document(exchange, await _gathered(pieces))
        elif not exchange.accepts_gzip or self._compressing.locked():
            await self._stream(exchange, pieces)
        else:
            await self._stream_compressed(exchange, pieces)

    def _pieces(self, exchange: Exchange, kind: Kind[Any], page: Page) -> Iterator[bytes]:
        form = exchange.form
        if form.shape == "table":
            return self.table(exchange, kind).pieces(page.entries, _list_metadata(page))
        if form.shape == "partial":
            head = _list_head("PartialObjectMetadataList", f"meta.k8s.io/{form.version}", page)
            return _joined(head, page.entries, lambda entry: partial_metadata(entry.wire, form.version))
        return _joined(_list_head(f"{kind.name}List", kind.api_version, page), page.entries, lambda entry: entry.wire)

    async def document(self, exchange: Exchange, body: bytes, code: int = 200) -> None:
        """Answer with a JSON document, or with the same in YAML."""
        if exchange.record is not None:
            exchange.record.answered = body
        content_type = _JSON_TYPE
        if exchange.form.media == "yaml":
            body, content_type = await self._as_yaml(body), _YAML_TYPE
        elif exchange.pretty:
            body = msgspec.json.format(body, indent=2) + b"\n"
        extra: tuple[Header, ...] = ()
        if len(body) >= _COMPRESS_FROM and exchange.accepts_gzip and not self._compressing.locked():
            async with self._compressing:
                body = await asyncio.to_thread(_gzip, body)
            extra = _COMPRESSED
        await exchange.reply(code, body, content_type, extra)

    async def _as_yaml(self, body: bytes) -> bytes:
        if len(body) < _YAML_APART_FROM:
            return _as_yaml(body)
        async with self._dumping:
            return await asyncio.to_thread(_as_yaml, body)

    async def _stream(self, exchange: Exchange, pieces: Iterator[bytes]) -> None:
        await exchange.start(200)
        async for piece in giving_way(pieces):
            await exchange.write(piece)
        await exchange.finish()

    async def _stream_compressed(self, exchange: Exchange, pieces: Iterator[bytes]) -> None:
        async with self._compressing:
            await exchange.start(200, _COMPRESSED)
            compressor = _gzip_stream()
            for piece in pieces:
                chunk = await asyncio.to_thread(compressor.compress, piece)
                if chunk:
                    await exchange.write(chunk)
            await exchange.write(compressor.flush())
            await exchange.finish()


async def _gathered(pieces: Iterator[bytes]) -> bytes:
    """All pieces, with turns of the event loop between them."""
    return b"".join([piece async for piece in giving_way(pieces)])


def _list_head(kind: str, api_version: str, page: Page) -> bytes:
    metadata = msgspec.json.encode(_list_metadata(page))
    return b'{"kind":"%b","apiVersion":"%b","metadata":%b,"items":[' % (kind.encode(), api_version.encode(), metadata)


def _list_metadata(page: Page) -> dict[str, Any]:
    """A list's ListMeta."""
    metadata: dict[str, Any] = {"resourceVersion": str(page.revision)}
    if page.continue_token:
        metadata["continue"] = page.continue_token
        if page.remaining is not None:
            metadata["remainingItemCount"] = page.remaining
    return metadata


def _joined(head: bytes, entries: Sequence[Entry], encode: Callable[[Entry], bytes]) -> Iterator[bytes]:
    yield head
    for start in range(0, len(entries), _ENTRIES_A_PIECE):
        comma = b"," if start else b""
        yield comma + b",".join([encode(entry) for entry in entries[start : start + _ENTRIES_A_PIECE]])
    yield b"]}"


def _as_yaml(body: bytes) -> bytes:
    text: str = yaml.dump(msgspec.json.decode(body), Dumper=_Dumper, sort_keys=True, allow_unicode=True)
    return text.encode()


def _gzip_stream() -> Any:
    return zlib.compressobj(level=1, wbits=31)


def _gzip(body: bytes) -> bytes:
    compressor = _gzip_stream()
    return bytes(compressor.compress(body) + compressor.flush())
