"""Roads to ports of this machine, which can be cut: what is sent gets lost, and no connection is closed.

`Roads` runs this module as a process of its own, so that traffic does not wait for the test. Each line that the process
reads is a command; it answers each with a line.
"""

import asyncio
import json
import subprocess
import sys
from contextlib import suppress

from app.supervisor.children import spawn

_CHUNK = 2**16


class Roads:
    """Any number of roads, which end with the test."""

    def __init__(self):
        command = [sys.executable, "-m", "tests.e2e.roads"]
        self._process = spawn(command, stdin=subprocess.PIPE, output=subprocess.PIPE)

    def to(self, target):
        """The port at which a road to another port begins. That one need not be open yet."""
        return self._order("open", target)

    def cut(self, port):
        """From now on nothing arrives on this road, on old connections and on new ones, and nobody is told."""
        self._order("cut", port)

    def mend(self, port):
        """Old connections are broken, as after any longer time; new ones work."""
        self._order("mend", port)

    def slow_down(self, port, seconds):
        """Each piece of data takes so much longer from now on, either way."""
        self._order("slow_down", port, seconds)

    def close(self):
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            stream.close()

    def _order(self, *words):
        self._process.stdin.write(json.dumps(words).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class Road:
    """One way in to one port."""

    def __init__(self, target):
        self._target = target
        self._is_open = asyncio.Event()
        self._is_open.set()
        self._delay = 0.0
        self._tasks = set()

    async def open(self):
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def cut(self):
        self._is_open.clear()

    async def mend(self):
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._is_open.set()

    async def slow_down(self, seconds):
        self._delay = seconds

    async def _accept(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(OSError, asyncio.CancelledError):
            try:
                if self._is_open.is_set():
                    await self._carry(reader, writer)
                else:
                    # Whoever comes now hears nothing, until it is gone.
                    while await reader.read(_CHUNK):
                        pass
            finally:
                writer.close()

    async def _carry(self, reader, writer):
        """Pass on both ways until one side is gone and the other one knows."""
        target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self._target)
        ways = [asyncio.ensure_future(self._pass(*way)) for way in ((reader, target_writer), (target_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            target_writer.close()

    async def _pass(self, reader, writer):
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                await asyncio.sleep(self._delay)
                await self._is_open.wait()
                writer.write(data)
                await writer.drain()
        await self._is_open.wait()


async def _serve():
    """Obey the commands on stdin until it ends."""
    loop = asyncio.get_running_loop()
    roads = {}
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        word, port, *arguments = json.loads(line)
        if word == "open":
            road = Road(port)
            answer = await road.open()
            roads[answer] = road
        else:
            answer = await getattr(roads[port], word)(*arguments)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve())
