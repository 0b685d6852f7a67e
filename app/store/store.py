"""The store as a whole: what the composition root builds and everybody else gets a part of."""

from app.store.database import Database
from app.store.encryption import check_readable
from app.store.leases import Leases
from app.store.notifications import Notifications
from app.store.reader import Reader
from app.store.schema import check
from app.store.sealing import NO_KEYS, Keyring
from app.store.writer import Writer


class Store:
    """All parts of the store over one database.

    Attributes:
        database: Sessions, for compaction.
        writer: The one write path.
        reader: What is committed.
        leases: Who works on what.
        notifications: Hints that something happened.

    Args:
        database_url: libpq's connection URL.
        deadline: Seconds a write may wait for its batch, and as many its batch may take.
        queue_limit: Writes that may wait to be stored.
        keyring: With what secrets are encrypted.
    """

    def __init__(
        self, database_url: str, *, deadline: float = 3.0, queue_limit: int = 4096, keyring: Keyring = NO_KEYS
    ) -> None:
        self.database = Database(database_url, keyring=keyring)
        self.writer = Writer(self.database, deadline=deadline, queue_limit=queue_limit)
        self.reader = Reader(self.database)
        self.leases = Leases(self.database)
        self.notifications = Notifications(self.database)

    async def start(self) -> None:
        """Check that the database is one to work with, and begin.

        Raises:
            UnsuitableDatabaseError: Another Postgres, another schema or another key is needed; the message says which.
            ServiceUnavailable: The database cannot be reached.
        """
        await check(self.database)
        await check_readable(self.database)
        await self.writer.start()
        await self.notifications.start()

    async def close(self) -> None:
        """Store what is waiting, and close every session."""
        await self.notifications.close()
        await self.writer.close()
        await self.reader.close()
        await self.database.close()
