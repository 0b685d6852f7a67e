"""The keys with which tokens of ServiceAccounts are signed, as all processes of a database share them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.store.database import LOST, Database, is_passing, unreachable

SIGNING_KEYS = "signing-keys"
"""As what a key is sealed."""

_PUBLISHED_BEFORE = timedelta(hours=1)
"""A key is published so long before it signs: others may keep the set of public keys that they fetched."""

_LOCK = "SELECT pg_advisory_xact_lock(4712303105)"
# What begins at the same moment must not make two keys: a statement sees what was stored before its lock was granted
# only if the lock is another statement's.
_ADD = """
    INSERT INTO signing_keys (id, private_key) SELECT $1, $2
    WHERE NOT EXISTS (SELECT FROM signing_keys WHERE created_at > now() - $3::interval)
    RETURNING id
"""
_LATEST = "SELECT max(created_at) > now() - $1::interval FROM signing_keys"
_ALL = """
    SELECT id, private_key, last_expiry,
        created_at <= now() - $1::interval OR created_at = min(created_at) OVER () AS may_sign
    FROM signing_keys ORDER BY created_at DESC, id
"""
_USED = """
    UPDATE signing_keys SET last_expiry = greatest(last_expiry, $2::timestamptz) WHERE id = $1 RETURNING last_expiry
"""
# The one that signs now, and those that came after it, stay.
_REMOVE_ENDED = """
    DELETE FROM signing_keys WHERE last_expiry < now() - $2::interval AND created_at < (
        SELECT max(created_at) FROM signing_keys WHERE created_at <= now() - $1::interval
    ) RETURNING id
"""
_REVOKE = "DELETE FROM signing_keys WHERE id <> $1 RETURNING id"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key.

    Attributes:
        id: Tells it from others; not a secret.
        private_key: In PEM.
        last_expiry: When the last token that it signed ends, at the latest.
        may_sign: Whether others have had the time to learn of it.
    """

    id: str
    private_key: bytes
    last_expiry: datetime
    may_sign: bool


class SigningKeyStore:
    """Every method raises ServiceUnavailable when the database cannot be reached."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[StoredKey]:
        """All keys, the newest first.

        Raises:
            UnreadableError: One was sealed with an encryption key that is not there.
        """
        rows = await self._database.fetch(_ALL, _PUBLISHED_BEFORE)
        open_ = self._database.keyring.open
        return [
            StoredKey(
                row["id"], open_(row["private_key"], SIGNING_KEYS, row["id"]), row["last_expiry"], row["may_sign"]
            )
            for row in rows
        ]

    async def is_recent(self, age: timedelta) -> bool:
        """Whether the newest key is younger than `age`; False where there is none."""
        return bool((await self._database.fetch(_LATEST, age))[0][0])

    async def add(self, key_id: str, private_key: bytes, unless_younger: timedelta) -> bool:
        """Store a new key, unless there is one already that is younger than so much; tells whether it was stored."""
        sealed = self._database.keyring.seal(private_key, SIGNING_KEYS, key_id)
        try:
            async with self._database.session() as session, session.transaction():
                await session.execute(_LOCK)
                return bool(await session.fetch(_ADD, key_id, sealed, unless_younger))
        except LOST as error:
            if not is_passing(error):
                raise
            raise unreachable(error) from error

    async def used(self, key_id: str, until: datetime) -> datetime | None:
        """Note that a key signs a token that ends then; answers its last expiry, None if the key is gone."""
        rows = await self._database.fetch(_USED, key_id, until)
        return rows[0][0] if rows else None

    async def remove_ended(self, leeway: timedelta) -> list[str]:
        """Remove keys that sign no more, and of which no token is valid since so long; answers which."""
        return [row["id"] for row in await self._database.fetch(_REMOVE_ENDED, _PUBLISHED_BEFORE, leeway)]

    async def revoke_others(self, key_id: str) -> list[str]:
        """Remove all keys but one, and end their tokens with them; answers which."""
        return [row["id"] for row in await self._database.fetch(_REVOKE, key_id)]
