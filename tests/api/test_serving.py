"""What ends a server."""

import asyncio
import socket

import httpx
import pytest
from fastapi import FastAPI

from app.api.server import serve
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.anyio


async def test_whoever_serves_beside_something_else_ends_with_it():
    app, stopping = FastAPI(), asyncio.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    async def answers():
        async with httpx.AsyncClient() as client:
            try:
                return (await client.get(f"http://127.0.0.1:{port}/absent", timeout=5)).status_code == 404
            except httpx.TransportError:
                return False

    serving = asyncio.create_task(serve(app, listener, stopping))
    await eventually(answers)
    stopping.set()
    await asyncio.wait_for(serving, 30)
