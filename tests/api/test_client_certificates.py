"""Users with a certificate: let in if an authority that is trusted has issued it for clients, and while it is valid."""

import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect

from app.api.access.access import Access
from app.api.access.client_certificates import ClientCertificates
from app.api.access.identity import RefusedCredentialError
from app.credentials.authority import Authority
from app.credentials.certificates import CertificateError, ServedCertificate, client_context
from app.domain.user import User
from tests.api.conftest import serving
from tests.api.objects import SERVICES

WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    directory = tmp_path_factory.mktemp("authority")
    found = Authority(directory)
    found.keep_up(NOW)
    found.keep_server_certificate(directory / "server.pem", {"127.0.0.1"}, NOW)
    return found, directory


@pytest.fixture
async def url(registry, authority):
    found, directory = authority
    served = ServedCertificate(directory / "server.pem", directory / "server.pem", found.certificate)
    async with serving(registry, access=Access(required=True), tls=served.context) as (url, _):
        yield url


@pytest.fixture
def shows(authority, tmp_path):
    """Makes the TLS of a client that shows a certificate, in PEM with its key."""

    def make(pem=None):
        context = client_context(authority[0].certificate)
        if pem is not None:
            path = tmp_path / "client.pem"
            path.write_bytes(pem)
            context.load_cert_chain(path)
        return context

    return make


@asynccontextmanager
async def client(url, context):
    async with httpx.AsyncClient(base_url=url, verify=context, timeout=60) as api:
        yield api


async def who(url, context):
    async with client(url, context) as api:
        answer = await api.post(WHO, json={})
        return answer.json()["status"]["userInfo"] if answer.status_code == 201 else answer.status_code


async def test_a_certificate_names_the_user_and_the_groups(url, authority, shows):
    pem = authority[0].client_certificate("ann", ("dev", "ops"), 1, NOW)
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    assert await who(url, shows(pem)) == {
        "username": "ann",
        "groups": ["dev", "ops", "system:authenticated"],
        "extra": {"authentication.kubernetes.io/credential-id": [f"X509SHA256={sha256(der).hexdigest()}"]},
    }


async def test_without_a_certificate_nobody_is_known(url, shows):
    assert await who(url, shows()) in {401, 403}


async def test_a_watch_over_a_websocket_is_let_in_by_a_certificate(url, authority, shows):
    pem = authority[0].client_certificate("ann", ("system:masters",), 1, NOW)
    address = f"{url.replace('https', 'wss')}{SERVICES}?watch=1&timeoutSeconds=1"
    async with connect(address, ssl=shows(pem), server_hostname="127.0.0.1") as socket:
        assert socket.response.status_code == 101


@pytest.mark.parametrize("wrong", ["stranger", "server", "expired"])
async def test_a_certificate_of_somebody_else_ends_the_connection(url, authority, shows, wrong):
    found, directory = authority
    if wrong == "stranger":
        issued = trustme.CA().issue_cert("x", common_name="ann", organization_name="system:masters")
        pem = issued.private_key_and_cert_chain_pem.bytes()
    elif wrong == "server":
        pem = (directory / "server.pem").read_bytes()
    else:
        pem = found.client_certificate("ann", (), 1, NOW - timedelta(days=3))
    with pytest.raises((httpx.TransportError, ssl.SSLError)):
        await who(url, shows(pem))


def certificate(*attributes, days=1):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])
    return (
        x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=days))
        .sign(key, SHA256())
        .public_bytes(Encoding.DER)
    )


def test_what_a_subject_says():
    known = ClientCertificates(NOW.timestamp)
    uid = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
    user = known.user_of(certificate((NameOID.COMMON_NAME, "ann"), (uid, "42"), (NameOID.ORGANIZATION_NAME, "dev")))
    assert (user.name, user.uid, user.groups) == ("ann", "42", ("dev", "system:authenticated"))
    for nobody in (
        certificate((NameOID.ORGANIZATION_NAME, "system:masters")),
        certificate((NameOID.COMMON_NAME, "ann"), (uid, "1"), (uid, "2")),
        b"",
        b"no certificate",
    ):
        with pytest.raises(RefusedCredentialError):
            known.user_of(nobody)


def test_a_connection_does_not_outlive_its_certificate():
    clock = [NOW.timestamp()]
    known = ClientCertificates(lambda: clock[0])
    der = certificate((NameOID.COMMON_NAME, "ann"))
    assert isinstance(known.user_of(der), User)
    clock[0] += 2 * 86400
    with pytest.raises(RefusedCredentialError):
        known.user_of(der)


def test_authorities_that_are_none_are_refused(authority, tmp_path):
    directory = authority[1]
    wrong = tmp_path / "ca.crt"
    wrong.write_text("x")
    with pytest.raises(CertificateError, match="must hold certificates"):
        ServedCertificate(directory / "server.pem", directory / "server.pem", wrong)
    with pytest.raises(CertificateError, match="cannot be read"):
        ServedCertificate(directory / "server.pem", directory / "server.pem", tmp_path / "none")
    with pytest.raises(CertificateError, match="there is no authority"):
        Authority(tmp_path).client_certificate("ann", (), 1, NOW)
