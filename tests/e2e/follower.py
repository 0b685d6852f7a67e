"""Somebody who watches through every interruption, and resumes where he was."""

import asyncio

from tests.e2e.client import RefusedError, watching
from tests.e2e.subject import mark_of

PAUSE = 0.1
DAY = 86400
"""Seconds that the watch asks for: by itself the server ends one after an hour, and long tests take longer."""
UNAVAILABLE = 503


class Follower:
    """Watches the Services of a namespace.

    Attributes:
        events: Type and mark of each change, by revision, in the order in which they came.
        interruptions: How often the watch ended, however it did.
    """

    def __init__(self, url, namespace):
        self._url = url
        self._path = f"/api/v1/namespaces/{namespace}/services?watch=true&allowWatchBookmarks=true&timeoutSeconds={DAY}"
        self._revision = 1
        self.events = {}
        self.interruptions = 0

    async def run(self):
        """Follow until cancelled."""
        while True:
            try:
                async with watching(self._url(), f"{self._path}&resourceVersion={self._revision}") as events:
                    async for event in events:
                        self._note(event)
            except (OSError, EOFError, RefusedError):
                await asyncio.sleep(PAUSE)
            self.interruptions += 1

    def _note(self, event):
        if event["type"] == "ERROR":
            # What is older than a process' memory is read from the database, which may be away for a moment.
            assert event["object"]["code"] == UNAVAILABLE, event["object"]
            raise RefusedError(event["object"]["message"])
        revision = int(event["object"]["metadata"]["resourceVersion"])
        if event["type"] != "BOOKMARK":
            assert revision > self._revision, f"{revision} came after {self._revision}"
            self.events[revision] = (event["type"], mark_of(event["object"]))
        self._revision = revision
