"""Many watchers at once: how many events reach them, and how late."""

import asyncio
import re
import time
from contextlib import asynccontextmanager

_SENT = re.compile(rb'"sent":"([0-9.]+)"')


class Watchers(asyncio.Protocol):
    """One connection of a fan-out; all of them note into the same lists.

    The time at which a change was sent is in the object itself, so that an event tells its own delay.
    """

    def __init__(self, request, delays):
        self._request = request
        self._delays = delays
        self._rest = b""
        self.opened = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        transport.write(self._request)

    def connection_lost(self, error):
        del error
        if not self.opened.done():
            self.opened.set_result(False)

    def data_received(self, data):
        if not self.opened.done():
            self.opened.set_result(data.startswith(b"HTTP/1.1 200"))
        now = time.perf_counter()
        text = self._rest + data
        end = 0
        for found in _SENT.finditer(text):
            self._delays.append(now - float(found[1]))
            end = found.end()
        self._rest = text[max(end, len(text) - 40) :]


@asynccontextmanager
async def opened(server, path, watchers):
    """Watch a path many times; gives the list into which the delay of each event is noted as it arrives."""
    delays = []
    request = server.request("GET", f"{path}&watch=1" if "?" in path else f"{path}?watch=1")
    transports = []
    while len(transports) < watchers:
        # A server under load may refuse some for the moment.
        count = min(50, watchers - len(transports))
        connected = await asyncio.gather(*(server.connect(lambda: Watchers(request, delays)) for _ in range(count)))
        for transport, watcher in connected:
            if await watcher.opened:
                transports.append(transport)
            else:
                transport.abort()
    try:
        yield delays
    finally:
        for transport in transports:
            transport.abort()


async def fan_out(delays, watchers, changes, rate, send):
    """Send changes at a rate; answers how many seconds it took until the last event of all.

    Args:
        delays: Of the events that have arrived.
        watchers: How many wait for each.
        changes: How many changes.
        rate: How many of them a second.
        send: Coroutine function that makes the change of a number, given the time to write into it.
    """
    started = time.perf_counter()
    sending = []
    for number in range(changes):
        await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
        sending.append(asyncio.ensure_future(send(number, time.perf_counter())))
    await asyncio.gather(*sending)
    deadline = time.perf_counter() + 20
    while len(delays) < changes * watchers and time.perf_counter() < deadline:
        await asyncio.sleep(0.02)
    return time.perf_counter() - started
