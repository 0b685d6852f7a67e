"""What is older than the history: read from the log itself."""

from collections.abc import Awaitable, Callable, Sequence

from app.mirror.entry import Change, change_of
from app.mirror.history import expired
from app.store.reader import Reader

_CHANGES_AT_ONCE = 500
"""Changes read at a time, so that no reader of old changes holds many of them."""


class Archive:
    """Reads old changes, and notices when compaction has taken some of them."""

    def __init__(self, reader: Reader, compacted: Callable[[], Awaitable[int]]) -> None:
        """Prepare.

        Args:
            reader: Reads the log.
            compacted: Answers, as of a moment after the call, up to where the log has been compacted.
        """
        self._reader = reader
        self._compacted = compacted

    async def page(self, kind: str, namespace: str | None, after: int, until: int) -> tuple[Sequence[Change], int]:
        """Read the first changes between two revisions; answers how far they are complete, too.

        Raises:
            Expired: Some of them have been compacted away.
            ServiceUnavailable: The database cannot be reached.
        """
        rows = await self._reader.changes_between(kind, namespace, after, until, _CHANGES_AT_ONCE)
        # What had been deleted by then could not be read, and whoever asks afterwards is told of the deletion.
        compacted = await self._compacted()
        if compacted > after:
            raise expired(after, compacted)
        return [change_of(row) for row in rows], rows[-1].revision if len(rows) == _CHANGES_AT_ONCE else until

    async def whole(self, kind: str, after: int, until: int, limit: int) -> Sequence[Change]:
        """Read all changes of a kind between two revisions.

        Raises:
            Expired: Some have been compacted away, or there are more than `limit`.
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
