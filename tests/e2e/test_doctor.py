"""`fairlead doctor` as users call it."""

import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from tests.e2e.serving import Serving


def doctor(*flags):
    command = [sys.executable, "-m", "app.cli", "doctor", *map(str, flags)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return ended.returncode, ended.stdout + ended.stderr


def lines(told, subject):
    return [line for line in told.splitlines() if line[8:20].strip() == subject]


def test_beside_a_running_server(product: Serving):
    port = product.url.rpartition(":")[2]
    status, told = doctor("--data-dir", product.data_dir, "--port", port, "--dns-port", "0")
    assert status == 0, told
    assert "is ready" in lines(told, "api")[0]
    assert "as this version needs it" in lines(told, "schema")[0]
    assert "agrees" in lines(told, "clock")[0]


def test_a_running_server_is_asked_where_it_is_not(product: Serving, unused_port):
    status, told = doctor("--data-dir", product.data_dir, "--port", unused_port, "--dns-port", "0")
    assert status == 1
    assert "is not ready" in lines(told, "api")[0]


def test_before_the_first_start_nothing_is_made(tmp_path, unused_port):
    status, told = doctor("--data-dir", tmp_path / "data", "--port", unused_port, "--dns-port", "0")
    assert status == 0, told
    assert "is free" in lines(told, "port")[0]
    assert not (tmp_path / "data").exists()


def test_a_port_in_use_and_a_directory_of_others(tmp_path):
    (tmp_path / "data").mkdir(mode=0o755)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, told = doctor("--data-dir", tmp_path / "data", "--port", port, "--dns-port", "0")
    assert status == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in lines(told, "port")[0]
    assert "ss -ltnp" in told
    assert "chmod 700" in told


def test_a_database_that_cannot_be_reached(tmp_path, unused_port):
    url = f"postgresql://nobody:secret-password@127.0.0.1:{unused_port}/none"
    status, told = doctor("--data-dir", tmp_path, "--database-url", url, "--port", "0", "--dns-port", "0")
    assert status == 1
    assert lines(told, "database")[0].startswith("PROBLEM")
    assert "secret-password" not in told


def test_a_database_without_a_schema(tmp_path, postgres):
    url = postgres.url("postgres")
    status, told = doctor("--data-dir", tmp_path, "--database-url", url, "--port", "0", "--dns-port", "0")
    assert status == 1
    assert "fairlead migrate" in lines(told, "schema")[0]


@pytest.mark.parametrize(
    ("name", "days", "level", "words"),
    [
        ("127.0.0.1", 100, "ok", "is valid until"),
        ("127.0.0.1", 3, "warn", "is valid until"),
        ("127.0.0.1", -1, "PROBLEM", "expired on"),
        ("api.example.org", 100, "warn", "does not have the address 127.0.0.1"),
    ],
)
def test_certificates(tmp_path, name, days, level, words):
    certificate, key = certificate_files(tmp_path, name, days)
    flags = ("--tls-cert-file", certificate, "--tls-private-key-file", key)
    status, told = doctor("--data-dir", tmp_path, *flags, "--port", "0", "--dns-port", "0")
    found = [line for line in lines(told, "tls") if words in line]
    assert [line[:8].strip() for line in found] == [level], told
    assert status == (level == "PROBLEM")


def certificate_files(folder, name, days):

    issued = trustme.CA().issue_cert(
        name, not_after=datetime.now(UTC) + timedelta(days=days), not_before=datetime.now(UTC) - timedelta(days=9)
    )
    certificate, key = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(issued.cert_chain_pems[0].bytes())
    key.write_bytes(issued.private_key_pem.bytes())
    key.chmod(0o600)
    return certificate, key


def test_wrong_settings(tmp_path):
    status, told = doctor("--data-dir", tmp_path, "--service-cidrs", "10.0.0.0/33")
    assert status == 2
    assert "--service-cidrs" in told
