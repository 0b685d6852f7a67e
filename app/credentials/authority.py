"""The certificate authority of this installation. Only its own clients trust it."""

import os
from collections.abc import Collection
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.credentials.certificates import CertificateError, server_context
from app.credentials.secret_files import refuse_if_writable

AUTHORITY_DAYS, AUTHORITY_RENEWAL_DAYS = 3650, 365
SERVER_DAYS, SERVER_RENEWAL_DAYS = 90, 30
"""How long certificates are valid, and how long before their end they are renewed."""

_CLOCKS_DIFFER = timedelta(hours=1)  # a certificate is valid at once for clients whose clock is behind
_CURVE = ec.SECP256R1()


class Authority:
    """An authority in a directory: `ca.crt` is for clients that trust it, `ca.key` is its secret.

    Its key never changes. Its certificate is renewed with that key, so certificates that it issued before stay valid,
    and clients have a year to fetch the new one.

    Args:
        directory: The directory; created if it is missing.

    Attributes:
        certificate: The file with the certificate that clients trust.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.certificate = directory / "ca.crt"
        self._key_file = directory / "ca.key"

    def keep_up(self, now: datetime) -> None:
        """Make the authority if there is none, and renew its certificate in its last year.

        Raises:
            CertificateError: The files in the directory are no authority.
            OSError: A file cannot be read or written.
        """
        self._directory.mkdir(mode=0o700, exist_ok=True)
        if not self._key_file.exists():
            if self.certificate.exists():
                raise CertificateError(
                    f"{self._key_file} is missing: put it back, or remove {self.certificate} for an authority that "
                    "clients have to be told of anew"
                )
            _write_secret(self._key_file, _encoded(ec.generate_private_key(_CURVE)))
        if not self.certificate.exists() or _is_due(self._own(), now, AUTHORITY_RENEWAL_DAYS):
            _write(self.certificate, self._renewed(now).public_bytes(Encoding.PEM), 0o644)
        if self._own().public_key() != self._key().public_key():
            raise CertificateError(f"{self._key_file} is not the key of {self.certificate}: put back the right one")

    def keep_server_certificate(self, path: Path, names: Collection[str], now: datetime) -> bool:
        """Issue a certificate for a server, in one file with its key, unless the file has a valid one for these names.

        Args:
            path: The file.
            names: DNS names and addresses of the server.
            now: The present time.

        Returns:
            Whether it was issued.

        Raises:
            CertificateError: The files in the directory are no authority.
            OSError: A file cannot be read or written.
        """
        if path.exists() and self._is_still_good(path, names, now):
            return False
        key = ec.generate_private_key(_CURVE)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fairlead")])
        unsigned = (
            x509.CertificateBuilder(subject_name=subject, public_key=key.public_key())
            .add_extension(x509.SubjectAlternativeName(list(map(_general_name, sorted(names)))), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        )
        certificate = self._issued(unsigned, key.public_key(), now, SERVER_DAYS)
        _write_secret(path, certificate.public_bytes(Encoding.PEM) + _encoded(key))
        return True

    def client_certificate(self, user: str, groups: Collection[str], days: int, now: datetime) -> bytes:
        """A new certificate with which a user proves who they are, and its private key, in PEM.

        Args:
            user: The CN of its subject.
            groups: The O's of its subject.
            days: For how long it is valid, at most as long as the authority.
            now: The present.

        Raises:
            CertificateError: There is no authority in the directory.
        """
        if not self._key_file.exists():
            raise CertificateError(f"there is no authority in {self._directory}: `fairlead serve` makes one for TLS")
        key = ec.generate_private_key(_CURVE)
        organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject = x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, user)])
        unsigned = x509.CertificateBuilder(subject_name=subject, public_key=key.public_key()).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        certificate = self._issued(unsigned, key.public_key(), now, days)
        return certificate.public_bytes(Encoding.PEM) + _encoded(key)

    def _issued(
        self, unsigned: x509.CertificateBuilder, key: ec.EllipticCurvePublicKey, now: datetime, days: int
    ) -> x509.Certificate:
        """Sign a certificate that may not sign others."""
        own, own_key = self._own(), self._key()
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(own_key.public_key())
        return (
            unsigned.issuer_name(own.subject)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CLOCKS_DIFFER)
            .not_valid_after(min(now + timedelta(days=days), own.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(authority, critical=False)
            .sign(own_key, SHA256())
        )

    def _renewed(self, now: datetime) -> x509.Certificate:
        key = self._key()
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        # The key's identifier in the name tells two authorities apart.
        name = f"fairlead authority {identifier.digest.hex()[:16]}"
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return (
            x509.CertificateBuilder(issuer_name=subject, subject_name=subject, public_key=key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CLOCKS_DIFFER)
            .not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(identifier, critical=False)
            .sign(key, SHA256())
        )

    def _own(self) -> x509.Certificate:
        try:
            return x509.load_pem_x509_certificate(self.certificate.read_bytes())
        except ValueError as error:
            raise CertificateError(f"{self.certificate} is no certificate: remove it, and it is made anew") from error

    def _key(self) -> ec.EllipticCurvePrivateKey:
        try:
            refuse_if_writable(self._key_file)
            key = load_pem_private_key(self._key_file.read_bytes(), None)
        except (ValueError, TypeError) as error:
            raise CertificateError(f"{self._key_file} cannot be used as the key of the authority: {error}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise CertificateError(f"{self._key_file} is no key of an elliptic curve, which the authority's is")
        return key

    def _is_still_good(self, path: Path, names: Collection[str], now: datetime) -> bool:
        """Whether a certificate of a server is by this authority, for these names, and not about to expire."""
        try:
            server_context(path, path)
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
            certificate.verify_directly_issued_by(self._own())
            alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False
        return not _is_due(certificate, now, SERVER_RENEWAL_DAYS) and set(map(_general_name, names)) <= set(alternative)


def _is_due(certificate: x509.Certificate, now: datetime, days: int) -> bool:
    """Whether a certificate ends within that many days, or is not valid yet, as after a clock was set back."""
    return not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - timedelta(days=days)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _encoded(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_secret(path: Path, content: bytes) -> None:
    _write(path, content, 0o600)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace a file in one step. It is durable when this returns."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
