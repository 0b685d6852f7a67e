"""The keys that sign tokens of ServiceAccounts, shared by all processes of a database."""

import asyncio
import secrets
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from app.cluster.signing_keys import SigningKeys, rotate
from app.controllers.signing_keys import SigningKeyRotation
from app.credentials.json_web_tokens import WrongTokenError, unverified
from app.credentials.token_signing import SigningKey
from app.store.encryption import encrypt_anew
from app.store.schema import UnsuitableDatabaseError
from app.store.sealing import Keyring
from app.store.signing_keys import SigningKeyStore
from app.store.store import Store

DAY = timedelta(days=1)
NEVER = timedelta(0)


@asynccontextmanager
async def running(url, *keys):
    store = Store(url, keyring=Keyring(keys))
    try:
        await store.start()
        yield store
    finally:
        await store.close()


async def age(store, key_id, by):
    """Let a key have been made earlier."""
    await store.database.fetch(
        "UPDATE signing_keys SET created_at = created_at - $2::interval WHERE id = $1 RETURNING id", key_id, by
    )


async def verifies(keys, token):
    try:
        return bool(await keys.verified(token, unverified(token).key_id))
    except WrongTokenError:
        return False


def in_an_hour():
    return datetime.now(UTC) + timedelta(hours=1)


async def test_processes_that_start_at_once_make_one_key_and_accept_each_others_tokens(store):
    table = SigningKeyStore(store.database)
    processes = [SigningKeys(table) for _ in range(4)]
    await asyncio.gather(*(each.start() for each in processes))
    assert len(await table.all()) == 1
    token = await processes[0].sign({"iss": "i"}, in_an_hour())
    assert [await verifies(each, token) for each in processes] == [True] * 4


async def test_a_new_key_is_published_before_it_signs_and_the_old_one_stays_while_its_tokens_live(store):
    table = SigningKeyStore(store.database)
    keys = SigningKeys(table)
    await keys.start()
    (old,) = await table.all()
    token = await keys.sign({"iss": "i"}, in_an_hour())
    rotation = SigningKeyRotation(table, 90 * DAY)
    await rotation.reconcile((), None)
    assert len(await table.all()) == 1
    await age(store, old.id, 91 * DAY)
    await rotation.reconcile((), None)
    new, _ = await table.all()
    assert (new.may_sign, len(await table.all())) == (False, 2)
    fresh = SigningKeys(table)
    await fresh.start()
    assert unverified(await fresh.sign({"iss": "i"}, in_an_hour())).key_id == old.id
    await age(store, new.id, timedelta(hours=2))
    await fresh._look()
    assert unverified(await fresh.sign({"iss": "i"}, in_an_hour())).key_id == new.id
    await rotation.reconcile((), None)
    assert await verifies(fresh, token)
    await store.database.fetch("UPDATE signing_keys SET last_expiry = now() - interval '1 day' RETURNING id")
    await rotation.reconcile((), None)
    assert [each.id for each in await table.all()] == [new.id]


async def test_a_process_learns_of_a_key_that_another_made_and_forgets_a_revoked_one(store):
    table = SigningKeyStore(store.database)
    clock = [100.0]
    one, other = SigningKeys(table, lambda: clock[0]), SigningKeys(table)
    await one.start()
    old = await one.sign({"iss": "i"}, in_an_hour())
    made = await rotate(table, NEVER)
    await table.revoke_others(made)
    await other.start()
    new = await other.sign({"iss": "i"}, in_an_hour())
    assert await verifies(one, new)
    assert not await verifies(one, old)
    # Anybody can name any key, so naming one does not have the database asked each time.
    latest = await rotate(table, NEVER)
    signed = next(SigningKey(each.private_key) for each in await table.all() if each.id == latest).sign({"iss": "i"})
    assert not await verifies(one, signed)
    clock[0] += 5
    assert await verifies(one, signed)


async def test_a_process_whose_key_was_revoked_signs_with_the_next(store):
    table = SigningKeyStore(store.database)
    keys = SigningKeys(table)
    await keys.start()
    made = await rotate(table, NEVER)
    await table.revoke_others(made)
    assert unverified(await keys.sign({"iss": "i"}, in_an_hour())).key_id == made


async def test_the_last_expiry_is_noted_before_a_token_is_given(store):
    table = SigningKeyStore(store.database)
    keys = SigningKeys(table)
    await keys.start()
    await keys.sign({"iss": "i"}, datetime.now(UTC) + 365 * DAY)
    (noted,) = await table.all()
    assert noted.last_expiry > datetime.now(UTC) + 364 * DAY
    await keys.sign({"iss": "i"})
    (noted,) = await table.all()
    assert noted.last_expiry.year == 9000


async def test_keys_are_sealed_and_sealed_anew(database_url):
    first, second = secrets.token_bytes(32), secrets.token_bytes(32)
    async with running(database_url, first) as store:
        keys = SigningKeys(SigningKeyStore(store.database))
        await keys.start()
        ((body,),) = await store.database.fetch("SELECT private_key FROM signing_keys")
        assert b"PRIVATE" not in body
        token = await keys.sign({"iss": "i"}, in_an_hour())
    with pytest.raises(UnsuitableDatabaseError, match="encryption-key-file"):
        async with running(database_url, second):
            pass
    async with running(database_url, second, first) as store:
        assert await encrypt_anew(store.database) == 1
    async with running(database_url, second) as store:
        keys = SigningKeys(SigningKeyStore(store.database))
        await keys.start()
        assert await verifies(keys, token)
