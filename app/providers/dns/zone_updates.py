"""What a driver of a zone that another server has can do, and a fake that does it in memory."""

from collections.abc import Mapping
from typing import Protocol

from app.domain.wanted.pushed_names import PushedName
from app.providers.dns.servers import ServerError


class NameConflictError(Exception):
    """A name at the server is somebody else's, or was changed by somebody else."""


class ZoneUpdates(Protocol):
    """A zone of another server, with the names in it that are ours."""

    async def read(self) -> dict[str, PushedName]:
        """The names that are ours, as the server has them.

        Raises:
            ServerError: The zone cannot be read.
        """

    async def put(self, name: str, before: PushedName | None, after: PushedName | None) -> None:
        """Change what one name has, all at once or not at all.

        Args:
            name: Without the dot at the end.
            before: What the server has of ours there; None for nothing.
            after: What it is to have; None for nothing.

        Raises:
            NameConflictError: The name is not ours.
            ServerError: The server cannot be reached, or refuses. It may have made the change.
        """

    async def serial(self) -> int:
        """The serial of the zone.

        Raises:
            ServerError: It cannot be read.
        """


class FakeZoneUpdates:
    """A zone in memory.

    Attributes:
        names: What is ours.
        foreign: Names of somebody else.
        failure: Raised by every call while it is not None.
        puts: How many changes were made.
    """

    def __init__(self) -> None:
        self.names: dict[str, PushedName] = {}
        self.foreign: set[str] = set()
        self.failure: ServerError | None = None
        self.puts = 0

    async def read(self) -> dict[str, PushedName]:
        """See `ZoneUpdates`."""
        self._fail()
        return dict(self.names)

    async def put(self, name: str, before: PushedName | None, after: PushedName | None) -> None:
        """See `ZoneUpdates`."""
        self._fail()
        if name in self.foreign or self.names.get(name) != before:
            raise NameConflictError(f"{name} is somebody else's")
        self.puts += 1
        if after is None:
            del self.names[name]
        else:
            self.names[name] = after

    async def serial(self) -> int:
        """See `ZoneUpdates`."""
        self._fail()
        return self.puts

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


def is_same(names: Mapping[str, PushedName], others: Mapping[str, PushedName]) -> bool:
    """Whether two zones have the same of ours."""
    return dict(names) == dict(others)
