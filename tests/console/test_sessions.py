"""Who may see what: sessions, other sites, and what a browser is told."""

import httpx
import pytest

from tests.e2e.serving import Serving

TOKENS = 'good-token,ann,1,"system:masters"\n'


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    directory = tmp_path_factory.mktemp("console-tokens")
    tokens = directory / "tokens.csv"
    tokens.write_text(TOKENS)
    tokens.chmod(0o600)
    flags = ("--workers", "1", "--dns-port", "0", "--token-file", tokens, "--insecure-http")
    with Serving(directory / "data", *flags) as serving:
        yield serving


@pytest.fixture
def visitor(guarded):
    with httpx.Client(base_url=guarded.url, timeout=30) as client:
        yield client


def test_a_stranger_is_asked_to_log_in(visitor):
    answer = visitor.get("/console/list/services")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/login?next=%2Fconsole%2Flist%2Fservices"
    assert visitor.get("/", headers={"Accept": "text/html"}).headers["location"] == "/console/"
    assert visitor.get("/").status_code == 403


def test_a_wrong_token_is_refused_and_not_repeated(visitor):
    answer = visitor.post("/console/login", data={"token": "bad-token", "next": "/console/"})
    assert answer.status_code == 401
    assert "does not accept" in answer.text
    assert "bad-token" not in answer.text
    assert "set-cookie" not in answer.headers


def test_a_session_begins_and_ends(visitor):
    answer = visitor.post("/console/login", data={"token": "good-token", "next": "/console/kinds"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/kinds")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "good-token" not in cookie
    assert "kubernetes" in visitor.get("/console/list/services").text
    assert "ann" in visitor.get("/console/about").text
    visitor.post("/console/logout")
    assert visitor.get("/console/list/services").status_code == 303


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/console/\\evil", "/api"])
def test_a_login_leads_nowhere_else(visitor, target):
    answer = visitor.post("/console/login", data={"token": "good-token", "next": target})
    assert answer.headers["location"] == "/console/"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_a_form_of_another_site_is_refused(visitor, headers):
    visitor.post("/console/login", data={"token": "good-token"})
    answer = visitor.post("/console/delete/services/default/kubernetes", headers=headers)
    assert answer.status_code == 403
    assert "kubernetes" in visitor.get("/console/list/services").text


def test_a_sealed_cookie_cannot_be_made_up(visitor):
    visitor.cookies.set("fairlead_session", "gAAAAABnothing", path="/console")
    assert visitor.get("/console/list/services").status_code == 303


def test_browsers_are_told_to_run_nothing_else(visitor):
    for path in ("/console/login", "/console/static/htmx.js", "/console/nothing-here"):
        policy = visitor.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_a_form_that_is_too_large_is_refused(visitor):
    visitor.post("/console/login", data={"token": "good-token"})
    answer = visitor.post("/console/new/services", data={"text": "x" * 3_000_000})
    assert answer.status_code == 413
