"""Tokens of ServiceAccounts: asked for, reviewed, used, and ended with what they are bound to."""

import asyncio
import json
from contextlib import asynccontextmanager
from types import SimpleNamespace

import httpx
import pytest
from joserfc.jwk import RSAKey

from app.api.access.access import Access
from app.api.access.authentication import Authentication
from app.api.access.service_account_tokens import ServiceAccountTokens
from app.cluster.signing_keys import SigningKeys
from app.credentials.json_web_tokens import _decoded, verified
from app.credentials.tokens import Token, TokenUsers
from app.domain.rules.service_account_tokens import Reference, legacy_claims
from app.domain.user import User
from app.main.parts import started
from app.settings.processes import Settings
from app.startup.bootstrap import bootstrap
from app.startup.default_roles import make_default_roles
from app.store.signing_keys import SigningKeyStore
from tests.api.conftest import serving
from tests.conftest import empty

ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ISSUER = "https://issuer.example.com"
ADMIN = {"authorization": "Bearer admin-secret"}


@asynccontextmanager
async def accounts_served(url, issuers=(ISSUER,), longest=0):
    """An API that asks for tokens and issues some."""
    async with started(Settings(database_url=url), asyncio.Event()) as parts:
        registry = parts.registry(0.2, lambda: True)
        await bootstrap(registry)
        await make_default_roles(registry)
        keys = SigningKeys(SigningKeyStore(parts.database))
        await keys.start()
        tokens = ServiceAccountTokens(keys, parts.mirror, issuers, issuers, longest)
        users = TokenUsers([Token("admin-secret", User("admin", "1", ("system:masters",)))])
        access = Access(
            Authentication(users, (tokens,), issuers),
            required=True,
            accounts=tokens,
            key_set_url="https://x/openid/v1/jwks",
        )
        async with (
            serving(registry, access=access) as (base, _),
            httpx.AsyncClient(base_url=base, timeout=60, headers=ADMIN) as api,
        ):
            yield SimpleNamespace(api=api, keys=keys)


@pytest.fixture(scope="module")
async def served(migrated_url):
    await empty(migrated_url)
    async with accounts_served(migrated_url) as served:
        yield served
        await empty(migrated_url)


@pytest.fixture
async def api(served):
    for path in (ACCOUNTS, "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/secrets", "/api/v1/nodes"):
        for item in (await served.api.get(path)).json()["items"]:
            await served.api.delete(f"{path}/{item['metadata']['name']}", params={"gracePeriodSeconds": "0"})
    await made(served.api, ACCOUNTS, {"metadata": {"name": "app"}})
    return served.api


async def made(api, path, body):
    answer = await api.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def asked(api, spec=None, name="app", **params):
    return await api.post(f"{ACCOUNTS}/{name}/token", json={"spec": spec or {}}, params=params)


async def token_of(api, spec=None):
    answer = await asked(api, spec)
    assert answer.status_code == 201, answer.text
    return answer.json()["status"]["token"]


async def reviewed(api, token, audiences=None):
    answer = await api.post(REVIEWS, json={"spec": {"token": token, "audiences": audiences}})
    assert answer.status_code == 201, answer.text
    return answer.json()["status"]


async def who(api, token):
    answer = await api.post(WHO, json={}, headers={"authorization": f"Bearer {token}"})
    return answer.json()["status"]["userInfo"] if answer.status_code == 201 else answer.status_code


async def ended(api, token):
    """Wait until a token is nobody's: what is deleted is known a moment after the answer."""
    async with asyncio.timeout(60):
        while await who(api, token) != 401:
            await asyncio.sleep(0.01)


def claims(token):
    return json.loads(_decoded(token.split(".")[1]))


def pod(account="app", **spec):
    spec |= {"serviceAccountName": account, "containers": [{"name": "c", "image": "i"}]}
    return {"metadata": {"name": "web"}, "spec": spec}


async def test_a_token_is_issued_and_says_whose_it_is(api):
    uid = (await api.get(f"{ACCOUNTS}/app")).json()["metadata"]["uid"]
    answer = (await asked(api, {"expirationSeconds": 600})).json()
    assert answer["kind"], answer["apiVersion"] == ("TokenRequest", "authentication.k8s.io/v1")
    assert answer["metadata"]["name"], answer["metadata"]["namespace"] == ("app", "default")
    assert answer["spec"] == {"audiences": [ISSUER], "expirationSeconds": 600}
    said = claims(answer["status"]["token"])
    assert said["exp"] - said["iat"] == 600
    assert said | {"exp": 0, "iat": 0, "nbf": 0, "jti": ""} == {
        "iss": ISSUER, "aud": [ISSUER], "sub": "system:serviceaccount:default:app", "exp": 0, "iat": 0, "nbf": 0,
        "jti": "", "kubernetes.io": {"namespace": "default", "serviceaccount": {"name": "app", "uid": uid}},
    }  # fmt: skip
    user = await who(api, answer["status"]["token"])
    assert user == {
        "username": "system:serviceaccount:default:app",
        "uid": uid,
        "groups": ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
        "extra": {"authentication.kubernetes.io/credential-id": [f"JTI={said['jti']}"]},
    }


