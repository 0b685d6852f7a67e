"""Long work in small steps, between which the event loop does other work."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from time import monotonic
from typing import TypeVar

_Item = TypeVar("_Item")

_STEP = 50
"""Objects that are looked at before somebody looks at the clock."""
_TURN_SECONDS = 0.002
"""Time after which others have their turn. It is time and not a number of objects, as these may be looked at or
decoded: whoever gave way more often than this would do little else while the process is busy."""


async def in_turns(items: Sequence[_Item], step: int = _STEP) -> AsyncIterator[Sequence[_Item]]:
    """The items, some at once. The event loop has a turn whenever the work on them has taken some milliseconds."""
    pieces = (items[start : start + step] for start in range(0, len(items), step))
    async for piece in giving_way(pieces):
        yield piece


async def giving_way(work: Iterable[_Item]) -> AsyncIterator[_Item]:
    """Each piece of work that an iterable does; the event loop has a turn whenever it took some milliseconds."""
    began = monotonic()
    for piece in work:
        yield piece
        if monotonic() - began > _TURN_SECONDS:
            await asyncio.sleep(0)
            began = monotonic()
