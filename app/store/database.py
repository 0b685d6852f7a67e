"""Sessions of Postgres: how they are opened, what limits them, and what their loss means."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.domain.errors import ServiceUnavailable
from app.store.sealing import NO_KEYS, Keyring

CONNECT_TIMEOUT = 3.0
"""Seconds for one attempt to open a session."""

FETCH_TIMEOUT = 5.0
"""Seconds for one of the rarer statements; longer than the server's own limit for waiting for a lock."""

LOST = (
    OSError,
    TimeoutError,
    PoolTimeoutError,
    DBAPIError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""What a broken session, a server that goes away and a refused connection raise; DBAPIError is a connection that the
pool could not open."""

_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 0.5

_LIMITS = {
    "application_name": "fairlead",
    # Read committed takes a fresh view at each statement; the write function relies on it after waiting for its lock.
    "default_transaction_isolation": "read committed",
    "statement_timeout": "30s",
    "lock_timeout": "3s",
    # A paused process must not stop the others.
    "idle_in_transaction_session_timeout": "2s",
    # The server notices a client that vanished without a word, also in the middle of a statement.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "client_connection_check_interval": "2s",
    # Statements here touch few rows: compiling them never pays.
    "jit": "off",
    # Plans are kept, and may have been made while a table was all but empty: by an index even then, where there is one.
    "enable_seqscan": "off",
    # Planned for the tables as they are now: a plan kept from when they were empty can be wrong for ever after.
    "plan_cache_mode": "force_custom_plan",
    "enable_bitmapscan": "off",
}


class Database:
    """Opens sessions, and pools those of the rarer statements.

    Args:
        url: libpq's connection URL, `postgresql://user@host/database` or `postgresql://user@/database?host=/socket/dir`.
        pool_size: Sessions kept for the rarer statements; as many again are opened in a rush.
        keyring: With what is encrypted what it stores of secrets.
    """

    def __init__(self, url: str, pool_size: int = 4, keyring: Keyring = NO_KEYS) -> None:
        self.url = url
        self.keyring = keyring
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self.connect,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=CONNECT_TIMEOUT,
            pool_use_lifo=True,
        )

    async def connect(self, settings: Mapping[str, str] = MappingProxyType({})) -> Any:
        """Open a session of one's own.

        Args:
            settings: Server settings that differ from every session's.

        Raises:
            OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError: It cannot be opened.
        """
        connection = await asyncpg.connect(self.url, timeout=CONNECT_TIMEOUT, server_settings={**_LIMITS, **settings})
        _keep_alive(connection)
        return connection

    async def fetch(self, statement: str, *arguments: Any, within: float = FETCH_TIMEOUT) -> list[Any]:
        """Read rows through the pool; tried again once, because a pooled session may have died unnoticed.

        Args:
            statement: SQL with parameters $1, $2...
            arguments: Their values.
            within: Seconds for each of the two attempts.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        try:
            return await self._fetch(statement, arguments, within)
        except LOST as error:
            if not is_passing(error):
                raise
            await self.engine.dispose()
        try:
            return await self._fetch(statement, arguments, within)
        except LOST as error:
            if not is_passing(error):
                raise
            raise unreachable(error) from error

    async def _fetch(self, statement: str, arguments: Sequence[Any], within: float) -> list[Any]:
        async with asyncio.timeout(within), self.session() as session:
            rows: list[Any] = await session.fetch(statement, *arguments)
            return rows

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Any]:
        """Borrow a session from the pool, as asyncpg's own connection."""
        async with self.engine.connect() as pooled:
            session: Any = (await pooled.get_raw_connection()).driver_connection
            try:
                yield session
            except BaseException:
                # Whatever is going on in it ends here, and nobody gets it from the pool.
                session.terminate()
                await pooled.invalidate()
                raise

    async def close(self) -> None:
        """Close the pool."""
        await self.engine.dispose()


class Session:
    """One session kept for one purpose, opened when it is needed and again after it was lost."""

    def __init__(self, connect: Callable[[Mapping[str, str]], Awaitable[Any]], settings: Mapping[str, str]) -> None:
        self._connect = connect
        self._settings = settings
        self._connection: Any = None

    async def get(self, until: float) -> Any:
        """The open connection.

        Args:
            until: Time of the event loop up to which it is tried to open one; it is tried at least once.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._open(until)
        return self._connection

    async def _open(self, until: float) -> Any:
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._connect(self._settings)
            except LOST as error:
                if not is_passing(error) or loop.time() + pause > until:
                    raise unreachable(error) from error
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def drop(self) -> None:
        """Give the connection up, whatever is going on in it."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """Close it politely."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                await connection.close(timeout=1)
            except LOST:
                connection.terminate()


def is_passing(error: BaseException) -> bool:
    """Whether trying again may help: the connection or the server is at fault, not the statement.

    The classes of SQLSTATE: 08 connection, 25 transaction's state (timed out, standby), 40 rollback, 53 resources,
    55 object's state (lock timeout), 57 intervention, 58 system.
    """
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] in {"", "08", "25", "40", "53", "55", "57", "58"}
    return not isinstance(error, ValueError)


def unreachable(error: BaseException) -> ServiceUnavailable:
    """What a caller is told when nothing was stored and nothing can be read."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    why = str(cause) or type(cause).__name__
    return ServiceUnavailable(f"the database cannot be reached: {why}", retry_after=1)


def _keep_alive(connection: Any) -> None:
    """Have the kernel notice a server that vanished."""
    peer = connection._transport.get_extra_info("socket")  # noqa: SLF001 - asyncpg offers no way to its socket
    if peer is not None and peer.family != socket.AF_UNIX:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, option):
                peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
