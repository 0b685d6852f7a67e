"""Which versions of Fairlead work side by side on one database, while it is upgraded.

Schemas are numbered. Each process knows the newest schema of its version, and names it in its listening session. A
migration declares the oldest schema whose processes may go on after it, and the database keeps that number. So an older
process works beside newer ones until a migration ends its time, and that migration waits for it to be replaced.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app import __version__

HEAD = "0005"
"""The newest migration. They are numbered in their order, so that a greater number is a newer version's."""

OLDEST = "oldest-schema"
"""The row of `settings` with the oldest schema whose processes may work on the database."""

_LISTENER = "fairlead-listen"

LISTENER_NAME = f"{_LISTENER} {HEAD} {__version__}"
"""Name in `pg_stat_activity` of the one session that every process has as long as it runs."""

AT_WORK = f"""
    SELECT application_name FROM pg_stat_activity
    WHERE datname = current_database() AND starts_with(application_name, '{_LISTENER}')
"""
"""The listening sessions of the database. Every role sees their names."""


@dataclass(frozen=True, order=True, slots=True)
class Peers:
    """Processes of one version that work on a database.

    Attributes:
        schema: The newest schema that they know; "" if they do not say, as versions before this was told.
        version: Of Fairlead.
        count: How many they are.
    """

    schema: str
    version: str
    count: int

    def __str__(self) -> str:
        known = f"{self.version} (schema {self.schema})" if self.schema else "a version that does not tell its schema"
        return f"{self.count} {'process' if self.count == 1 else 'processes'} of {known}"


def peers(names: Sequence[str]) -> list[Peers]:
    """The processes whose listening sessions have these names, the oldest version first."""
    counted = Counter(_read(name) for name in names)
    return sorted(Peers(schema, version, count) for (schema, version), count in counted.items())


def _read(name: str) -> tuple[str, str]:
    _, schema, version, *_ = [*name.split(" "), "", ""]
    return schema, version


def may_work(found: str, oldest: str | None, known: str = HEAD) -> bool:
    """Whether processes that know the schema `known` work on a database.

    Args:
        found: The database's schema.
        oldest: The oldest schema whose processes may work on it, None if the database does not say.
        known: The newest schema that the processes know.
    """
    return found == known or (found > known and oldest is not None and oldest <= known)


async def at_work(session: Any) -> list[Peers]:
    """The processes that work on the database of a session, the oldest version first."""
    return peers([row[0] for row in await session.fetch(AT_WORK)])
