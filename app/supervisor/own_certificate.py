"""The certificate that `serve` shows where it asks for tokens and is given no certificate."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import psutil
import structlog

from app.credentials.authority import Authority
from app.credentials.certificates import CertificateError
from app.settings.api import EdgeSettings
from app.settings.values import domain_name
from app.supervisor.errors import CertificateUnusableError

ADMINISTRATOR, MASTERS = "fairlead-admin", "system:masters"
ADMINISTRATOR_DAYS = 365
"""How long the certificate in the kubeconfig is valid; each start issues another one."""
_CHECK_SECONDS = 60.0

_log = structlog.stdlib.get_logger(__name__)


class OwnCertificate:
    """A certificate of an authority in the data directory: for this machine's names, renewed while the server runs.

    Args:
        directory: Where both are kept; its parent exists.
        settings: Say where the server listens.

    Attributes:
        path: The certificate and its private key, in one file.
        authority: The certificate of the authority, which clients have to trust.
    """

    def __init__(self, directory: Path, settings: EdgeSettings) -> None:
        self.path = directory / "server.pem"
        self._authority = Authority(directory)
        self.authority = self._authority.certificate
        self._settings = settings
        self._check_at = 0.0

    def prepare(self) -> None:
        """Make what is missing or is not valid for long any more.

        Raises:
            CertificateUnusableError: What is there cannot be used, or nothing can be written.
        """
        try:
            self._keep_up()
        except CertificateError as error:
            raise CertificateUnusableError(str(error)) from error
        except OSError as error:
            raise CertificateUnusableError(f"no certificate can be kept in {self.path.parent}: {error}") from error

    def keep_up(self) -> None:
        """Renew both in time, and the certificate when this machine has a new address; looks once a minute."""
        if time.monotonic() < self._check_at:
            return
        try:
            self._keep_up()
        except (CertificateError, OSError) as error:
            _log.error("the certificate is not renewed; the one that is shown stays", error=str(error))

    def issue_for_administrator(self) -> bytes:
        """A certificate, with its key in PEM, of somebody who may do everything: the owner of the data directory.

        Raises:
            CertificateUnusableError: None can be issued.
        """
        try:
            return self._authority.client_certificate(ADMINISTRATOR, (MASTERS,), ADMINISTRATOR_DAYS, datetime.now(UTC))
        except (CertificateError, OSError) as error:
            raise CertificateUnusableError(str(error)) from error

    def _keep_up(self) -> None:
        self._check_at = time.monotonic() + _CHECK_SECONDS
        now = datetime.now(UTC)
        self._authority.keep_up(now)
        if self._authority.keep_server_certificate(self.path, names_of(self._settings), now):
            _log.info("a certificate was issued", file=str(self.path))


def names_of(settings: EdgeSettings) -> set[str]:
    """The DNS names and addresses by which clients may know a server."""
    names = {"localhost", "127.0.0.1", "::1"}
    with suppress(ValueError):
        names.add(domain_name(socket.gethostname().lower()))
    if settings.advertise_address is not None:
        names.add(settings.advertise_address)
    if ip_address(settings.host).is_unspecified:
        return names.union(_addresses_of_machine())
    return names | {settings.host}


def _addresses_of_machine() -> Iterator[str]:
    """Those of all interfaces; link-local ones mean nothing without the interface."""
    for interface in psutil.net_if_addrs().values():
        for each in interface:
            if each.family in (socket.AF_INET, socket.AF_INET6) and not ip_address(each.address).is_link_local:
                yield str(ip_address(each.address))
