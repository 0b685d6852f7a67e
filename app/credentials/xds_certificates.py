"""The certificates of the mutual TLS between `fairlead xds` and Envoys."""

from pathlib import Path

from cryptography.x509 import load_pem_x509_certificates

from app.credentials.certificates import CertificateError, server_context


class XdsCertificates:
    """A certificate with its key, and the authorities of clients, from files that can be read again.

    Args:
        certificate: The file of the certificate, followed by those of intermediate authorities.
        private_key: The file of its key.
        client_authorities: The file of the certificates of the authorities.

    Attributes:
        chain: The certificate, in PEM.
        key: The private key, in PEM.
        authorities: Certificates of the authorities, in PEM.
        version: Increases whenever the files are read.

    Raises:
        CertificateError: The files cannot be used.
    """

    def __init__(self, certificate: Path, private_key: Path, client_authorities: Path) -> None:
        self.paths = (certificate, private_key, client_authorities)
        self.version = 0
        self.chain = self.key = self.authorities = b""
        self.reload()

    def reload(self) -> None:
        """Read the files again. Open connections go on.

        Raises:
            CertificateError: They cannot be used; what was read before stays in use.
        """
        certificate, private_key, client_authorities = self.paths
        server_context(certificate, private_key)
        try:
            authorities = client_authorities.read_bytes()
            load_pem_x509_certificates(authorities)
        except OSError as error:
            raise CertificateError(f"{client_authorities} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise CertificateError(
                f"{client_authorities} must hold certificates in PEM, which begins with -----BEGIN"
            ) from error
        self.chain, self.key = certificate.read_bytes(), private_key.read_bytes()
        self.authorities = authorities
        self.version += 1
