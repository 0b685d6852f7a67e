"""Pages that list the objects of a kind, and the stream that tells them of changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response, StreamingResponse

from app.console.api_client import Document, Refused, Resource
from app.console.visit import Visit

PAGE = 50
"""Rows of a page."""
_PAUSE_SECONDS = 0.3
"""Changes within this time are told as one."""
_STREAM_SECONDS = "50"
"""A stream ends then, before the server's time limit for requests, and the browser opens another one."""


@dataclass(frozen=True)
class Row:
    """One object in a list.

    Attributes:
        url: Its page.
        namespace: Its namespace, "" if it has none.
        cells: What its Table shows.
    """

    url: str
    namespace: str
    cells: list[str]


async def start(visit: Visit) -> Response:
    """The first page."""
    del visit
    return RedirectResponse("/console/list/services")


async def kinds(visit: Visit) -> Response:
    """All kinds that can be listed."""
    served = sorted((await visit.api.resources()).values(), key=lambda resource: (resource.group, resource.kind))
    return await visit.page("kinds.html", kinds=[resource for resource in served if "list" in resource.verbs])


async def objects(visit: Visit) -> Response:
    """The objects of a kind: a page of all, or those that a search finds."""
    resource = await visit.resource(visit.request.path_params["resource"])
    namespace, labels, text = (visit.query(name) for name in ("namespace", "labels", "text"))
    selected = {name: value for name, value in (("labelSelector", labels), ("search", text)) if value}
    problem = None
    try:
        table = await visit.api.table(
            resource.path(namespace), **selected, limit=str(PAGE), **{"continue": visit.query("continue")}
        )
    except Refused as error:
        if error.code in {401, 403}:
            raise
        problem, table = error, _EMPTY
    continued = (table.get("metadata") or {}).get("continue", "")
    filters = {"namespace": namespace, "labels": labels, "text": text}
    return await visit.page(
        "list.html",
        resource=resource,
        columns=_columns(table),
        rows=_rows(resource, table),
        next=f"?{urlencode({**filters, 'continue': continued})}" if continued else "",
        later=bool(visit.query("continue")),
        left=(table.get("metadata") or {}).get("remainingItemCount", 0),
        namespaces=await _namespaces(visit) if resource.namespaced else [],
        stream=f"/console/changes/{resource.key}?{urlencode(filters)}",
        url=f"/console/list/{resource.key}?{visit.request.url.query}",
        problem=problem,
        filters=filters,
    )


async def changes(visit: Visit) -> Response:
    """A stream of server-sent events: one `changed` at the start, and one whenever something has changed."""
    resource = await visit.resource(visit.request.path_params["resource"])
    name, labels, text = visit.query("name"), visit.query("labels"), visit.query("text")
    selected = {"fieldSelector": f"metadata.name={name}" if name else "", "labelSelector": labels, "search": text}
    query = {parameter: value for parameter, value in selected.items() if value}
    path = resource.path(visit.query("namespace"))
    listed = await visit.api.get(path, limit="1", resourceVersion="0")
    query |= {"resourceVersion": listed["metadata"]["resourceVersion"], "timeoutSeconds": _STREAM_SECONDS}
    return StreamingResponse(
        _hints(visit, path, query), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _hints(visit: Visit, path: str, query: dict[str, str]) -> AsyncIterator[str]:
    changed = asyncio.Event()

    async def read() -> None:
        async with aclosing(visit.api.changes(path, **query)) as chunks:
            async for _ in chunks:
                changed.set()

    reading = asyncio.create_task(read(), name="watch of the console")
    reading.add_done_callback(lambda _: changed.set())
    try:
        yield "event: changed\ndata: begin\n\n"
        while True:
            await changed.wait()
            if reading.done():
                return
            changed.clear()
            yield "event: changed\ndata: again\n\n"
            await asyncio.sleep(_PAUSE_SECONDS)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)  # a lost API ends the stream; the page says so


_EMPTY: Document = {"columnDefinitions": [], "rows": [], "metadata": {}}


def _columns(table: Document) -> list[str]:
    return [column["name"] for column in table["columnDefinitions"] if not column.get("priority")]


def _rows(resource: Resource, table: Document) -> list[Row]:
    shown = [number for number, column in enumerate(table["columnDefinitions"]) if not column.get("priority")]
    return [_row(resource, each, shown) for each in table["rows"] or []]


def _row(resource: Resource, row: Document, shown: list[int]) -> Row:
    metadata = row["object"]["metadata"]
    namespace = metadata.get("namespace", "")
    return Row(
        object_url(resource.key, namespace, metadata["name"]), namespace, [_text(row["cells"][n]) for n in shown]
    )


def object_url(key: str, namespace: str, name: str) -> str:
    """The page of an object."""
    return f"/console/object/{key}/{namespace or '-'}/{name}"


def _text(cell: Any) -> str:
    return "" if cell is None else str(cell)


async def _namespaces(visit: Visit) -> list[str]:
    """The namespaces to choose from; none if the user may not list them."""
    try:
        listed = await visit.api.get("/api/v1/namespaces", resourceVersion="0")
    except Refused:
        return []
    return [each["metadata"]["name"] for each in listed["items"]]
