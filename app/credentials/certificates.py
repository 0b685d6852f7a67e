"""The certificate that the API shows. Its files have the form that kube-apiserver's have."""

import ssl
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, load_pem_x509_certificates

from app.credentials.secret_files import refuse_if_writable


class CertificateError(ValueError):
    """A file of a certificate or key cannot be used. The message names the file and what it should hold."""


class ServedCertificate:
    """The certificate and key of a server, from files that can be read again.

    Args:
        certificate: The file of the certificate, followed by those of intermediate authorities.
        private_key: The file of its key.
        client_authority: The file of the authorities of clients that prove who they are with a certificate.

    Attributes:
        context: The context for the server. New connections get the certificate that was read last.

    Raises:
        CertificateError: The files cannot be used.
    """

    def __init__(self, certificate: Path, private_key: Path, client_authority: Path | None = None) -> None:
        self.certificate = certificate
        self.private_key = private_key
        self.client_authority = client_authority
        self._current = self.context = server_context(certificate, private_key, client_authority)
        # A context keeps one certificate for each type of key: loading a new one into it may leave the old one there.
        self.context.sni_callback = self._choose

    def reload(self) -> None:
        """Read the files again. Open connections keep their certificate.

        Raises:
            CertificateError: The files cannot be used. The certificate that was read before stays in use.
        """
        self._current = server_context(self.certificate, self.private_key, self.client_authority)

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current


def expiry(path: Path) -> float:
    """When the first of the certificates in a file ends that a server shows, in Unix time.

    Raises:
        CertificateError: The file cannot be used.
    """
    return min(each.not_valid_after_utc.timestamp() for each in _certificates(path))


def last_expiry(path: Path) -> float:
    """When the last of the authorities in a file ends, in Unix time: an older one may stay there for a while.

    Raises:
        CertificateError: The file cannot be used.
    """
    return max(each.not_valid_after_utc.timestamp() for each in _certificates(path))


def _certificates(path: Path) -> list[Certificate]:
    try:
        return load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CertificateError(f"{path} must hold certificates in PEM, which begins with -----BEGIN") from error


class RootCertificates:
    """The certificates that clients of the API trust, from a file that can be read again.

    Args:
        path: The file.

    Attributes:
        pem: The certificates alone, without a private key that the file may hold, too.

    Raises:
        CertificateError: The file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pem = ""
        self.reload()

    def reload(self) -> None:
        """Read the file again.

        Raises:
            CertificateError: The file cannot be used. What was read before stays in use.
        """
        self.pem = b"".join(each.public_bytes(Encoding.PEM) for each in _certificates(self.path)).decode()


def server_context(certificate: Path, private_key: Path, client_authority: Path | None = None) -> ssl.SSLContext:
    """The context of a server, for TLS 1.2 or newer.

    Args:
        certificate: A file of PEM: the certificate, followed by those of intermediate authorities.
        private_key: A file of PEM: its key.
        client_authority: A file of PEM: the authorities of clients. A client may show a certificate of one of them;
            a connection with another certificate fails.

    Raises:
        CertificateError: A file cannot be read or is no PEM, or the key is encrypted, is not the key of the certificate
            or can be changed by others than its owner.
    """
    for path in (certificate, private_key):
        _check_readable(path)
    try:
        refuse_if_writable(private_key)
    except ValueError as error:
        raise CertificateError(str(error)) from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])

    def refuse_password() -> NoReturn:
        raise CertificateError(
            f"{private_key} is encrypted: store it without a password, since nobody can enter one when a server starts"
        )

    try:
        context.load_cert_chain(certificate, private_key, refuse_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise CertificateError(f"{private_key} is not the key of the first certificate in {certificate}") from error
        raise CertificateError(
            f"{certificate} and {private_key} must be a certificate and its private key in PEM, which begins with "
            "-----BEGIN"
        ) from error
    if client_authority is not None:
        _ask_clients(context, client_authority)
    return context


def _ask_clients(context: ssl.SSLContext, authority: Path) -> None:
    """Let clients show a certificate, which is checked at each connection: no session is resumed."""
    _check_readable(authority)
    try:
        context.load_verify_locations(authority)
    except ssl.SSLError as error:
        raise CertificateError(f"{authority} must hold certificates in PEM, which begins with -----BEGIN") from error
    context.verify_mode = ssl.CERT_OPTIONAL
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0


def client_context(certificate: Path) -> ssl.SSLContext:
    """The context of a client that trusts one certificate, whatever name the server has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(certificate)
    return context


def _check_readable(path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}") from error
