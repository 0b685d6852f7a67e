"""`fairlead certificate` issues certificates of the authority in the data directory."""

import stat
from datetime import UTC, datetime

import pytest
from cryptography import x509

from app.cli import UsageError, execute
from app.credentials.authority import Authority
from app.supervisor.errors import CertificateUnusableError


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "data"
    directory.mkdir()
    Authority(directory / "tls").keep_up(datetime.now(UTC))
    return directory


def issue(data, *arguments):
    execute(["certificate", "--data-dir", str(data), *arguments])


def test_a_certificate_is_written_for_its_owner_alone(data, tmp_path, capsys):
    issue(data, "--user", "ann", "--group", "dev,ops", "--days", "2")
    path = tmp_path / "ann.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = x509.load_pem_x509_certificate(path.read_bytes())
    assert found.subject.rfc4514_string() == "CN=ann,O=ops,O=dev"
    assert (found.not_valid_after_utc - datetime.now(UTC)).days == 1
    assert "kubectl config set-credentials ann --client-certificate=ann.pem" in capsys.readouterr().out


def test_a_file_that_is_there_is_left_alone(data, tmp_path):
    issue(data, "--user", "ann", "--out", str(tmp_path / "x.pem"))
    before = (tmp_path / "x.pem").read_bytes()
    with pytest.raises(CertificateUnusableError, match=r"x\.pem is there already"):
        issue(data, "--user", "bob", "--out", str(tmp_path / "x.pem"))
    assert (tmp_path / "x.pem").read_bytes() == before


def test_without_an_authority_nothing_is_issued(tmp_path):
    with pytest.raises(CertificateUnusableError, match="there is no authority"):
        issue(tmp_path, "--user", "ann", "--out", str(tmp_path / "x.pem"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--user"),
        (["--user", ""], "must have 1 to 64 characters"),
        (["--user", "a" * 65], "must have 1 to 64 characters"),
        (["--user", "ann", "--group", "a" * 65], "must have 1 to 64 characters"),
        (["--user", "../ann"], "is no name of a file: give one with --out"),
        (["--user", "ann", "--days", "0"], "--days"),
        (["--user", "ann", "--database-url", "postgresql://x"], "unrecognized arguments"),
    ],
)
def test_wrong_settings_are_refused(data, arguments, said):
    with pytest.raises(UsageError) as refused:
        issue(data, *arguments)
    assert said in refused.value.args[0]
