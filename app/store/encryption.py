"""Checks that everything stored can be read with the keys of this process, and encrypts it with the first key."""

from app.domain.declarations.catalog import ALL
from app.domain.kinds.bulk_apply import BULK_APPLY_KEY
from app.store.database import Database
from app.store.schema import UnsuitableDatabaseError
from app.store.sealing import Keyring
from app.store.signing_keys import SIGNING_KEYS

_KINDS = [kind.key for kind in ALL if kind.confidential]
_SEALED_KINDS = [*_KINDS, BULK_APPLY_KEY]
"""Keys of the kinds whose bodies may be sealed: a BulkApply holds some for a moment."""

_AT_ONCE = 10
"""Objects rewritten in one transaction; each may have more than a mebibyte, and writers wait meanwhile."""

_LOGGED_AT_ONCE = 5_000
"""Changes looked through by one statement."""

_MARKS = """
    SELECT DISTINCT encode(substring(body FROM 2 FOR 8), 'hex') FROM objects
    WHERE kind = ANY ($1::text[]) AND substring(body FROM 1 FOR 1) = '\\x01'
    UNION SELECT encode(substring(private_key FROM 2 FOR 8), 'hex') FROM signing_keys
    WHERE substring(private_key FROM 1 FOR 1) = '\\x01'
"""
_OUTDATED = f"""
    SELECT namespace, kind, name, uid::text, body FROM objects
    WHERE (namespace, kind, name) > ($1::text, $2::text, $3::text) AND kind = ANY ($4::text[])
        AND substring(body FROM 1 FOR 9) <> $5
    ORDER BY namespace, kind, name LIMIT {_AT_ONCE}
"""
# Under the write lock, so that row locks cannot deadlock. A body that was written meanwhile stays as it is.
_REPLACE = """
    WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock(4712303102))
    UPDATE objects o SET body = m.sealed
    FROM locked, unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS m(uid, body, sealed)
    WHERE o.uid = m.uid AND o.body = m.body
"""
_BOUNDARY = f"""
    SELECT max(revision) FROM (
        SELECT revision FROM changes WHERE revision > $1 ORDER BY revision LIMIT {_LOGGED_AT_ONCE}
    ) AS next
"""
_OUTDATED_CHANGES = """
    SELECT revision, kind, uid::text, body, previous_body FROM changes
    WHERE revision > $1 AND revision <= $2 AND kind = ANY ($3::text[])
        AND (substring(body FROM 1 FOR 9) <> $4 OR substring(previous_body FROM 1 FOR 9) <> $4)
    ORDER BY revision
"""
_OUTDATED_SIGNING_KEYS = "SELECT id, private_key FROM signing_keys WHERE substring(private_key FROM 1 FOR 9) <> $1"
_REPLACE_SIGNING_KEY = "UPDATE signing_keys SET private_key = $3 WHERE id = $1 AND private_key = $2"
_REPLACE_CHANGE = "UPDATE changes SET body = $2, previous_body = $3 WHERE revision = $1"


async def needed_keys(database: Database) -> set[str]:
    """The fingerprints of the keys with which objects are encrypted.

    Raises:
        ServiceUnavailable: The database cannot be reached.
    """
    return {row[0] for row in await database.fetch(_MARKS, _SEALED_KINDS)}


async def check_readable(database: Database) -> None:
    """Make sure that this process can read every object.

    Raises:
        UnsuitableDatabaseError: An object is encrypted with a key that this process does not have. The message names
            it.
        ServiceUnavailable: The database cannot be reached.
    """
    if missing := sorted((await needed_keys(database)).difference(database.keyring.fingerprints)):
        known = ", ".join(database.keyring.fingerprints) or "none"
        raise UnsuitableDatabaseError(
            f"Secrets in the database are encrypted with the key {', '.join(missing)}, and --encryption-key-file has "
            f"{known}: add the key that is missing to the file, behind the first one"
        )


async def encrypt_anew(database: Database) -> int:
    """Seal what is not sealed with the first key: objects, log, signing keys. Readers see no difference.

    Returns:
        The number of bodies that were rewritten.

    Raises:
        ServiceUnavailable: The database cannot be reached, or a body cannot be read.
    """
    if not database.keyring.mark:
        return 0
    keyring = database.keyring
    return (
        await _objects(database, keyring) + await _changes(database, keyring) + await _signing_keys(database, keyring)
    )


async def _objects(database: Database, keyring: Keyring) -> int:
    place, count = ("", "", ""), 0
    while rows := await database.fetch(_OUTDATED, *place, _KINDS, keyring.mark):
        uids = [row["uid"] for row in rows]
        sealed = [_sealed_anew(keyring, row["body"], row["kind"], row["uid"]) for row in rows]
        await database.fetch(_REPLACE, uids, [row["body"] for row in rows], sealed)
        place, count = (rows[-1]["namespace"], rows[-1]["kind"], rows[-1]["name"]), count + len(rows)
    return count


async def _changes(database: Database, keyring: Keyring) -> int:
    reached, count = 0, 0
    while (boundary := (await database.fetch(_BOUNDARY, reached))[0][0]) is not None:
        for row in await database.fetch(_OUTDATED_CHANGES, reached, boundary, _KINDS, keyring.mark):
            bodies = [
                None if body is None else _sealed_anew(keyring, body, row["kind"], row["uid"])
                for body in (row["body"], row["previous_body"])
            ]
            await database.fetch(_REPLACE_CHANGE, row["revision"], *bodies)
            count += 1
        reached = boundary
    return count


async def _signing_keys(database: Database, keyring: Keyring) -> int:
    rows = await database.fetch(_OUTDATED_SIGNING_KEYS, keyring.mark)
    for row in rows:
        sealed = _sealed_anew(keyring, row["private_key"], SIGNING_KEYS, row["id"])
        await database.fetch(_REPLACE_SIGNING_KEY, row["id"], row["private_key"], sealed)
    return len(rows)


def _sealed_anew(keyring: Keyring, body: bytes, kind: str, uid: str) -> bytes:
    return keyring.seal(keyring.open(body, kind, uid), kind, uid)
