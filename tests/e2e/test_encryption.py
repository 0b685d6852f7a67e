"""Secrets of a real server: not to be found in any of its files, and readable as long as the keys are there."""

import base64
import os
import secrets
import signal
import stat

import httpx
import pytest

from app.credentials.encryption_keys import read_keys
from tests.e2e.serving import Serving
from tests.e2e.waiting import until

CORE = "/api/v1/namespaces/default"
BULK = "/apis/fairlead.io/v1/apply?fieldManager=me"


def marker():
    """A text that is nowhere else; base64 of it has no form of its own wherever it begins."""
    return secrets.token_hex(24)


def holds(data_dir, text):
    """Whether a file of the embedded Postgres has a text, as it is or in base64."""
    wanted = text.encode(), base64.b64encode(text.encode())
    files = [path for path in (data_dir / "postgres").rglob("*") if path.is_file()]
    return any(each in path.read_bytes() for path in files for each in wanted)


def item(kind, name, **fields):
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **fields}


def value(serving, name):
    """The value of a Secret's key, as its readers get it."""
    answer = httpx.get(f"{serving.url}{CORE}/secrets/{name}", timeout=30)
    return base64.b64decode(answer.json()["data"]["password"]).decode()


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


def test_no_file_shows_a_secret(data_dir):
    open_text, alone, together, waiting = (marker() for _ in range(4))
    with Serving(data_dir, "--workers", "1", "--allocation-wait", "1") as serving:
        keys = data_dir / "encryption-keys"
        assert stat.S_IMODE(keys.stat().st_mode) == 0o600
        post = httpx.Client(base_url=serving.url, timeout=40).post
        assert post(f"{CORE}/configmaps", json=item("ConfigMap", "c", data={"a": open_text})).status_code == 201
        made = post(f"{CORE}/secrets", json=item("Secret", "alone", stringData={"password": alone}))
        assert made.status_code == 201
        items = [
            item("Secret", "together", stringData={"password": together}),
            item("Service", "web", spec={"ports": [{"port": 80}]}),
        ]
        assert post(BULK, json={"apiVersion": "v1", "kind": "List", "items": items}).status_code == 200
        # One that no reconciler takes: it lies in the database until its writer gives it up.
        reconciler = serving.child("reconciler")
        os.kill(reconciler.pid, signal.SIGSTOP)
        items = [
            item("Secret", "waiting", stringData={"password": waiting}),
            item("Service", "late", spec={"ports": [{"port": 80}]}),
        ]
        with pytest.raises(httpx.ReadTimeout):
            post(BULK, json={"apiVersion": "v1", "kind": "List", "items": items}, timeout=1)
        os.kill(reconciler.pid, signal.SIGCONT)
        assert (value(serving, "alone"), value(serving, "together")) == (alone, together)
        serving.stop()
        assert holds(data_dir, open_text), "the test would find what is there"
        for text in (alone, together, waiting):
            assert not holds(data_dir, text)
    for text in (alone, together, waiting, base64.b64encode(read_keys(keys)[0]).decode()):
        assert text not in serving.errors.read_text()


def test_keys_are_needed_and_rotate(data_dir):
    keys = data_dir / "encryption-keys"
    with Serving(data_dir, "--workers", "1") as serving:
        made = item("Secret", "kept", stringData={"password": "hunter2"})
        assert httpx.post(f"{serving.url}{CORE}/secrets", json=made).status_code == 201
    first = keys.read_text()
    keys.unlink()
    with Serving(data_dir, "--workers", "1", wait=False) as serving:
        assert serving.process.wait(60) == 1
    assert "Secrets in the database are encrypted with the key" in serving.errors.read_text()
    second = f"{base64.b64encode(secrets.token_bytes(32)).decode()}\n"
    keys.write_text(second + first)
    with Serving(data_dir, "--workers", "1") as serving:
        assert value(serving, "kept") == "hunter2"
        until(lambda: "Secrets are encrypted with the first key now" in serving.errors.read_text(), timeout=30)
    keys.write_text(second)
    with Serving(data_dir, "--workers", "1") as serving:
        assert value(serving, "kept") == "hunter2"
