"""Things that happen once on a database and never again, such as making the first pools."""

from app.store.database import Database

_IS_REACHED = "SELECT EXISTS (SELECT FROM settings WHERE name = $1)"
_REACH = "INSERT INTO settings (name, value) VALUES ($1, 'done') ON CONFLICT (name) DO NOTHING RETURNING name"


class Milestones:
    """Every method raises ServiceUnavailable when the database cannot be reached."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_reached(self, name: str) -> bool:
        """Whether something has happened."""
        return bool((await self._database.fetch(_IS_REACHED, name))[0][0])

    async def reach(self, name: str) -> None:
        """Note that something has happened. Repeated calls change nothing."""
        await self._database.fetch(_REACH, name)
