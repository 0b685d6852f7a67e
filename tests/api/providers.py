"""Providers of OpenID Connect for tests: a real one, and one whose tokens and keys a test makes as it likes."""

import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.e2e.waiting import until
from tests.ports import free_port

CALLBACK = "http://localhost/callback"


@contextmanager
def real_provider(**claims):
    """A provider in a process of its own with one user, whose tokens live for an hour; gives its URL."""
    port = free_port()
    options = ["--port", str(port), "--user-claims", json.dumps(claims)]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", *options]
    issuer = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: process.poll() is None and answers(issuer))
            yield issuer
        finally:
            process.kill()


def answers(issuer):
    try:
        return httpx.get(f"{issuer}/.well-known/openid-configuration").is_success
    except httpx.TransportError:
        return False


def signed_in(issuer, sub, client="fairlead"):
    """The token of a user who signs in at a provider, by the authorization code flow (OpenID Connect Core, 3.1)."""
    with httpx.Client(base_url=issuer) as browser:
        query = {"client_id": client, "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid email"}
        answer = browser.post("/oauth2/authorize", params=query, data={"sub": sub})
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        return browser.post("/oauth2/token", data=form, auth=(client, "secret")).json()["id_token"]


class OwnProvider:
    """A provider that answers what the test says.

    Attributes:
        keys: Those that it shows, by their ids.
        issuer: Its URL.
        named: The issuer that its description names.
        answers: Bytes to answer at a path instead, or a number for a status.
        asked: The paths that were asked for.
    """

    def __init__(self, port):
        self.issuer = self.named = f"http://127.0.0.1:{port}"
        self.keys = {"one": RSAKey.generate_key(2048)}
        self.answers = {}
        self.asked = []

    def token(self, key="one", signer=None, header=None, **claims):
        said = {"iss": self.issuer, "aud": "fairlead", "sub": "ann", "exp": int(time.time()) + 600} | claims
        said = {name: value for name, value in said.items() if value is not None}
        header = {"alg": "RS256", "kid": key} | (header or {})
        algorithms = ["RS256", "RS512", "ES256"]
        return jwt.encode(header, said, signer or self.keys[key], algorithms=algorithms)

    def document(self, path):
        if path in self.answers:
            return self.answers[path]
        if path == "/jwks":
            return json.dumps(
                {"keys": [{"kid": name, **key.as_dict(private=False)} for name, key in self.keys.items()]}
            )
        return json.dumps({"issuer": self.named, "jwks_uri": f"{self.issuer}/jwks"})


@contextmanager
def own_provider(port=0):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            provider.asked.append(self.path)
            body = provider.document(self.path)
            self.send_response(body if isinstance(body, int) else 200)
            self.end_headers()
            if not isinstance(body, int):
                self.wfile.write(body.encode() if isinstance(body, str) else body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    provider = OwnProvider(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
