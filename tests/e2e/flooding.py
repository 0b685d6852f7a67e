"""A client that floods an API: many connections that list without end, or many watches. It counts its answers.

Run as a process of its own with `python -m tests.e2e.flooding URL TOKEN PATH CONNECTIONS`, it goes on until its
standard input ends, and then tells how many answers it got by their codes, and how many watches are open.
"""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from urllib.parse import urlsplit

import httptools
import uvloop

_PACE = 100
"""Connections that are opened at once."""


class Flood:
    """Starts the program; `counts` has what it said once it is stopped."""

    def __init__(self, url, token, path, connections):
        command = [sys.executable, "-m", "tests.e2e.flooding", url, token, path, str(connections)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.counts = {}

    def __enter__(self):
        return self

    def stop(self):
        """End it, and keep what it said."""
        told, _ = self._process.communicate(timeout=60)
        self.counts = json.loads(told)
        return self.counts

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


class _Client(asyncio.Protocol):
    """One connection: it asks, and asks again when it is answered."""

    def __init__(self, request, counts, opened):
        self._request = request
        self._counts = counts
        self._opened = opened
        self._code = 0
        self.parser = httptools.HttpResponseParser(self)
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_headers_complete(self):
        self._code = self.parser.get_status_code()
        self._counts[str(self._code)] += 1
        if self._code == 200 and b"watch=" in self._request:
            self._opened["open"] += 1
            self.lost.add_done_callback(self._closed)

    def _closed(self, _):
        self._opened["open"] -= 1

    def on_message_complete(self):
        if self._code == 200:
            self.transport.write(self._request)
        else:  # a client that takes no notice would send again at once; this one waits for a moment
            asyncio.get_running_loop().call_later(0.2, self.transport.write, self._request)

    def connection_lost(self, _):
        if not self.lost.done():
            self.lost.set_result(None)


async def flood(url, token, path, connections):
    """Flood until standard input ends."""
    counts, opened = Counter(), Counter()
    parts, loop = urlsplit(url), asyncio.get_running_loop()
    head = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n"
    opening = asyncio.Semaphore(_PACE)

    async def client():
        while True:
            with suppress(OSError):
                async with opening:
                    _, protocol = await loop.create_connection(
                        lambda: _Client(head.encode(), counts, opened), parts.hostname, parts.port
                    )
                    await asyncio.sleep(0.01)
                await protocol.lost
            counts["lost"] += 1
            await asyncio.sleep(0.2)

    tasks = [asyncio.create_task(client()) for _ in range(connections)]
    await asyncio.to_thread(sys.stdin.read)
    now = opened["open"]
    for task in tasks:
        task.cancel()
    return {**counts, "open": now}


if __name__ == "__main__":
    found = uvloop.run(flood(*sys.argv[1:4], int(sys.argv[4])))
    sys.stdout.write(json.dumps(found))
