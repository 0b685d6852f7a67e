"""The own authority: what it issues is accepted by those who trust it, and renewed in time."""

import ssl
import stat
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from app.credentials.authority import (
    AUTHORITY_DAYS,
    AUTHORITY_RENEWAL_DAYS,
    SERVER_DAYS,
    SERVER_RENEWAL_DAYS,
    Authority,
)
from app.credentials.certificates import CertificateError, server_context
from tests.unit.test_certificates import shake_hands

NAMES = {"localhost", "fairlead.example.org", "127.0.0.1", "::1"}
NOW = datetime.now(UTC)


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "tls"


def made(directory, now=NOW, names=NAMES):
    """The authority, and the certificate that it issued for a server."""
    authority = Authority(directory)
    authority.keep_up(now)
    authority.keep_server_certificate(directory / "server.pem", names, now)
    return authority


def certificate(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def greet(authority, server, name="localhost"):
    """Let a client that trusts an authority, and is as strict as can be, greet a server by a name."""
    client = ssl.create_default_context(cafile=authority)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    return shake_hands(client, server_context(server, server), name)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_server_is_known_by_each_of_its_names(directory, name):
    authority = made(directory)
    assert greet(authority.certificate, directory / "server.pem", name).version() == "TLSv1.3"


def test_a_server_is_known_by_no_other_name(directory):
    authority = made(directory)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        greet(authority.certificate, directory / "server.pem", "example.org")


def test_an_authority_is_trusted_by_those_who_know_it_only(directory, tmp_path):
    made(directory)
    other = made(tmp_path / "other")
    with pytest.raises(ssl.SSLCertVerificationError):
        greet(other.certificate, directory / "server.pem")
    assert certificate(other.certificate).subject != certificate(directory / "ca.crt").subject


def test_keys_can_be_read_by_their_owner_only(directory):
    made(directory)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (directory, *directory.iterdir())}
    assert modes["tls"] == 0o700
    assert modes["ca.key"] == modes["server.pem"] == 0o600
    assert set(modes) == {"tls", "ca.key", "ca.crt", "server.pem"}


def test_what_is_still_good_stays(directory):
    authority = made(directory)
    before = {path: path.read_bytes() for path in directory.iterdir()}
    later = NOW + timedelta(days=SERVER_DAYS - SERVER_RENEWAL_DAYS - 1)
    authority.keep_up(later)
    assert not authority.keep_server_certificate(directory / "server.pem", NAMES - {"::1"}, later)
    assert {path: path.read_bytes() for path in directory.iterdir()} == before


@pytest.mark.parametrize(
    ("days", "names"),
    [
        (SERVER_DAYS - SERVER_RENEWAL_DAYS + 1, NAMES),
        (SERVER_DAYS + 1, NAMES),
        (-1, NAMES),
        (0, NAMES | {"10.0.0.7"}),
        (0, NAMES | {"vm"}),
    ],
    ids=["ends soon", "has ended", "the clock was set back", "another address", "another name"],
)
def test_a_certificate_is_issued_anew(directory, days, names):
    authority = made(directory)
    assert authority.keep_server_certificate(directory / "server.pem", names, NOW + timedelta(days=days))
    issued = certificate(directory / "server.pem")
    assert issued.not_valid_before_utc < NOW + timedelta(days=days) < issued.not_valid_after_utc


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\n", "certificate alone", "another authority's"])
def test_a_certificate_that_cannot_be_used_is_issued_anew(directory, tmp_path, content):
    authority, path = made(directory), directory / "server.pem"
    if content == "certificate alone":
        content = path.read_bytes().partition(b"-----BEGIN PRIVATE KEY")[0]
    elif content == "another authority's":
        made(tmp_path / "other")
        content = (tmp_path / "other" / "server.pem").read_bytes()
    path.write_bytes(content)
    assert authority.keep_server_certificate(path, NAMES, NOW)
    greet(authority.certificate, path)


def test_an_authority_is_renewed_with_its_key_so_that_both_sides_may_be_late(directory, tmp_path):
    long_ago = NOW - timedelta(days=AUTHORITY_DAYS - AUTHORITY_RENEWAL_DAYS + 1)
    authority = made(directory, long_ago)
    assert authority.keep_server_certificate(directory / "server.pem", NAMES, NOW)
    before = tmp_path / "before.crt"
    before.write_bytes(authority.certificate.read_bytes())
    greet(before, directory / "server.pem")
    authority.keep_up(NOW)
    assert certificate(authority.certificate).not_valid_after_utc > NOW + timedelta(days=AUTHORITY_DAYS - 1)
    greet(authority.certificate, directory / "server.pem")
    assert authority.keep_server_certificate(directory / "server.pem", {"renewed.example.org"}, NOW)
    for trusted in (before, authority.certificate):
        greet(trusted, directory / "server.pem", "renewed.example.org")


def test_no_certificate_outlives_its_authority(directory):
    authority = made(directory)
    nearly = NOW + timedelta(days=AUTHORITY_DAYS - 10)
    authority.keep_server_certificate(directory / "server.pem", NAMES, nearly)
    end = certificate(authority.certificate).not_valid_after_utc
    assert certificate(directory / "server.pem").not_valid_after_utc == end


def test_a_lost_certificate_of_the_authority_is_made_anew(directory):
    authority = made(directory)
    authority.certificate.unlink()
    authority.keep_up(NOW)
    greet(authority.certificate, directory / "server.pem")


def test_a_lost_or_wrong_key_is_told_and_nothing_is_replaced(directory, tmp_path):
    authority, key = made(directory), directory / "ca.key"
    made(tmp_path / "other")
    kept = authority.certificate.read_bytes()
    key.unlink()
    with pytest.raises(CertificateError, match=r"ca.key is missing: put it back, or remove .*ca.crt"):
        authority.keep_up(NOW)
    for wrong, said in (
        ((tmp_path / "other" / "ca.key").read_bytes(), "is not the key of"),
        (b"no key", "cannot be used"),
    ):
        key.write_bytes(wrong)
        key.chmod(0o600)
        with pytest.raises(CertificateError, match=said):
            authority.keep_up(NOW)
    key.chmod(0o666)
    with pytest.raises(CertificateError, match="chmod go-w"):
        authority.keep_up(NOW)
    assert authority.certificate.read_bytes() == kept
