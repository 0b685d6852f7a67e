"""A road to Postgres on which what is said can get lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.store.store import Store
from app.supervisor.postgres import EmbeddedPostgres
from tests.store.writing import running

_SOCKET = ".s.PGSQL.5432"


class Proxy:
    """Passes on what clients and server say, unless told otherwise.

    Attributes:
        deaf: What the server says is lost.
        mute: What the clients say is lost.
    """

    def __init__(self, server: Path) -> None:
        self._server = server
        self._streams: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.deaf = False
        self.mute = False

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(self._server)
        self._streams += [writer, server_writer]
        self._tasks.add(asyncio.create_task(self._ask(reader, server_writer)))
        self._tasks.add(asyncio.create_task(self._answer(server_reader, writer)))

    async def _ask(self, client: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        while data := await client.read(65536):
            if not self.mute:
                server.write(data)
        server.close()

    async def _answer(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while data := await server.read(65536):
            if not self.deaf:
                client.write(data)
        client.close()

    def cut(self) -> None:
        """End every connection there is, without a word; new ones work."""
        self.deaf = self.mute = False
        for stream in self._streams:
            stream.transport.abort()
        self._streams.clear()

    async def close(self) -> None:
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)


@asynccontextmanager
async def proxied(postgres: EmbeddedPostgres, directory: Path) -> AsyncIterator[tuple[Store, Proxy]]:
    """A store that reaches Postgres through a proxy."""
    proxy = Proxy(postgres.socket_dir / _SOCKET)
    server = await asyncio.start_unix_server(proxy.accept, directory / _SOCKET)
    try:
        async with running(f"postgresql://fairlead@/fairlead?host={directory}") as store:
            yield store, proxy
    finally:
        server.close()
        await proxy.close()
