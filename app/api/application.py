"""The HTTP application: resources on the hot path, FastAPI's routes for the rest."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from fastapi import FastAPI

from app.api.bodies import Bodies
from app.api.bulk import BULK_PATH, BulkApplication
from app.api.dispatch import Resources, Verb
from app.api.documents import Documents
from app.api.edge import Edge
from app.api.exchange import Receive, Scope, Send
from app.api.failures import register_failures
from app.api.guard import Guard
from app.api.health import Readiness, health_routes
from app.api.limits import Limits
from app.api.openapi.documents import OpenApiDocuments
from app.api.openapi.routes import openapi_routes
from app.api.reads import Reads
from app.api.rendering import Renderer
from app.api.streaming import Streams
from app.api.writes import Writes
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.custom_resource_definition import CUSTOM_RESOURCE_DEFINITION
from app.domain.declarations.reviews import REVIEWS
from app.registry.registry import Registry
from app.tokens import TokenUsers


class FairleadApi(FastAPI):
    """A FastAPI application with the edge in front of it.

    The edge answers requests for resources without FastAPI, which would cost half as much again as the answer.
    """

    edge: Edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] in ("http", "websocket"):
            await self.edge(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(
    registry: Registry,
    *,
    now: Callable[[], str],
    ready: Readiness,
    version: str,
    tokens: TokenUsers | None = None,
    limits: Limits | None = None,
    stopping: asyncio.Event | None = None,
) -> FairleadApi:
    """Put the HTTP application together.

    Args:
        registry: The verbs.
        now: Tells the present time as RFC 3339 in whole seconds, for ages in Tables.
        ready: The checks of `/readyz`, by their names.
        version: The version of this project, for `/version` and the documents.
        tokens: The users by their tokens; None admits everybody on loopback.
        limits: What clients may use.
        stopping: Set when the server is about to stop; open watches end then.
    """
    limits = limits or Limits()
    kinds = Kinds((*registry.kinds, *REVIEWS))
    streams = Streams(limits.watches)
    renderer = Renderer(now)
    verbs = _verbs(registry, Bodies(kinds), renderer, streams, now)
    served = Kinds((*kinds, CUSTOM_RESOURCE_DEFINITION))
    resources = Resources(served, verbs, {BULK_PATH: BulkApplication(registry, renderer).answer})
    app = FairleadApi(
        title="Fairlead",
        version=version,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan(stopping or asyncio.Event(), streams),
    )
    app.include_router(health_routes(ready))
    app.include_router(openapi_routes(OpenApiDocuments(kinds, version, tokens=tokens is not None)))
    register_failures(app)
    documents = Documents(kinds, version, renderer)
    app.edge = Edge(Guard(tokens), documents, resources, streams, super(FairleadApi, app).__call__, limits)
    return app


def _lifespan(stopping: asyncio.Event, streams: Streams) -> Callable[[FairleadApi], AbstractAsyncContextManager[None]]:
    """The tasks that run as long as the application does."""

    @asynccontextmanager
    async def lifespan(app: FairleadApi) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(app.edge.sweep()), asyncio.create_task(_end_watches(stopping, streams))]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return lifespan


async def _end_watches(stopping: asyncio.Event, streams: Streams) -> None:
    await stopping.wait()
    streams.stop()


def _verbs(
    registry: Registry, bodies: Bodies, renderer: Renderer, streams: Streams, now: Callable[[], str]
) -> Mapping[str, Verb]:
    reads, writes = Reads(registry, renderer, streams), Writes(registry, bodies, renderer, now)
    return {
        "get": reads.get,
        "list": reads.list,
        "watch": reads.watch,
        "create": writes.create,
        "update": writes.update,
        "patch": writes.patch,
        "delete": writes.delete,
        "deletecollection": writes.delete_collection,
    }
