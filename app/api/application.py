"""The HTTP application: resources on the hot path, FastAPI's routes for the rest."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from fastapi import FastAPI
from starlette.types import ASGIApp

from app.api.access.access import Access
from app.api.access.auditing import Auditor, recordable_resources
from app.api.access.authorization import Authorization
from app.api.access.issuer_documents import ISSUER_PATHS, issuer_routes
from app.api.access.token_requests import TokenRequests
from app.api.access.token_reviews import TokenReviews
from app.api.audit_tail import audit_routes
from app.api.bodies import Bodies
from app.api.bulk import BULK_PATH, BulkApplication
from app.api.cors import shared_with
from app.api.dispatch import Resources, Verb
from app.api.documents import Documents
from app.api.edge import Edge
from app.api.exchange import Receive, Scope, Send
from app.api.failures import register_failures
from app.api.fairness.fairness import Fairness
from app.api.guard import Guard
from app.api.health import LEASES_PATH, Readiness, health_routes, leases_route
from app.api.limits import Limits
from app.api.openapi.documents import OpenApiDocuments
from app.api.openapi.routes import openapi_routes
from app.api.reads import Reads
from app.api.rendering import Renderer
from app.api.reviews import Reviews
from app.api.streaming import Streams
from app.api.writes import Writes
from app.domain.declarations.catalog import Kinds
from app.domain.declarations.custom_resource_definition import CUSTOM_RESOURCE_DEFINITION
from app.domain.declarations.reviews import REVIEWS, TOKEN_REVIEW
from app.domain.declarations.service_account import SERVICE_ACCOUNT
from app.registry.registry import Registry
from app.store.leases import Leases


class FairleadApi(FastAPI):
    """A FastAPI application with the edge in front of it.

    The edge answers requests for resources without FastAPI, which would cost half as much again as the answer.
    """

    edge: Edge
    front: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] in ("http", "websocket"):
            await self.front(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(
    registry: Registry,
    *,
    now: Callable[[], str],
    ready: Readiness,
    version: str,
    access: Access | None = None,
    limits: Limits | None = None,
    stopping: asyncio.Event | None = None,
    leases: Leases | None = None,
    cors_origins: Sequence[str] = (),
) -> FairleadApi:
    """Put the HTTP application together.

    Args:
        registry: The verbs.
        now: Tells the present time as RFC 3339 in whole seconds, for ages in Tables.
        ready: The checks of `/readyz`, by their names.
        version: The version of this project, for `/version` and the documents.
        access: Who is let in; None admits everybody on loopback.
        limits: What clients may use.
        stopping: Set when the server is about to stop; open watches end then.
        leases: Those of the processes, for `/leases`; None where they are not shown.
        cors_origins: Of web pages that may call the API from browsers.
    """
    limits, access = limits or Limits(), access or Access()
    kinds = Kinds((*registry.kinds, *REVIEWS))
    streams = Streams(limits.watches, limits.user_watches, registry.authorizer)
    renderer = Renderer(now)
    bodies = Bodies(kinds)
    answers = _answers(registry, access, bodies, renderer)
    reads, writes = Reads(registry, renderer, streams), Writes(registry, bodies, renderer, now, answers)
    verbs = _verbs(reads, writes)
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
    if leases is not None:
        app.include_router(leases_route(leases))
    app.include_router(audit_routes(access.audit_log))
    app.include_router(openapi_routes(OpenApiDocuments(kinds, version, tokens=access.required)))
    if access.accounts is not None:
        app.include_router(issuer_routes(access.accounts, access.key_set_url))
    register_failures(app)
    more = (*(() if access.accounts is None else ISSUER_PATHS), *(() if leases is None else (LEASES_PATH,)))
    documents = Documents(kinds, version, renderer, more)
    authorization = Authorization(registry.authorizer)
    others = super(FairleadApi, app).__call__
    auditor = _auditor(access, kinds)
    app.edge = Edge(Guard(access), authorization, documents, resources, others, Fairness(limits), limits, auditor)
    app.front = shared_with(cors_origins, app.edge)
    return app


def _auditor(access: Access, kinds: Kinds) -> Auditor | None:
    if access.audit_log is None:
        return None
    return Auditor(access.audit_log, access.audit_policy, recordable_resources(kinds))


def _lifespan(stopping: asyncio.Event, streams: Streams) -> Callable[[FairleadApi], AbstractAsyncContextManager[None]]:
    """The tasks that run as long as the application does."""

    @asynccontextmanager
    async def lifespan(app: FairleadApi) -> AsyncIterator[None]:
        works = (app.edge.sweep(), _end_watches(stopping, streams), streams.follow_rights())
        tasks = [asyncio.create_task(work) for work in works]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return lifespan


async def _end_watches(stopping: asyncio.Event, streams: Streams) -> None:
    await stopping.wait()
    streams.stop()


def _answers(registry: Registry, access: Access, bodies: Bodies, renderer: Renderer) -> Mapping[str, Verb]:
    """What answers a POST of which nothing is stored, by the kind or subresource."""
    answers = dict(Reviews(bodies, renderer, registry.authorizer).answers)
    answers[TOKEN_REVIEW.key] = TokenReviews(access, bodies, renderer).answer
    if access.accounts is not None:
        answers[f"{SERVICE_ACCOUNT.key}/token"] = TokenRequests(access.accounts, registry.get, bodies, renderer).answer
    return answers


def _verbs(reads: Reads, writes: Writes) -> Mapping[str, Verb]:
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
