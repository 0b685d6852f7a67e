"""The certificate that the API shows. Its files have the form that kube-apiserver's have."""

import ssl
from pathlib import Path
from typing import NoReturn

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates

from app.secret_files import refuse_if_writable


class CertificateError(ValueError):
    """A file of a certificate or key cannot be used. The message names the file and what it should hold."""


class ServedCertificate:
    """TLS with a certificate and a key from files, which can be read again.

    Args:
        certificate: The file of the certificate, followed by those of intermediate authorities.
        private_key: The file of its key.

    Attributes:
        context: The context for the server. New connections get the certificate that was read last.

    Raises:
        CertificateError: The files cannot be used.
    """

    def __init__(self, certificate: Path, private_key: Path) -> None:
        self.certificate = certificate
        self.private_key = private_key
        self._current = self.context = server_context(certificate, private_key)
        # A context keeps one certificate for each type of key: loading a new one into it may leave the old one there.
        self.context.sni_callback = self._choose

    def reload(self) -> None:
        """Read the files again. Open connections keep their certificate.

        Raises:
            CertificateError: They cannot be used; the certificate that was read before stays in use.
        """
        self._current = server_context(self.certificate, self.private_key)

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current


class RootCertificates:
    """The certificates by which clients know the API, from a file, which can be read again.

    Args:
        path: The file.

    Attributes:
        pem: They, and nothing else that the file holds: a private key beside them is nobody's to see.

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
            CertificateError: It cannot be used; what was read before stays.
        """
        try:
            found = load_pem_x509_certificates(self.path.read_bytes())
        except OSError as error:
            raise CertificateError(f"{self.path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise CertificateError(
                f"{self.path} must hold certificates in PEM, which begins with -----BEGIN"
            ) from error
        self.pem = b"".join(each.public_bytes(Encoding.PEM) for each in found).decode()


def server_context(certificate: Path, private_key: Path) -> ssl.SSLContext:
    """The context of a server, for TLS 1.2 or newer.

    Args:
        certificate: A file of PEM: the certificate, followed by those of intermediate authorities.
        private_key: A file of PEM: its key.

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
    return context


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