@pytest.mark.parametrize(
    ("spec", "code", "reason"),
    [
        ({"expirationSeconds": 599}, 422, "Invalid"),
        ({"expirationSeconds": 2**32 + 1}, 422, "Invalid"),
        ({"expirationSeconds": 2**63}, 400, "BadRequest"),
        ({"audiences": "a"}, 400, "BadRequest"),
        ({"boundObjectRef": {"kind": "ConfigMap", "apiVersion": "v1", "name": "x"}}, 400, "BadRequest"),
        ({"boundObjectRef": {"kind": "Secret", "apiVersion": "v1", "name": "none"}}, 404, "NotFound"),
        ({"boundObjectRef": {"kind": "Node", "apiVersion": "v1", "name": "none"}}, 404, "NotFound"),
        ({"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": ""}}, 404, "NotFound"),
    ],
)
async def test_what_cannot_be_asked_for(api, spec, code, reason):
    answer = await asked(api, spec)
    assert (answer.status_code, answer.json()["reason"]) == (code, reason)


async def test_a_token_of_nobody_is_not_found_and_of_a_pod_of_another_account_refused(api):
    assert (await asked(api, name="none")).status_code == 404
    await made(api, "/api/v1/namespaces/default/pods", pod("other"))
    answer = await asked(api, {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "web"}})
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")


async def test_the_bound_object_has_to_be_the_one_that_is_meant(api):
    await made(api, "/api/v1/namespaces/default/secrets", {"metadata": {"name": "s"}})
    answer = await asked(api, {"boundObjectRef": {"kind": "Secret", "apiVersion": "v1", "name": "s", "uid": "other"}})
    assert (answer.status_code, answer.json()["reason"]) == (409, "Conflict")


@pytest.mark.parametrize(
    ("kind", "path", "body"),
    [
        ("Secret", "/api/v1/namespaces/default/secrets", {"metadata": {"name": "web"}}),
        ("Pod", "/api/v1/namespaces/default/pods", pod()),
        ("Node", "/api/v1/nodes", {"metadata": {"name": "web"}}),
    ],
)
async def test_a_token_ends_with_what_it_is_bound_to(api, kind, path, body):
    found = (await made(api, path, body))["metadata"]
    token = await token_of(api, {"boundObjectRef": {"kind": kind, "apiVersion": "v1", "name": "web"}})
    assert claims(token)["kubernetes.io"][kind.lower()] == {"name": "web", "uid": found["uid"]}
    assert (await reviewed(api, token))["authenticated"]
    await api.delete(f"{path}/web", params={"gracePeriodSeconds": "0"})
    assert (await api.get(f"{path}/web")).status_code == 404
    await ended(api, token)
    await made(api, path, body)
    await ended(api, token)


async def test_a_token_of_a_pod_names_its_node_and_outlives_it(api):
    node = (await made(api, "/api/v1/nodes", {"metadata": {"name": "n1"}}))["metadata"]
    await made(api, "/api/v1/namespaces/default/pods", pod(nodeName="n1"))
    token = await token_of(api, {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "web"}})
    assert claims(token)["kubernetes.io"]["node"] == {"name": "n1", "uid": node["uid"]}
    extra = (await who(api, token))["extra"]
    assert extra["authentication.kubernetes.io/node-name"] == ["n1"]
    assert extra["authentication.kubernetes.io/pod-name"] == ["web"]
    await api.delete("/api/v1/nodes/n1")
    assert (await who(api, token))["username"] == "system:serviceaccount:default:app"


