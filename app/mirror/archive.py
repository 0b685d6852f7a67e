"""Changes that are older than the history, read from the log in the database."""

from collections.abc import Awaitable, Callable, Sequence

from app.mirror.entry import Change, change_of
from app.mirror.history import expired
from app.store.reader import Reader

_CHANGES_AT_ONCE = 500
"""Changes read at a time, so that a reader of old changes holds few of them in memory."""


class Archive:
    """Reads old changes, and notices if compaction has deleted some of them."""

    def __init__(self, reader: Reader, compacted: Callable[[], Awaitable[int]]) -> None:
        """Prepare.

        Args:
            reader: Reads the log.
            compacted: Answers up to which revision the log has been compacted, as of a moment after the call.
        """
        self._reader = reader
        self._compacted = compacted

    async def page(self, kind: str, namespace: str | None, after: int, until: int) -> tuple[Sequence[Change], int]:
        """Read the first changes between two revisions; also answers up to which revision they are complete.

        Raises:
            Expired: Some of them have been compacted away.
            ServiceUnavailable: The database cannot be reached.
        """
        rows = await self._reader.changes_between(kind, namespace, after, until, _CHANGES_AT_ONCE)
        # Asked after reading: changes that were compacted before they could be read are noticed.
        compacted = await self._compacted()
        if compacted > after:
            raise expired(after, compacted)
        return [change_of(row) for row in rows], rows[-1].revision if len(rows) == _CHANGES_AT_ONCE else until

    async def whole(self, kind: str, after: int, until: int, limit: int) -> Sequence[Change]:
        """Read all changes of a kind between two revisions.

        Raises:
            Expired: Some of them have been compacted away, or there are more than `limit`.
            ServiceUnavailable: The database cannot be reached.
        """
        changes: list[Change] = []
        reached = after
        while reached < until:
            page, reached = await self.page(kind, None, reached, until)
            changes += page
            if len(changes) > limit:
                raise expired(after, reached)
        return changes
