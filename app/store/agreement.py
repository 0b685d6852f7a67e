"""The settings that must be equal in all processes of one database, and the check when a process starts."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from operator import eq
from typing import Any

import structlog

from app.domain.errors import FairleadError, ServiceUnavailable
from app.store.database import LOST, Database, unreachable
from app.store.leases import IS_LIVE, Leases
from app.store.sealing import read_each_other
from app.store.writes import LeaseGuard

_LOCK = "SELECT pg_advisory_xact_lock(4712303103)"
_STORED = "SELECT name, value FROM settings"
_WORKING = f"SELECT EXISTS (SELECT FROM leases WHERE {IS_LIVE})"
_STORE = """
    INSERT INTO settings (name, value) SELECT * FROM unnest($1::text[], $2::text[])
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
_ACQUIRE = "SELECT epoch FROM fairlead_acquire($1, $2, $3)"
_PREFIX = "starting/"
_STARTING_SECONDS = 15.0
"""Seconds until a process that starts holds leases of its own."""

_KEYS = "--encryption-key-file"
"""The one that need not be equal; of the keys only their fingerprints are compared."""

_log = structlog.stdlib.get_logger(__name__)


class DisagreementError(FairleadError):
    """Other processes work on the database with other settings; the message names them."""


@asynccontextmanager
async def agreed(database: Database, holder: str, settings: Mapping[str, str]) -> AsyncIterator[None]:
    """Make sure that this process has the settings of the other processes of the database, and keys that fit theirs.

    If no other process runs, which the leases tell, the settings of this process become those of the database.

    Args:
        database: The database.
        holder: This process.
        settings: Name and value of each setting, as texts.

    Raises:
        DisagreementError: Other processes run with other settings.
        ServiceUnavailable: The database cannot be reached.
    """
    try:
        async with database.session() as session, session.transaction():
            guard = await _agree(session, holder, {**settings, _KEYS: str(database.keyring)})
    except LOST as error:
        raise unreachable(error) from error
    leases = Leases(database)
    await leases.forget(_PREFIX, _STARTING_SECONDS)
    try:
        yield
    finally:
        try:
            await leases.release(guard, holder)
        except ServiceUnavailable as error:
            _log.warning("start left to expire", error=error.message)


async def _agree(session: Any, holder: str, settings: Mapping[str, str]) -> LeaseGuard:
    await session.execute(_LOCK)
    stored = {row["name"]: row["value"] for row in await session.fetch(_STORED)}
    others = {
        name: stored[name]
        for name, value in settings.items()
        if name in stored and not (read_each_other if name == _KEYS else eq)(value, stored[name])
    }
    if others and await session.fetchval(_WORKING):
        differences = "; ".join(f"{name} is {settings[name]} here and {other} there" for name, other in others.items())
        raise DisagreementError(
            f"other processes work on this database with other settings: {differences}. Give all processes the same; "
            f"to change a setting, stop them all first (a killed one counts for {_STARTING_SECONDS:g} seconds more)"
        )
    await session.execute(_STORE, list(settings), list(settings.values()))
    name = _PREFIX + holder
    return LeaseGuard(name, await session.fetchval(_ACQUIRE, name, holder, timedelta(seconds=_STARTING_SECONDS)))
