"""Pages of other origins call the API from browsers."""

import json

import httpx
import pytest

from tests.e2e.serving import Serving

PORTAL = "https://portal.example.org"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    tokens = tmp_path_factory.mktemp("tokens") / "tokens.csv"
    tokens.write_text("a-portal-token,portal,1,system:masters\n")
    tokens.chmod(0o600)
    flags = ("--token-file", tokens, "--insecure-http", "--cors-origins", f"{PORTAL},http://localhost:3000")
    with (
        Serving(tmp_path_factory.mktemp("cors") / "data", *flags) as serving,
        httpx.Client(base_url=serving.url, headers={"authorization": "Bearer a-portal-token"}) as client,
    ):
        yield client


SERVICES = "/api/v1/namespaces/default/services"
ASKED = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


def test_a_preflight_needs_no_token(shared):
    asked = httpx.options(f"{shared.base_url}{SERVICES}", headers=ASKED | {"origin": PORTAL})
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == PORTAL
    assert "PATCH" in asked.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in asked.headers


def test_answers_and_errors_can_be_read(shared):
    body = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}
    for status in (201, 409):
        made = shared.post(SERVICES, json=body, headers={"origin": PORTAL})
        assert (made.status_code, made.headers["access-control-allow-origin"]) == (status, PORTAL)
        assert "warning" in made.headers["access-control-expose-headers"].lower()
    refused = httpx.get(f"{shared.base_url}{SERVICES}", headers={"origin": PORTAL})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (403, PORTAL)


def test_a_watch_is_streamed(shared):
    query = {"watch": "true", "timeoutSeconds": "20"}
    with shared.stream("GET", SERVICES, params=query, headers={"origin": PORTAL}) as stream:
        assert stream.headers["access-control-allow-origin"] == PORTAL
        assert json.loads(next(stream.iter_lines()))["type"] == "ADDED"


def test_others_are_answered_without_leave(shared):
    for headers in ({"origin": "https://evil.example.org"}, {}):
        answer = shared.get(SERVICES, headers=headers)
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers
    asked = httpx.options(f"{shared.base_url}{SERVICES}", headers=ASKED | {"origin": "https://evil.example.org"})
    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers
