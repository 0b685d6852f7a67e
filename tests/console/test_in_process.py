"""The transport that hands requests to an application of this process."""

import asyncio

import httpx
import pytest

from app.console.in_process import InProcess


def client(application):
    return httpx.AsyncClient(transport=InProcess(application), base_url="http://localhost")


async def test_an_answer_arrives_while_it_is_sent():
    more = asyncio.Event()

    async def application(scope, receive, send):
        assert scope["path"] == "/a b"
        assert (await receive())["body"] == b"hello"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1")]})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await more.wait()
        await send({"type": "http.response.body", "body": b"second"})

    async with client(application) as http, http.stream("POST", "/a%20b", content=b"hello") as response:
        chunks = response.aiter_raw()
        assert await anext(chunks) == b"first"
        more.set()
        assert await anext(chunks) == b"second"
        with pytest.raises(StopAsyncIteration):
            await anext(chunks)


async def test_the_application_sees_that_the_reader_is_gone():
    gone = asyncio.Event()

    async def application(scope, receive, send):
        del scope
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
        finally:
            gone.set()

    async with client(application) as http, http.stream("GET", "/") as response:
        assert await anext(response.aiter_raw())
    assert gone.is_set()


async def test_an_application_that_ends_without_an_answer_is_an_error():
    async def application(scope, receive, send):
        pass

    async with client(application) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get("/")
