"""Sessions of Postgres: how they are opened, which limits they have, and what the loss of one means."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType
from typing import Any

import asyncpg
import structlog
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from app.domain.errors import ServiceUnavailable
from app.store.hosts import Hosts
from app.store.sealing import NO_KEYS, Keyring

CONNECT_TIMEOUT = 3.0
"""Seconds for one attempt to open a session."""

STARTING_SECONDS = 10.0
"""Seconds that a process waits at its start for a database that is not there yet."""

_STANDBY_TIMEOUT = 1.5
"""Seconds for a synchronous standby to acknowledge one commit; it is tried again."""

_NO_STANDBY = "no synchronous standby has acknowledged what the database holds, which a failover might lose"

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
_LONGEST_PAUSE_SECONDS = 0.3

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

_REACH_STANDBY = """
    SELECT pg_logical_emit_message(true, 'fairlead', ''), set_config('synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,
        true)
"""
"""The least that writes to the write-ahead log and is waited for."""


_log = structlog.stdlib.get_logger(__name__)


class Database:
    """Opens sessions, and pools those for rare statements.

    Args:
        url: libpq's connection URL, `postgresql://user@host/database` or `postgresql://user@/database?host=/socket/dir`.
            Of several hosts, `host-1,host-2`, the one that is the primary is used.
        pool_size: Number of sessions that stay open for rare statements. At most as many again are opened under load.
        keyring: The keys with which secrets are encrypted.
    """

    def __init__(self, url: str, pool_size: int = 4, keyring: Keyring = NO_KEYS) -> None:
        self.url = url
        self.keyring = keyring
        self._hosts = Hosts(url)
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self.connect,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=CONNECT_TIMEOUT,
            pool_use_lifo=True,
        )
        event.listen(self.engine.sync_engine, "close", _terminate)

    async def connect(self, settings: Mapping[str, str] = MappingProxyType({})) -> Any:
        """Open a session on the primary that is not in the pool.

        Args:
            settings: Settings of Postgres for this session only.

        Raises:
            OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError: The session cannot be opened.
        """
        asked = {**_LIMITS, **settings}
        attempt = partial(
            asyncpg.connect,
            timeout=CONNECT_TIMEOUT,
            # A pooler lets nothing else pass when a session begins.
            server_settings={"application_name": asked.pop("application_name")},
            # Whatever the URL asks for: `read-write` is stricter, as it passes over a primary that takes no writes.
            target_session_attrs="read-write" if "target_session_attrs=read-write" in self.url else "primary",
        )
        async with asyncio.timeout(CONNECT_TIMEOUT):
            connection = await self._hosts.connect(attempt)
            try:
                await connection.execute("".join(f"SET {name} = '{value}';" for name, value in asked.items()))
            except BaseException:
                connection.terminate()
                raise
        _keep_alive(connection)
        return connection

    async def wait(self, seconds: float) -> None:
        """Wait for a database that is not there yet, as where everything is started at once.

        Args:
            seconds: The longest wait; the last attempt may take `CONNECT_TIMEOUT` more.

        Raises:
            ServiceUnavailable: It cannot be reached even then, or it lets nobody in who comes like this.
        """
        session = Session(self, {})
        try:
            await session.get(until=0)
        except ServiceUnavailable as error:
            if not is_passing(error.__cause__ or error):
                raise
            _log.info("waiting for the database", seconds=seconds, reason=error.message)
            await session.get(asyncio.get_running_loop().time() + seconds)
        finally:
            await session.close()

    def suspect(self) -> None:
        """Look for the primary elsewhere first, the next time: this one lets sessions in and does not answer them."""
        self._hosts.suspect()

    async def connect_settled(self, settings: Mapping[str, str] = MappingProxyType({})) -> Any:
        """Open a session in which only what a failover keeps can be seen.

        A primary that crashed and came back shows what it had committed and not yet sent to its synchronous standby.
        So the session begins with a commit of its own, which comes later in the log: when the standby has that, it
        has everything before.

        Args:
            settings: As `connect` has them.

        Raises:
            OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError: As `connect` does.
            ServiceUnavailable: No synchronous standby answers.
        """
        connection = await self.connect(settings)
        try:
            await connection.execute(_REACH_STANDBY, timeout=_STANDBY_TIMEOUT)
        except BaseException as error:
            connection.terminate()
            if isinstance(error, TimeoutError):
                self.suspect()
                raise ServiceUnavailable(_NO_STANDBY, retry_after=1) from error
            raise
        return connection

    async def fetch(self, statement: str, *arguments: Any, within: float = FETCH_TIMEOUT) -> list[Any]:
        """Read rows through the pool. It is tried twice, since a session of the pool may be lost unnoticed.

        Args:
            statement: SQL with parameters $1, $2...
            arguments: The values of the parameters.
            within: Seconds for each of the two attempts.

        Raises:
            ServiceUnavailable: The database cannot be reached.
        """
        try:
            return await self._fetch(statement, arguments, within)
        except LOST as error:
            if not is_passing(error):
                raise
            if not isinstance(error, PoolTimeoutError):
                await self.give_up_pool()
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
        """Borrow a session from the pool, as a connection of asyncpg."""
        pool = self.engine.pool
        try:
            async with self.engine.connect() as pooled:
                session: Any = (await pooled.get_raw_connection()).driver_connection
                try:
                    yield session
                except BaseException:
                    # Whatever is going on in it ends here, and nobody gets it from the pool.
                    session.terminate()
                    await pooled.invalidate()
                    raise
        finally:
            if self.engine.pool is not pool:
                # It went back to a pool that was given up meanwhile, from which nobody would take it or close it.
                await greenlet_spawn(pool.dispose)

    async def give_up_pool(self) -> None:
        """Begin with a new pool: one session of this one was lost, and the others may be. Those in use go on."""
        await self.engine.dispose()

    async def close(self) -> None:
        """Close the pool."""
        await self.engine.dispose()


class Session:
    """A session for one purpose. It is opened when it is needed, and again after it was lost.

    Args:
        database: Where.
        settings: Server settings that differ from every session's.
        settled: Whether it may see only what a failover keeps.
    """

    def __init__(self, database: Database, settings: Mapping[str, str], *, settled: bool = False) -> None:
        self._database = database
        self._connect = database.connect_settled if settled else database.connect
        self._settings = settings
        self._connection: Any = None

    async def get(self, until: float) -> Any:
        """The open connection.

        Args:
            until: Time of the event loop at which to stop trying. There is at least one attempt.

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

    def drop(self, error: BaseException | None = None) -> None:
        """Drop the connection, whatever happens in it.

        Args:
            error: Why. A primary that lets sessions in and then does not answer is not the first to be tried again.
        """
        if isinstance(error, TimeoutError):
            self._database.suspect()
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """Close the connection in order."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                await connection.close(timeout=1)
            except LOST:
                connection.terminate()


def _terminate(pooled: Any, _record: Any) -> None:
    """Have the pool close a session without a word to a server that may never answer."""
    pooled.driver_connection.terminate()


def is_passing(error: BaseException) -> bool:
    """Whether a retry may help, since the fault is with the connection or the server, not with the statement.

    The classes of SQLSTATE: 08 connection, 25 transaction's state (timed out, standby), 40 rollback, 53 resources,
    55 object's state (lock timeout), 57 intervention, 58 system.
    """
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] in {"", "08", "25", "40", "53", "55", "57", "58"}
    return not isinstance(error, ValueError)


def unreachable(error: BaseException) -> ServiceUnavailable:
    """The error when nothing was stored and nothing can be read."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    why = str(cause) or type(cause).__name__
    return ServiceUnavailable(f"the database cannot be reached: {why}", retry_after=1)


def _keep_alive(connection: Any) -> None:
    """Let the kernel notice that the server has vanished."""
    peer = connection._transport.get_extra_info("socket")  # noqa: SLF001 - asyncpg offers no way to its socket
    if peer is not None and peer.family != socket.AF_UNIX:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, option):
                peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