async def test_what_a_kubelet_asks_for_lives_for_a_year(api):
    await made(api, "/api/v1/namespaces/default/pods", pod())
    spec = {"expirationSeconds": 3607, "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "web"}}
    said = claims(await token_of(api, spec))
    assert said["exp"] - said["iat"] == 365 * 86400
    assert said["kubernetes.io"]["warnafter"] - said["iat"] == 3607


async def test_a_token_ends_with_its_account_and_a_later_one_does_not_revive_it(api):
    token = await token_of(api)
    assert (await reviewed(api, token))["authenticated"]
    await api.delete(f"{ACCOUNTS}/app")
    assert await reviewed(api, token) == {"user": {}, "error": "invalid bearer token"}
    await made(api, ACCOUNTS, {"metadata": {"name": "app"}})
    await ended(api, token)


@pytest.mark.parametrize(
    ("meant_for", "asked_for", "found"),
    [
        (None, None, [ISSUER]),
        (["a", "b"], ["b", "c"], ["b"]),
        (["a"], None, None),
        (None, ["a"], None),
        (["a", ISSUER], None, [ISSUER]),
        ([""], [""], [""]),
    ],
)
async def test_a_token_is_good_for_its_audiences(api, meant_for, asked_for, found):
    token = await token_of(api, {"audiences": meant_for} if meant_for else None)
    status = await reviewed(api, token, asked_for)
    assert (status.get("authenticated", False), status.get("audiences")) == (found is not None, found)
    assert (await who(api, token) != 401) is (meant_for is None or ISSUER in meant_for)


async def test_the_token_file_is_reviewed_too_and_meant_for_the_api(api):
    status = await reviewed(api, "admin-secret")
    assert status["user"]["username"] == "admin"
    assert status["audiences"] == [ISSUER]
    assert "authenticated" not in await reviewed(api, "admin-secret", ["other"])


@pytest.mark.parametrize("token", ["x", "not.a.jwt", "eyJhbGciOiJub25lIn0.e30.", "é", "a" * 100_000])
async def test_a_wrong_token_is_told_the_same_whatever_is_wrong(api, token):
    assert await reviewed(api, token) == {"user": {}, "error": "invalid bearer token"}


@pytest.mark.parametrize("change", [{"spec": {}}, {}, {"spec": {"token": ""}}, {"spec": {"token": 5}}])
async def test_a_review_without_a_token_is_refused(api, change):
    answer = await api.post(REVIEWS, json=change)
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")


async def test_a_token_in_a_secret_is_good_while_both_are_there(api, served):
    account = (await api.get(f"{ACCOUNTS}/app")).json()["metadata"]
    await made(api, "/api/v1/namespaces/default/secrets", {"metadata": {"name": "s"}})
    token = await served.keys.sign(legacy_claims("default", Reference("app", account["uid"]), "s"))
    assert (await who(api, token))["username"] == "system:serviceaccount:default:app"
    await api.delete("/api/v1/namespaces/default/secrets/s")
    await ended(api, token)


async def test_the_issuer_is_discovered_and_its_keys_check_its_tokens(api):
    configuration = (await api.get("/.well-known/openid-configuration")).json()
    assert (configuration["issuer"], configuration["jwks_uri"]) == (ISSUER, "https://x/openid/v1/jwks")
    answer = await api.get("/openid/v1/jwks")
    assert answer.headers["content-type"] == "application/jwk-set+json"
    (key,) = answer.json()["keys"]
    assert verified(await token_of(api), RSAKey.import_key(key), ["RS256"])["iss"] == ISSUER


async def test_the_subresource_shows_in_discovery(api):
    listed = (await api.get("/api/v1")).json()["resources"]
    (found,) = [each for each in listed if each["name"] == "serviceaccounts/token"]
    assert found["kind"], found["group"] == ("TokenRequest", "authentication.k8s.io")
    assert found["verbs"] == ["create"]
    answer = await api.get(f"{ACCOUNTS}/app/token")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_server_gives_no_longer_tokens_than_it_is_set_up_for_and_says_so(database_url):
    async with accounts_served(database_url, ("https://new", "https://old"), longest=7200) as served:
        await made(served.api, ACCOUNTS, {"metadata": {"name": "app"}})
        answer = await asked(served.api, {"expirationSeconds": 86400})
        assert answer.json()["spec"]["expirationSeconds"] == 7200
        assert "shortened to 7200 seconds" in answer.headers["warning"]
        said = claims(answer.json()["status"]["token"])
        assert (said["exp"] - said["iat"], said["iss"], said["aud"]) == (
            7200,
            "https://new",
            ["https://new", "https://old"],
        )
        # What the issuer of before has issued is accepted on.
        former = await served.keys.sign(said | {"iss": "https://old"})
        assert (await who(served.api, former))["username"] == "system:serviceaccount:default:app"
        foreign = await served.keys.sign(said | {"iss": "https://other"})
        assert await who(served.api, foreign) == 401
        ended = await served.keys.sign(said | {"exp": said["iat"] - 61})
        assert await who(served.api, ended) == 401
