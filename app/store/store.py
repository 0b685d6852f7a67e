"""The store as a whole. A process makes one, and its parts are handed to those who need them."""

import structlog

from app.store.database import Database
from app.store.encryption import check_readable
from app.store.leases import Leases
from app.store.notifications import Notifications
from app.store.reader import Reader
from app.store.restoring import bump_if_restored
from app.store.schema import check
from app.store.sealing import NO_KEYS, Keyring
from app.store.writer import Writer

_log = structlog.stdlib.get_logger(__name__)


class Store:
    """All parts of the store over one database.

    Attributes:
        database: The sessions.
        writer: The one write path.
        reader: The one read path.
        leases: Which process works on which concern.
        notifications: Hints that something has changed.

    Args:
        database_url: libpq's connection URL.
        deadline: Seconds that a write may wait for its batch; the batch may take as many again.
        queue_limit: The most writes that may wait to be stored.
        keyring: The keys with which secrets are encrypted.
        ceiling: The most objects that a namespace may have, as far as clients create them; None if there is no limit.
    """

    def __init__(
        self,
        database_url: str,
        *,
        deadline: float = 3.0,
        queue_limit: int = 4096,
        keyring: Keyring = NO_KEYS,
        ceiling: int | None = None,
    ) -> None:
        self.database = Database(database_url, keyring=keyring)
        self.writer = Writer(self.database, deadline=deadline, queue_limit=queue_limit, ceiling=ceiling)
        self.reader = Reader(self.database)
        self.leases = Leases(self.database)
        self.notifications = Notifications(self.database)

    async def start(self) -> None:
        """Check the database, and begin.

        Raises:
            UnsuitableDatabaseError: The version of Postgres, the schema or the keys do not fit. The message says which.
            ServiceUnavailable: The database cannot be reached.
        """
        await check(self.database)
        await check_readable(self.database)
        restored = await bump_if_restored(self.database)
        if restored is not None:
            _log.warning("the database was restored from a backup: all clients list again", revision=restored)
        await self.writer.start()
        await self.notifications.start()

    async def close(self) -> None:
        """Store the writes that wait, and close all sessions."""
        await self.notifications.close()
        await self.writer.close()
        await self.reader.close()
        await self.database.close()
