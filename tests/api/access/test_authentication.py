"""Who is let in, and how wrong credentials are answered."""

import asyncio

import httpx

from app.api.access.access import Access
from app.api.access.authentication import Authentication
from app.api.access.failures import Failures
from app.credentials.tokens import Token, TokenUsers
from app.domain.user import User
from tests.api.conftest import serving
from tests.api.objects import SERVICES

RIGHT = {"authorization": "Bearer right-secret"}
WRONG = {"authorization": "Bearer wrong-secret"}


async def test_wrong_credentials_are_slowed_down_and_right_ones_from_the_same_place_are_not(registry):
    failures = Failures(longest=3600)
    users = TokenUsers([Token("right-secret", User("ann", groups=("system:masters",)))])
    access = Access(Authentication(users), required=True, failures=failures)
    async with serving(registry, access=access) as (url, _), httpx.AsyncClient(base_url=url, timeout=60) as api:
        for _ in range(10):
            assert (await api.get(SERVICES, headers=WRONG)).status_code == 401
        slow = asyncio.create_task(api.get(SERVICES, headers=WRONG))
        async with asyncio.timeout(60):
            while not failures.waiting:
                await asyncio.sleep(0.01)
        assert (await api.get(SERVICES, headers=RIGHT)).status_code == 200
        assert not slow.done()
        slow.cancel()
        await asyncio.wait([slow])


async def test_every_wrong_credential_is_answered_the_same_and_counted(registry):
    users = TokenUsers([Token("right-secret", User("ann", groups=("system:masters",)))])
    access = Access(Authentication(users), required=True)
    wrong = ["x", "not.a.jwt", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4In0.", "right-secre", "right-secret1", "é"]
    async with serving(registry, access=access) as (url, _), httpx.AsyncClient(base_url=url, timeout=60) as api:
        answers = [
            await api.get(SERVICES, headers={"authorization": b"Bearer " + token.encode("latin-1")}) for token in wrong
        ]
        assert {answer.status_code for answer in answers} == {401}
        assert len({answer.content for answer in answers}) == 1
        metrics = (await api.get("/metrics", headers=RIGHT)).text
    assert 'authentication_attempts_total{result="failure"}' in metrics
    assert 'fairlead_authentication_failures_total{reason="unknown"}' in metrics
    assert not any(token in metrics for token in wrong[1:4])


async def test_another_scheme_is_no_credential(registry):
    access = Access(Authentication(TokenUsers([Token("right-secret", User("ann"))])), required=True)
    async with serving(registry, access=access) as (url, _), httpx.AsyncClient(base_url=url, timeout=60) as api:
        for value in ("Basic cmlnaHQtc2VjcmV0", "Bearer", "right-secret"):
            answer = await api.get(SERVICES, headers={"authorization": value})
            assert answer.status_code == 403
            assert 'User "system:anonymous" cannot list resource "services"' in answer.json()["message"]
