"""A reader whose answers a test can keep back."""

import asyncio

from app.store.reader import Reader


class SlowReader(Reader):
    """Reads as ever, counts the tails, and keeps their answers back while it is held."""

    def __init__(self, database):
        super().__init__(database)
        self.tails = 0
        self.answered = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()

    def hold(self):
        self.answered.clear()
        self._open.clear()

    def release(self):
        self._open.set()

    async def tail(self, after, limit):
        self.tails += 1
        tail = await super().tail(after, limit)
        self.answered.set()
        await self._open.wait()
        return tail


class Silence:
    """No hints at all: only the poll, and those who ask."""

    def subscribe(self, channel, callback):
        pass

    def unsubscribe(self, channel, callback):
        pass
