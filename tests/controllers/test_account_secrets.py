"""Secrets for tokens of ServiceAccounts are filled, and go with their account."""

from datetime import timedelta

import pytest

from app.cluster.signing_keys import SigningKeys, rotate
from app.controllers import account_secrets
from app.controllers.account_secrets import AccountSecrets
from app.credentials.json_web_tokens import unverified
from app.domain.declarations.secret import SECRET
from app.domain.declarations.service_account import SERVICE_ACCOUNT
from app.domain.rules.service_account_tokens import read_claims
from app.store.signing_keys import SigningKeyStore

nothing = timedelta(0)
pytestmark = pytest.mark.usefixtures("filling")

NAME, UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"


@pytest.fixture
def store(world):
    return SigningKeyStore(world.parts.database)


@pytest.fixture
async def filling(world, store, monkeypatch):
    monkeypatch.setattr(AccountSecrets, "resync", 0.05)
    monkeypatch.setattr(account_secrets, "_PATIENCE", nothing)
    parts = world.parts
    controller = AccountSecrets(parts.writer, parts.mirror, parts.cluster, SigningKeys(store), lambda: "PEM")
    async with world.reconciling(controller):
        yield


def secret(account="app", **data):
    annotations = {NAME: account}
    metadata = {"name": "token", "annotations": annotations}
    return {"metadata": metadata, "type": "kubernetes.io/service-account-token", "stringData": data}


async def whose(store, held):
    keys = SigningKeys(store)
    await keys.start()
    token = held.data["token"].decode()
    return read_claims(await keys.verified(token, unverified(token).key_id)).binding


async def account(world):
    await world.create(SERVICE_ACCOUNT, {"metadata": {"name": "app"}})
    return await world.becomes(SERVICE_ACCOUNT, "app", bool)


async def test_a_secret_is_filled_and_what_else_it_holds_stays(world, store):
    uid = (await account(world)).metadata.uid
    await world.create(SECRET, secret(mine="kept"))
    found = await world.becomes(SECRET, "token", lambda held: "token" in held.data)
    assert {key: found.data[key] for key in ("namespace", "ca.crt", "mine")} == {
        "namespace": b"default", "ca.crt": b"PEM", "mine": b"kept",
    }  # fmt: skip
    assert found.metadata.annotations[UID] == uid
    bound = await whose(store, found)
    assert (bound.serviceaccount.uid, bound.secret.name) == (uid, "token")


async def test_a_token_of_a_key_that_was_revoked_or_of_somebody_else_is_replaced(world, store):
    await account(world)
    await world.create(SECRET, secret(token="a.b.c"))
    before = await world.becomes(SECRET, "token", lambda held: held.data["token"] != b"a.b.c")
    await store.revoke_others(await rotate(store, nothing))
    after = await world.becomes(SECRET, "token", lambda held: held.data["token"] != before.data["token"])
    assert (await whose(store, after)).serviceaccount.name == "app"


async def test_a_secret_goes_with_its_account(world):
    await account(world)
    await world.create(SECRET, secret())
    await world.becomes(SECRET, "token", lambda held: "token" in (held.data or {}))
    await world.delete(SERVICE_ACCOUNT, "app")
    await world.gone(SECRET, "token")


async def test_a_secret_of_nobody_goes_and_others_are_left_alone(world):
    await world.create(SECRET, {"metadata": {"name": "other", "annotations": {NAME: "none"}}})
    await world.create(SECRET, secret("none"))
    await world.gone(SECRET, "token")
    assert await world.names(SECRET) == {"other"}
