"""Several hosts in one URL: the primary is found, whatever the others do."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.store.database import Database
from app.supervisor.postgres import EmbeddedPostgres
from tests.store.proxy import Proxy

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def silent_host() -> AsyncIterator[int]:
    """A port that lets everybody in and says nothing."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1") as server:
        yield server.sockets[0].getsockname()[1]
        server.close()


@asynccontextmanager
async def port_of(postgres: EmbeddedPostgres) -> AsyncIterator[int]:
    """A port of Postgres, which listens on a socket only."""
    proxy = Proxy(postgres.socket_dir / ".s.PGSQL.5432")
    server = await asyncio.start_server(proxy.accept, "127.0.0.1")
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await proxy.close()


async def works(url: str) -> bool:
    database = Database(url)
    try:
        return bool((await database.fetch("SELECT 1"))[0][0] == 1)
    finally:
        await database.close()


def dead_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def test_a_host_that_is_dead_or_silent_holds_up_nobody(postgres: EmbeddedPostgres):
    async with silent_host() as silent, port_of(postgres) as port:
        hosts = ",".join(f"127.0.0.1:{each}" for each in (dead_port(), silent, silent, port))
        assert await works(f"postgresql://fairlead@{hosts}/fairlead?sslmode=disable")


async def test_without_a_primary_the_error_tells_of_the_host_that_is_down(postgres: EmbeddedPostgres):
    async with port_of(postgres) as port:
        hosts = f"127.0.0.1:{dead_port()},127.0.0.1:{port}"
        database = Database(f"postgresql://fairlead@{hosts}/nothing?sslmode=disable")
        with pytest.raises(ConnectionRefusedError):
            await database.connect()
        await database.close()
