"""Logging in at a provider, in a real browser and by hand."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from selenium.webdriver.common.by import By

from tests.api.providers import real_provider
from tests.console.looking import arrived, darkness, faults, text
from tests.e2e.serving import Serving
from tests.e2e.waiting import until

BINDING = {
    "metadata": {"name": "ann"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "corp:ann"}],
}


@pytest.fixture(scope="module")
def provided(tmp_path_factory):
    """A server whose users log in at a provider."""
    directory = tmp_path_factory.mktemp("console-oidc")
    tokens, secret = directory / "tokens.csv", directory / "secret"
    tokens.write_text('admin-token,admin,1,"system:masters"\n')
    secret.write_text("secret\n")
    tokens.chmod(0o600)
    secret.chmod(0o600)
    with real_provider(sub="ann") as issuer:
        flags = ("--workers", "1", "--insecure-http", "--token-file", tokens, "--oidc-issuer-url", issuer)
        named = ("--oidc-client-id", "fairlead", "--oidc-username-prefix", "corp:")
        with Serving(directory / "data", *flags, *named, "--console-client-secret-file", secret) as serving:
            headers = {"Authorization": "Bearer admin-token"}
            path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
            assert httpx.post(f"{serving.url}{path}", json=BINDING, headers=headers).status_code == 201
            yield serving


@pytest.fixture
def visitor(provided):
    with httpx.Client(base_url=provided.url, timeout=30) as client:
        yield client


def begun(visitor):
    """The address to which the browser is sent, and its query."""
    answer = visitor.get("/console/login/provider", params={"next": "/console/about"})
    assert answer.status_code == 303
    return answer, {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def come_back(location):
    """The query with which the provider sends a browser back that was sent to it."""
    answer = httpx.post(location, data={"sub": "ann"})
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def test_a_user_logs_in_at_the_provider_and_out(browser, provided):
    browser.get_log("browser")
    browser.get(f"{provided.url}/console/about")
    arrived(browser, "/console/login")
    browser.find_element(By.LINK_TEXT, "Log in with your provider").click()
    arrived(browser, "/oauth2/authorize")
    browser.find_element(By.NAME, "sub").send_keys("ann")
    browser.find_element(By.CSS_SELECTOR, "form button[type=submit]").click()
    arrived(browser, "/console/about")
    until(lambda: "corp:ann" in text(browser))
    cookies = {each["name"]: each for each in browser.execute_cdp_cmd("Network.getAllCookies", {})["cookies"]}
    assert (cookies["fairlead_session"]["httpOnly"], cookies["fairlead_session"]["sameSite"]) == (True, "Strict")
    assert "fairlead_login" not in cookies
    browser.find_element(By.CSS_SELECTOR, 'form[action="/console/logout"] button').click()
    arrived(browser, "/console/login")
    browser.get(f"{provided.url}/console/about")
    arrived(browser, "/console/login")


def test_the_pages_to_log_in_have_no_fault(browser, provided):
    browser.get(f"{provided.url}/console/login?next=/console/about")
    assert faults(browser) == []
    with darkness(browser):
        browser.get(f"{provided.url}/console/login/callback")
        assert "began in another browser" in text(browser)
        assert faults(browser) == []


def test_a_login_is_tied_to_its_browser_by_a_challenge_and_a_state(visitor):
    answer, query = begun(visitor)
    assert query["code_challenge_method"] == "S256"
    assert {"state", "nonce", "code_challenge"} <= query.keys()
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert query["state"] not in cookie


def test_an_answer_with_another_state_logs_nobody_in(visitor):
    answer, _ = begun(visitor)
    back = come_back(answer.headers["location"])
    refused = visitor.get("/console/login/callback", params=back | {"state": "another"})
    assert refused.status_code == 401
    assert "fairlead_session" not in visitor.cookies


def test_an_answer_that_this_browser_did_not_ask_for_logs_nobody_in(visitor, provided):
    answer, _ = begun(visitor)
    back = come_back(answer.headers["location"])
    with httpx.Client(base_url=provided.url) as other:
        assert other.get("/console/login/callback", params=back).status_code == 400
        assert "fairlead_session" not in other.cookies


def test_a_code_that_was_issued_for_another_login_is_refused(visitor):
    stolen = come_back(begun(visitor)[0].headers["location"])["code"]
    _, query = begun(visitor)
    refused = visitor.get("/console/login/callback", params={"code": stolen, "state": query["state"]})
    assert refused.status_code == 401
    assert "fairlead_session" not in visitor.cookies


def test_what_the_provider_says_is_shown_as_text(visitor):
    begun(visitor)
    said = {"error": "access_denied", "error_description": "<b>no</b>"}
    refused = visitor.get("/console/login/callback", params=said)
    assert refused.status_code == 401
    assert "&lt;b&gt;no" in refused.text
