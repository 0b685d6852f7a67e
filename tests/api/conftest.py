"""The API of one process, on a real socket and a real database, without a reconciler."""

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
import trustme
import uvicorn

from app.api.access.access import Access
from app.api.access.authentication import Authentication
from app.api.application import create_app
from app.api.server import configuration
from app.credentials.certificates import client_context, server_context
from app.credentials.tokens import TokenUsers
from app.domain.declarations.catalog import Kinds
from app.domain.timestamps import format_time
from app.main.parts import started
from app.settings.processes import Settings
from app.startup.bootstrap import bootstrap
from app.startup.default_roles import make_default_roles
from tests.api.objects import EVENTS, SERVICES
from tests.conftest import empty

CLEARED = (SERVICES, EVENTS, "/api/v1/namespaces/kube-public/services")
"""What tests create in."""


def now():
    return format_time(datetime.now(UTC))


@asynccontextmanager
async def running_registry(url, *more_kinds):
    """The registry over a real store and mirror, with the first namespaces."""
    async with started(Settings(database_url=url), asyncio.Event()) as parts:
        kinds = Kinds((*parts.kinds, *more_kinds))
        registry = replace(parts, kinds=kinds).registry(0.2, lambda: True)
        await bootstrap(registry)
        await make_default_roles(registry)
        yield registry


@asynccontextmanager
async def serving(registry, send_buffer=0, tls=None, **options):
    """The application on a free port of loopback; gives its base URL and the event that announces its end."""

    async def well():
        return None

    stopping = asyncio.Event()
    app = create_app(registry, now=now, ready={"mirror": well}, version="0.0.0", stopping=stopping, **options)
    listener = socket.create_server(("127.0.0.1", 0))
    if send_buffer:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    server = uvicorn.Server(configuration(app, tls, options.get("limits")))
    task = asyncio.create_task(server._serve([listener]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}", stopping
    finally:
        stopping.set()
        server.should_exit = True
        await task


def token_access(*tokens):
    """Access for the bearers of tokens, as with a token file."""
    return Access(Authentication(TokenUsers(tokens)), required=True)


@pytest.fixture(scope="module")
async def registry(migrated_url):
    """The registry, over a database that is empty when the module begins."""
    await empty(migrated_url)
    async with running_registry(migrated_url) as registry:
        yield registry


@pytest.fixture(scope="session")
def tls(tmp_path_factory):
    """A server's context and a client's that trusts it."""
    directory = tmp_path_factory.mktemp("tls")
    issued = trustme.CA().issue_cert("127.0.0.1")
    certificate, key = directory / "tls.crt", directory / "tls.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    return server_context(certificate, key), client_context(certificate)


@pytest.fixture(scope="module")
async def base_url(registry):
    async with serving(registry) as (url, _):
        yield url


@pytest.fixture
async def api(base_url):
    """A client of the API, which has no objects but the first namespaces."""
    async with httpx.AsyncClient(base_url=base_url, timeout=60) as client:
        for collection in CLEARED:
            assert (await client.delete(collection)).is_success
        yield client
