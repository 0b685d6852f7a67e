"""All tokens of ServiceAccounts can be ended at once, while the product runs."""

import subprocess
import sys

import httpx
import pytest

from app.cli import execute
from app.supervisor.errors import DataDirectoryUnusableError
from tests.e2e.waiting import until

ACCOUNTS = "/api/v1/namespaces/{}/serviceaccounts"


def is_good(server, token):
    answer = httpx.post(f"{server}/apis/authentication.k8s.io/v1/tokenreviews", json={"spec": {"token": token}})
    return answer.json()["status"].get("authenticated", False)


def issued(server, namespace):
    answer = httpx.post(f"{server}{ACCOUNTS.format(namespace)}/app/token", json={})
    assert answer.status_code == 201, answer.text
    return answer.json()["status"]["token"]


def test_tokens_are_revoked_in_every_process_and_new_ones_are_good(product, namespace):
    httpx.post(f"{product.url}{ACCOUNTS.format(namespace)}", json={"metadata": {"name": "app"}})
    before = issued(product.url, namespace)
    assert is_good(product.url, before)
    command = [sys.executable, "-m", "app.cli", "revoke-tokens", "--data-dir", product.data_dir]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "all tokens of ServiceAccounts end" in said
    # A connection each, so that each process is asked.
    until(lambda: not any(is_good(product.url, before) for _ in range(10)), 30)
    after = issued(product.url, namespace)
    until(lambda: all(is_good(product.url, after) for _ in range(10)), 30)


def test_there_has_to_be_a_database(tmp_path):
    with pytest.raises(DataDirectoryUnusableError, match="has no database"):
        execute(["revoke-tokens", "--data-dir", str(tmp_path)])
