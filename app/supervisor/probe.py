"""Asks this server's own API, and its own DNS server, whether they are ready."""

import http.client
import ssl
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

from app.credentials.certificates import client_context
from app.supervisor.errors import UntrustedCertificateError
from app.supervisor.listening import reachable

_TIMEOUT_SECONDS = 1.0


class Probe:
    """Asks the API at a URL.

    Attributes:
        names: Names and addresses in its certificate; known once it has answered over https.

    Args:
        server: The URL.
        certificate: The file of a certificate to trust, for https.
    """

    def __init__(self, server: str, certificate: Path | None) -> None:
        address = urlsplit(server)
        self._address = (str(address.hostname), address.port)
        self._trust = None if certificate is None else client_context(certificate)
        self.names: tuple[str, ...] = ()

    def answers(self) -> bool:
        """Whether the API is ready.

        Raises:
            UntrustedCertificateError: No client would accept its certificate.
        """
        connection = self._connection()
        try:
            connection.connect()
            if isinstance(connection.sock, ssl.SSLSocket):
                self.names = _names(connection.sock)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == HTTPStatus.OK
        except ssl.SSLCertVerificationError as error:
            raise UntrustedCertificateError(
                f"no client would accept the certificate of the API: {error.verify_message}"
            ) from error
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    @property
    def other_name(self) -> str | None:
        """A name in the certificate, None if the address of the URL is in it."""
        if not self.names or self._address[0] in self.names:
            return None
        return self.names[0].replace("*", "fairlead")

    def _connection(self) -> http.client.HTTPConnection:
        if self._trust is None:
            return http.client.HTTPConnection(*self._address, timeout=_TIMEOUT_SECONDS)
        return http.client.HTTPSConnection(*self._address, timeout=_TIMEOUT_SECONDS, context=self._trust)


def answers_dns(host: str, port: int, domain: str) -> bool:
    """Whether the DNS server answers for the cluster's domain.

    Args:
        host: The address that it listens on.
        port: Its port.
        domain: The cluster's.
    """
    query = dns.message.make_query(domain, dns.rdatatype.SOA)
    try:
        return bool(dns.query.udp(query, reachable(host), timeout=_TIMEOUT_SECONDS, port=port).answer)
    except (OSError, dns.exception.DNSException):
        return False


def _names(connection: ssl.SSLSocket) -> tuple[str, ...]:
    certificate: Any = connection.getpeercert()
    alternatives = certificate.get("subjectAltName", ())
    dns = [name for kind, name in alternatives if kind == "DNS"]
    addresses = [str(ip_address(text.strip())) for kind, text in alternatives if kind == "IP Address"]
    return (*dns, *addresses)
