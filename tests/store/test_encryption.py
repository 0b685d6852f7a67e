"""What is confidential is encrypted wherever Postgres keeps it."""

import asyncio

import pytest

from app.domain.errors import ServiceUnavailable
from app.store.agreement import DisagreementError, agreed
from app.store.encryption import encrypt_anew
from app.store.schema import UnsuitableDatabaseError
from app.store.sealing import Keyring
from app.store.writes import Committed, Write
from tests.store.writing import committed, running, session, shop, uid

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def secret(action, uid_, text="hunter2", name="s", **others):
    content = b'{"apiVersion":"v1","kind":"Secret","metadata":{"name":"%b"},"data":"%b"}' % (
        name.encode(),
        text.encode(),
    )
    return Write(action, "secrets", "shop", name, uid_, content, confidential=True, **others)


async def stored(store, what="secrets"):
    """Every state of a kind's objects as the database has it."""
    async with session(store) as connection:
        rows = await connection.fetch(
            "SELECT kind, body FROM objects UNION ALL SELECT kind, body FROM changes UNION ALL "
            "SELECT kind, previous_body FROM changes WHERE previous_body IS NOT NULL"
        )
    return [row["body"] for row in rows if row["kind"] == what]


async def bodies(store):
    """Every body of a Secret as it is read, whichever way."""
    found = [change.body for change in (await store.reader.tail(0, 1000)).changes if change.kind == "secrets"]
    changes = await store.reader.changes_between("secrets", None, 0, 2**60, 1000)
    found += [body for change in changes for body in (change.body, change.previous_body) if body is not None]
    async with store.reader.snapshot() as snapshot:
        async for page in snapshot.pages():
            found += [row.body for row in page if row.kind == "secrets"]
    return found + [row.body for row in await store.reader.unpublished(10)]


async def test_only_what_is_confidential_is_sealed(database_url):
    async with running(database_url, keyring=Keyring([OLD])) as store:
        await shop(store)
        one = uid()
        await committed(store, secret("create", one, "hunter2"))
        await committed(store, secret("update", one, "hunter3"))
        await committed(store, secret("create", uid(), "hunter4", "unpublished", published=False))
        kept = await stored(store)
        assert len(kept) == 5
        assert not any(b"hunter" in body or b"Secret" in body for body in kept)
        assert all(body.startswith(b"{") for body in await stored(store, "namespaces"))
        read = await bodies(store)
        assert len(read) == 7
        assert all(b"hunter" in body for body in read)
        await committed(store, secret("delete", one, "hunter3"))
        assert not any(b"hunter" in body for body in await stored(store))


async def test_what_was_stored_in_clear_is_encrypted_and_nobody_sees_a_difference(database_url):
    async with running(database_url) as store:
        await shop(store)
        uids = [uid() for _ in range(25)]
        for number, each in enumerate(uids):
            await committed(store, secret("create", each, name=f"s{number:02}"))
        revision = await committed(store, secret("update", uids[0], name="s00"))
        before = await bodies(store)
        assert any(b"hunter2" in body for body in await stored(store))
        assert await encrypt_anew(store.database) == 0
    async with running(database_url, keyring=Keyring([OLD])) as store:
        assert await encrypt_anew(store.database) == 25 + 26
        assert not any(b"hunter2" in body for body in await stored(store))
        assert sorted(await bodies(store)) == sorted(before)
        assert (await store.reader.tail(0, 1)).newest == revision
        assert await encrypt_anew(store.database) == 0


async def test_keys_rotate(database_url):
    async with running(database_url, keyring=Keyring([OLD])) as store:
        await shop(store)
        await committed(store, secret("create", uid()))
    both = Keyring([NEW, OLD])
    async with running(database_url, keyring=both) as store:
        await committed(store, secret("create", uid(), name="later"))
        with pytest.raises(
            UnsuitableDatabaseError, match=f"the key {both.fingerprints[1]}.* has {both.fingerprints[0]}"
        ):
            await only(database_url, NEW)
        assert await encrypt_anew(store.database) == 2
        assert all(body.startswith(both.mark) for body in await stored(store))
    await only(database_url, NEW)
    with pytest.raises(UnsuitableDatabaseError, match=f"encrypted with the key {both.fingerprints[0]}"):
        await only(database_url, OLD)
    with pytest.raises(UnsuitableDatabaseError, match="has none"):
        await only(database_url)


async def only(url, *keys):
    """Read everything with some keys."""
    async with running(url, keyring=Keyring(keys)) as store:
        assert all(b"hunter2" in body for body in await bodies(store))


async def test_what_is_written_meanwhile_is_not_replaced(database_url):
    async with running(database_url) as store:
        await shop(store)
        uids = [uid() for _ in range(60)]
        for number, each in enumerate(uids):
            await committed(store, secret("create", each, name=f"s{number:02}"))
    async with running(database_url, keyring=Keyring([NEW])) as store:

        async def change(number):
            return await store.writer.write(secret("update", uids[number], "hunter9", f"s{number:02}"))

        outcomes, _ = await asyncio.gather(
            asyncio.gather(*map(change, range(60))), encrypt_anew(store.database), return_exceptions=False
        )
        assert all(isinstance(outcome, Committed) for outcome in outcomes)
        async with store.reader.snapshot() as snapshot:
            newest = [row.body async for page in snapshot.pages() for row in page if row.kind == "secrets"]
        assert len(newest) == 60
        assert all(b"hunter9" in body for body in newest)


async def test_what_cannot_be_read_is_told_of_whatever_reads_it(database_url):
    async with (
        running(database_url, keyring=Keyring([NEW])) as store,
        running(database_url, keyring=Keyring([OLD])) as stranger,
    ):
        await shop(stranger)
        await committed(stranger, secret("create", uid()))
        for reading in (
            store.reader.tail(0, 10),
            store.reader.changes_between("secrets", None, 0, 2**60, 10),
            encrypt_anew(store.database),
        ):
            with pytest.raises(ServiceUnavailable, match="which --encryption-key-file lacks"):
                await reading


async def test_processes_have_keys_that_fit(database_url):
    old, both, turned, new = (Keyring(keys) for keys in ([OLD], [OLD, NEW], [NEW, OLD], [NEW]))

    async def join(keyring):
        async with running(database_url, keyring=keyring) as store, agreed(store.database, "other", {}):
            return True

    async with running(database_url, keyring=old) as store, agreed(store.database, "first", {}):
        for stranger in (new, turned, Keyring()):
            with pytest.raises(DisagreementError, match=f"--encryption-key-file is {stranger} here and {old} there"):
                await join(stranger)
        # One after the other, each process is started again with the next step's file.
        for step in (both, turned, both, turned, new):
            assert await join(step)
