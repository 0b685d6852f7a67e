import ssl

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from app.credentials.certificates import CertificateError, ServedCertificate, client_context, server_context


@pytest.fixture
def files(tmp_path):
    issued = trustme.CA().issue_cert("fairlead.example.org")
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    return certificate, key


def issue(files, name, key_type=trustme.KeyType.ECDSA):
    issued = trustme.CA(key_type=key_type).issue_cert(name, key_type=key_type)
    files[0].write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(files[1])


def shake_hands(client, server, name="anything"):
    """Let two contexts talk over memory, until the client knows the server."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname=name)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in (asking, answering):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return asking


def test_a_client_that_trusts_the_file_accepts_the_server(files):
    known = shake_hands(client_context(files[0]), server_context(*files))
    assert known.getpeercert()["subjectAltName"] == (("DNS", "fairlead.example.org"),)
    assert known.version() == "TLSv1.3"


def test_a_client_that_trusts_another_one_does_not(files, tmp_path):
    trustme.CA().issue_cert("fairlead.example.org").cert_chain_pems[0].write_to_path(tmp_path / "other.crt")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(client_context(tmp_path / "other.crt"), server_context(*files))


def test_the_key_of_another_certificate_is_refused(files):
    trustme.CA().issue_cert("fairlead.example.org").private_key_pem.write_to_path(files[1])
    with pytest.raises(CertificateError, match=r"tls.key is not the key of the first certificate in .*tls.crt"):
        server_context(*files)


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(files):
    key = load_pem_private_key(files[1].read_bytes(), None)
    encryption = BestAvailableEncryption(b"secret")
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    with pytest.raises(CertificateError, match=r"tls.key is encrypted"):
        server_context(*files)


def test_a_key_that_others_may_change_is_refused(files):
    files[1].chmod(0o660)
    with pytest.raises(CertificateError, match=r"chmod go-w .*tls.key"):
        server_context(*files)


@pytest.mark.parametrize("then", [trustme.KeyType.ECDSA, trustme.KeyType.RSA])
def test_new_connections_are_shown_the_certificate_that_was_read_last(files, then):
    issue(files, "old.example.org", trustme.KeyType.RSA)
    served = ServedCertificate(*files)
    before = client_context(files[0])
    assert names(before, served) == ["old.example.org"]
    issue(files, "new.example.org", then)
    assert names(before, served) == ["old.example.org"]
    served.reload()
    assert names(client_context(files[0]), served) == ["new.example.org"]
    with pytest.raises(ssl.SSLCertVerificationError):
        names(before, served)


def test_files_that_do_not_fit_leave_the_certificate_as_it_was(files):
    served, before = ServedCertificate(*files), client_context(files[0])
    issue((files[0], files[1].with_name("other.key")), "new.example.org")
    with pytest.raises(CertificateError):
        served.reload()
    assert names(before, served) == ["fairlead.example.org"]


def names(client, served):
    return [name for _, name in shake_hands(client, served.context).getpeercert()["subjectAltName"]]
