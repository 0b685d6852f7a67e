"""What a driver of a zone that another server has can do."""

from typing import Protocol

from app.domain.wanted.pushed_names import PushedName


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
