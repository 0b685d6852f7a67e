"""Users of providers of OpenID Connect: let in with a good token, and with no other."""

import time
from contextlib import asynccontextmanager

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey

from app.api.access.access import Access
from app.api.access.authentication import Authentication
from app.api.access.provider_tokens import ProviderTokens
from app.oidc import keys
from app.oidc.configuration import Configuration
from app.oidc.flags import provider_of_flags
from app.oidc.providers import Providers
from tests.api.conftest import serving
from tests.api.providers import own_provider, real_provider, signed_in

WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def accepting(issuer, **flags):
    return provider_of_flags(**(
        {
            "issuer_url": issuer, "client_id": "fairlead", "authority": "", "username_claim": "sub",
            "username_prefix": "corp:", "groups_claim": "groups", "groups_prefix": "corp:", "required_claims": {},
            "algorithms": ["RS256", "ES256"],
        } | flags
    ))  # fmt: skip


class Clock:
    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now


@asynccontextmanager
async def letting_in(registry, *providers):
    """A client of an API that lets in the users of providers; and the providers as the API knows them."""
    clock = Clock()
    known = Providers(Configuration(providers), clock)
    access = Access(Authentication(None, (ProviderTokens(known, ("api",)),), ("api",)), required=True)
    async with serving(registry, access=access) as (url, _), httpx.AsyncClient(base_url=url, timeout=60) as api:
        known.clock = clock
        yield api, known
    await known.close()


async def who(api, token):
    answer = await api.post(WHO, json={}, headers={"authorization": f"Bearer {token}"})
    if answer.status_code != 201:
        assert answer.json()["message"].startswith("Unauthorized: send a token")
        return answer.status_code
    return answer.json()["status"]["userInfo"]


async def test_a_user_signs_in_at_a_real_provider(registry):
    with real_provider(sub="ann", email="ann@example.com", groups=["dev", "ops"]) as issuer:
        async with letting_in(registry, accepting(issuer)) as (api, known):
            token = signed_in(issuer, "ann")
            user = await who(api, token)
            assert user == {"username": "corp:ann", "groups": ["corp:dev", "corp:ops", "system:authenticated"]}
            assert await who(api, signed_in(issuer, "ann", client="another")) == 401
            known.clock.now += 3700
            assert await who(api, token) == 401


async def test_a_token_that_is_not_good_is_refused(registry):
    with own_provider() as provider, own_provider() as stranger:
        async with letting_in(registry, accepting(provider.issuer)) as (api, _):
            assert (await who(api, provider.token(groups=["dev"])))["groups"] == ["corp:dev", "system:authenticated"]
            now = int(time.time())
            wrong = [
                provider.token(exp=now - 61),
                provider.token(exp=None),
                provider.token(nbf=now + 120),
                provider.token(aud="other"),
                provider.token(aud=None),
                provider.token(sub=None),
                provider.token(iss=stranger.issuer),
                stranger.token(),
                stranger.token(iss=provider.issuer),
                provider.token(signer=RSAKey.generate_key(2048)),
                provider.token(header={"alg": "RS512"}),
                provider.token(header={"alg": "ES256"}, signer=ECKey.generate_key("P-256")),
            ]
            head, body, signature = provider.token().split(".")
            wrong += [
                f"eyJhbGciOiJub25lIn0.{body}.",
                f"{head}.{body}.",
                f"{head}.{body}.{signature[:-8]}",
                f"{head}.{body}",
            ]
            assert [await who(api, token) for token in wrong] == [401] * len(wrong)
            # A clock that is a little behind or ahead does not matter.
            assert await who(api, provider.token(exp=now - 30)) != 401
            assert await who(api, provider.token(nbf=now + 30)) != 401


async def test_a_token_ends_while_it_is_remembered(registry):
    with own_provider() as provider:
        async with letting_in(registry, accepting(provider.issuer)) as (api, known):
            token = provider.token()
            assert await who(api, token) != 401
            known.clock.now += 700
            assert await who(api, token) == 401


async def test_a_new_key_is_found_and_one_that_was_withdrawn_is_forgotten(registry, monkeypatch):
    monkeypatch.setattr(keys, "_AGAIN_SECONDS", 0.0)
    with own_provider() as provider:
        async with letting_in(registry, accepting(provider.issuer)) as (api, _):
            old = provider.token()
            assert await who(api, old) != 401
            provider.keys = {"two": RSAKey.generate_key(2048)}
            assert await who(api, provider.token("two")) != 401
            assert await who(api, old) == 401


async def test_anybody_can_name_any_key_and_the_provider_is_asked_no_more_for_it(registry):
    with own_provider() as provider:
        async with letting_in(registry, accepting(provider.issuer)) as (api, _):
            assert await who(api, provider.token()) != 401
            asked = len(provider.asked)
            for number in range(20):
                assert await who(api, provider.token(header={"kid": f"no-{number}"})) == 401
            assert len(provider.asked) == asked


async def test_a_provider_that_is_down_is_asked_again_and_what_it_said_stays_good(registry, monkeypatch):
    monkeypatch.setattr(keys, "_AGAIN_SECONDS", 0.0)
    with own_provider() as provider:
        token = provider.token()
        async with letting_in(registry, accepting(provider.issuer)) as (api, _):
            provider.answers = {"/jwks": 500}
            assert await who(api, token) == 401
            provider.answers = {}
            assert await who(api, token) != 401
            monkeypatch.setattr(keys, "REFRESH_SECONDS", -1.0)
            provider.answers = {"/jwks": 503}
            assert await who(api, token) != 401
            assert await who(api, provider.token(sub="bob")) != 401


@pytest.mark.parametrize(
    "answers",
    [
        {"/.well-known/openid-configuration": b"{"},
        {"/.well-known/openid-configuration": b"[]"},
        {"/.well-known/openid-configuration": 302},
        {"/jwks": b'{"keys": []}'},
        {"/jwks": b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}, {"kty": "RSA"}, {"kty": "EC", "crv": "x"}, {}]}'},
        {"/jwks": b'{"keys": [1]}'},
        {"/jwks": b"x" * 600_000},
    ],
)
async def test_a_provider_that_answers_nonsense_has_no_keys(registry, answers):
    with own_provider() as provider:
        provider.answers = answers
        async with letting_in(registry, accepting(provider.issuer)) as (api, _):
            assert await who(api, provider.token()) == 401


async def test_a_provider_that_calls_itself_otherwise_is_not_believed(registry):
    with own_provider() as provider:
        provider.named = "https://login.example.com"
        async with letting_in(registry, accepting(provider.issuer)) as (api, _):
            assert await who(api, provider.token()) == 401


async def test_several_providers_each_vouch_for_their_own(registry):
    with own_provider() as one, own_provider() as other:
        accepted = (accepting(one.issuer), accepting(other.issuer, username_prefix="other:"))
        async with letting_in(registry, *accepted) as (api, known):
            assert (await who(api, one.token()))["username"] == "corp:ann"
            assert (await who(api, other.token()))["username"] == "other:ann"
            known.replace(Configuration(accepted[:1]))
            assert (await who(api, one.token()))["username"] == "corp:ann"
            assert await who(api, other.token()) == 401
