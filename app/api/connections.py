"""Open connections: whose each is, and how many somebody may have.

A connection belongs to its source, an address, until a request proves whose it is; then it belongs to that user. So
strangers cannot take the connections of users, even from the same address.
"""

import asyncio
from collections import Counter
from typing import Any

from app.api.exchange import CONNECTION
from app.api.limits import Limits
from app.api.sources import source_of
from app.domain.errors import TooManyRequests
from app.domain.user import ANONYMOUS, MASTERS, User
from app.telemetry.metrics import CONNECTIONS, CONNECTIONS_REFUSED

_OF_SOURCE, _OF_USER = CONNECTIONS.labels("source"), CONNECTIONS.labels("user")


class Connection:
    """One connection.

    Attributes:
        user: The name of the user whose it is, "" as long as nobody has said so.
    """

    __slots__ = ("_all", "source", "user")

    def __init__(self, connections: "Connections", source: str) -> None:
        self._all = connections
        self.source = source
        self.user = ""

    def belongs_to(self, user: User) -> None:
        """Count it as a user's, as a request on it has proved.

        Raises:
            TooManyRequests: The user has as many as one may have.
        """
        if user.name != self.user and user is not ANONYMOUS:
            self._all.give(self, user)


class Connections:
    """All connections of this process.

    Args:
        limits: What clients may use.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: dict[asyncio.BaseTransport, Connection] = {}
        self._of_sources: Counter[str] = Counter()
        self._of_users: Counter[str] = Counter()

    def opened(self, transport: asyncio.BaseTransport) -> Connection:
        """Count a connection, once.

        Raises:
            TooManyRequests: Its source has as many as one may have of which nobody has said whose they are.
        """
        connection = self._open.get(transport)
        if connection is None:
            peer: Any = transport.get_extra_info("peername")
            source = source_of(peer[0] if isinstance(peer, tuple) else "")
            if self._of_sources[source] >= self._limits.source_connections:
                CONNECTIONS_REFUSED.labels("source").inc()
                raise TooManyRequests(
                    f"{self._limits.source_connections} connections from this address are open on which nobody has "
                    "said who they are, which is the limit; send requests with a credential on those, or close some",
                    retry_after=1,
                )
            connection = self._open[transport] = Connection(self, source)
            self._of_sources[source] += 1
            _OF_SOURCE.inc()
        return connection

    def closed(self, transport: asyncio.BaseTransport) -> None:
        """Count a connection no more."""
        connection = self._open.pop(transport, None)
        if connection is not None:
            self._take_away(connection)

    def give(self, connection: Connection, user: User) -> None:
        """Count a connection as a user's.

        Raises:
            TooManyRequests: The user has as many as one may have.
        """
        if self._of_users[user.name] >= self._limits.user_connections and MASTERS not in user.groups:
            CONNECTIONS_REFUSED.labels("user").inc()
            raise TooManyRequests(
                f'User "{user.name}" has {self._limits.user_connections} connections open here, which is the limit for '
                "one user; close some, or send requests on those",
                retry_after=5,
            )
        self._take_away(connection)
        connection.user = user.name
        self._of_users[user.name] += 1
        _OF_USER.inc()

    def _take_away(self, connection: Connection) -> None:
        counts, name = (self._of_users, connection.user) if connection.user else (self._of_sources, connection.source)
        (_OF_USER if connection.user else _OF_SOURCE).dec()
        counts[name] -= 1
        if not counts[name]:
            del counts[name]


def extension(connection: Connection) -> dict[str, Any]:
    """The ASGI extension by which requests know their connection."""
    return {CONNECTION: connection}
