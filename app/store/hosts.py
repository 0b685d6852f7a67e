"""Which of several hosts is the primary: they are tried so that one that does not answer holds up nobody."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import asyncpg

_HEAD_START_SECONDS = 0.25
"""Seconds that one host has before the next one is tried beside it (RFC 8305, Connection Attempt Delay)."""


def urls_of(url: str) -> Sequence[str]:
    """One URL for each host of a libpq URL such as `postgresql://user@db-1:5432,db-2:5432/database`.

    Hosts may also be named by the parameters `host` and `port`, as `?host=/socket,/other&port=5432,5433`.
    """
    parts = urlsplit(url)
    user, at, netloc = parts.netloc.rpartition("@")
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    named = parameters.get("host", "")
    if not netloc and named:
        hosts = named.split(",")
        ports = parameters.get("port", "").split(",")
        ports = ports * len(hosts) if len(ports) == 1 else ports
        if len(hosts) != len(ports):
            return (url,)  # asyncpg says what is wrong with it
        own = [{"host": host} | ({"port": port} if port else {}) for host, port in zip(hosts, ports, strict=True)]
        others = {name: value for name, value in parameters.items() if name not in {"host", "port"}}
        queries = [others | each for each in own]
        return [parts._replace(query=urlencode(query, quote_via=quote)).geturl() for query in queries]
    return [parts._replace(netloc=f"{user}{at}{host}").geturl() for host in netloc.split(",")]


class Hosts:
    """Finds the primary, wherever it is now.

    The host that was the primary last is tried first. When it has not answered after a moment, the next one is tried
    beside it, and so on; the first that lets a session in wins. So a host that vanished without a word costs a quarter
    of a second, where libpq would wait for it as long as for all.

    Args:
        url: libpq's connection URL, with any number of hosts.
    """

    def __init__(self, url: str) -> None:
        self._urls = urls_of(url)
        self._first = 0

    async def connect(self, attempt: Callable[[str], Awaitable[Any]]) -> Any:
        """Open a session on one of the hosts.

        Args:
            attempt: Opens a session by a URL of one host, and refuses one that is no primary.

        Raises:
            OSError, asyncpg.PostgresError, asyncpg.InterfaceError: None lets us in; it is the error of a host that is
                no standby, if there is one.
        """
        count = len(self._urls)
        waiting = [(self._first + step) % count for step in range(count)]
        running: dict[asyncio.Task[Any], int] = {}
        failed: dict[int, BaseException] = {}
        try:
            while waiting or running:
                if waiting:
                    number = waiting.pop(0)
                    running[asyncio.ensure_future(attempt(self._urls[number]))] = number
                done, _ = await asyncio.wait(running, timeout=_HEAD_START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    number = running.pop(task)
                    error = task.exception()
                    if error is None:
                        self._first = number
                        return task.result()
                    failed[number] = error
                if not done and not waiting:
                    # While one is silent, another may become the primary.
                    waiting = [number for number in failed if number not in running.values()]
        finally:
            for task in running:
                task.add_done_callback(_discard)
                task.cancel()
        # What a standby says is no fault of its own.
        for error in failed.values():
            if not isinstance(error, asyncpg.TargetServerAttributeNotMatched):
                raise error
        raise ConnectionError("there is no primary: every host of the database is a standby now")

    def suspect(self) -> None:
        """Begin with another host the next time: the one that let us in last does not do its work."""
        self._first = (self._first + 1) % len(self._urls)


def _discard(task: asyncio.Task[Any]) -> None:
    """Close the session of a host that was too late."""
    if not task.cancelled() and task.exception() is None:
        task.result().terminate()
