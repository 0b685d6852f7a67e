import socket
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import psutil
import pytest
from cryptography import x509

from app.settings.api import EdgeSettings
from app.supervisor import own_certificate
from app.supervisor.errors import CertificateUnusableError
from app.supervisor.own_certificate import OwnCertificate, names_of


class Clock:
    """A present that can be moved; both clocks of the machine follow it."""

    def __init__(self):
        self.moment = datetime.now(UTC)

    def now(self, _zone):
        return self.moment

    def monotonic(self):
        return self.moment.timestamp()


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(own_certificate, "datetime", clock)
    monkeypatch.setattr(own_certificate, "time", clock)
    return clock


def settings(tmp_path, **given):
    tokens = tmp_path / "tokens.csv"
    tokens.write_text("secret,admin,1\n")
    tokens.chmod(0o600)
    return EdgeSettings(token_file=tokens, **given)


def address(family, text):
    return SimpleNamespace(family=family, address=text)


def issued(own):
    certificate = x509.load_pem_x509_certificate(own.path.read_bytes())
    return certificate.not_valid_after_utc


def test_a_server_is_known_by_where_it_listens_and_where_it_is_said_to_be(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "Db1.Example.org")
    names = names_of(settings(tmp_path, host="10.0.0.7", advertise_address="192.0.2.9"))
    assert names == {"localhost", "127.0.0.1", "::1", "db1.example.org", "10.0.0.7", "192.0.2.9"}


def test_a_server_that_listens_everywhere_is_known_by_all_addresses_of_its_machine(tmp_path, monkeypatch):
    interfaces = {
        "eth0": [address(socket.AF_INET, "10.0.0.7"), address(socket.AF_INET6, "fe80::1%eth0")],
        "eth1": [address(psutil.AF_LINK, "00:00:5e:00:53:01"), address(socket.AF_INET6, "2001:db8::7")],
    }
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: interfaces)
    monkeypatch.setattr(socket, "gethostname", lambda: "not_a_name")
    names = names_of(settings(tmp_path, host="0.0.0.0"))  # noqa: S104 - its tokens are asked for
    assert names == {"localhost", "127.0.0.1", "::1", "10.0.0.7", "2001:db8::7"}


def test_a_certificate_is_renewed_while_the_server_runs(tmp_path, clock):
    own = OwnCertificate(tmp_path / "tls", settings(tmp_path))
    own.prepare()
    first = issued(own)
    for _ in range(10):
        clock.moment += timedelta(days=30)
        own.keep_up()
        assert issued(own) > clock.moment + timedelta(days=29)
    assert issued(own) > first


def test_a_certificate_that_cannot_be_renewed_stays(tmp_path, clock):
    own = OwnCertificate(tmp_path / "tls", settings(tmp_path))
    own.prepare()
    first = issued(own)
    (tmp_path / "tls" / "ca.key").write_text("no key")
    clock.moment += timedelta(days=70)
    own.keep_up()
    assert issued(own) == first


def test_a_directory_that_cannot_be_used_ends_the_start(tmp_path):
    (tmp_path / "tls").write_text("a file")
    with pytest.raises(CertificateUnusableError, match="no certificate can be kept in"):
        OwnCertificate(tmp_path / "tls", settings(tmp_path)).prepare()
