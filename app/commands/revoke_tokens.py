"""`fairlead revoke-tokens`."""

import asyncio
from datetime import timedelta

import structlog

from app.cluster.signing_keys import rotate
from app.domain.errors import FairleadError
from app.settings.revocation import RevocationSettings
from app.store import schema
from app.store.database import Database
from app.store.encryption import check_readable
from app.store.sealing import Keyring
from app.store.signing_keys import SigningKeyStore
from app.supervisor.reached_database import reached_database

_log = structlog.stdlib.get_logger(__name__)


def run(settings: RevocationSettings) -> None:
    """End all tokens of ServiceAccounts, also those in Secrets, which get others.

    Raises:
        FairleadError: The database cannot be used.
        CannotStartError: There is no database in the data directory.
    """
    try:
        keyring = Keyring(settings.keys())
    except ValueError as error:
        raise FairleadError(str(error)) from error
    if settings.database_url is not None:
        revoked = asyncio.run(_revoke(settings.url, keyring))
    else:
        with reached_database(settings.data_dir) as url:
            revoked = asyncio.run(_revoke(url, keyring))
    _log.info("all tokens of ServiceAccounts end within ten seconds", keys=revoked)


async def _revoke(url: str, keyring: Keyring) -> int:
    database = Database(url, keyring=keyring)
    try:
        await schema.check(database)
        await check_readable(database)
        store = SigningKeyStore(database)
        made = await rotate(store, timedelta(0))
        return 0 if made is None else len(await store.revoke_others(made))
    finally:
        await database.close()
