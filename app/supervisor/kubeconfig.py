"""The kubeconfig that points kubectl and the SDKs at this server."""

import os
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
import yaml

from app.credentials.certificates import server_context
from app.credentials.tokens import read_tokens
from app.reloading import Source
from app.settings.api import EdgeSettings
from app.supervisor.errors import UntrustedCertificateError
from app.supervisor.probe import Probe

_RENEWAL_SECONDS = 20.0
"""Time within which the API should show a certificate that has changed."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Trust:
    """How clients check the certificate of a server.

    Attributes:
        certificate: The certificate to trust, in PEM.
        name: The name that the server's certificate has to have, None if it has the server's address.
    """

    certificate: bytes
    name: str | None


class Kubeconfig:
    """The kubeconfig of a server, with its first token and the certificate to trust as they are in their files.

    Args:
        path: Where to write; its directory exists.
        server: URL of the API.
        settings: Name the files.
        trusted: The certificate by which clients know the API, None where it serves plain HTTP.
        issue: Issues a certificate of an administrator with its key, in PEM, for where there is no token; None where
            the API accepts none.
    """

    def __init__(
        self,
        path: Path,
        server: str,
        settings: EdgeSettings,
        trusted: Path | None,
        issue: Callable[[], bytes] | None = None,
    ) -> None:
        self.path = path
        self._server = server
        self._settings = settings
        self._trusted = trusted
        self._tokens = settings.tokens
        self._issue = issue
        self._renew_until = 0.0

    def write(self) -> bool:
        """Write the file if the API answers.

        Returns:
            Whether the API answers.

        Raises:
            UntrustedCertificateError: The API shows another certificate, or one that no client would accept.
        """
        probe = Probe(self._server, self._trusted)
        if not probe.answers():
            return False
        trust = None if self._trusted is None else Trust(self._trusted.read_bytes(), probe.other_name)
        write_kubeconfig(self.path, self._server, self._credentials(), trust)
        return True

    def sources(self) -> Iterator[Source]:
        """The files whose content is in the kubeconfig."""
        files = (self._settings.token_file, self._trusted, self._settings.tls_private_key_file)
        if any(files):
            yield Source("kubeconfig", tuple(file for file in files if file is not None), self._renew)

    def keep_up(self) -> None:
        """After a file has changed, write the kubeconfig again as soon as the API shows the new certificate."""
        if not self._renew_until:
            return
        with suppress(UntrustedCertificateError, OSError):  # a worker may still show the old certificate
            if self.write():
                self._renew_until = 0.0
                return
        if time.monotonic() > self._renew_until:
            self._renew_until = 0.0
            _log.warning("the kubeconfig was not written again: the API does not show the certificate in the file")

    def _credentials(self) -> Mapping[str, str]:
        if self._tokens:
            return {"token": self._tokens[0].secret}
        if self._issue is None:
            return {}
        issued = b64encode(self._issue()).decode()
        return {"client-certificate-data": issued, "client-key-data": issued}

    def _renew(self) -> None:
        if self._settings.token_file is not None:
            self._tokens = read_tokens(self._settings.token_file)
        if self._settings.tls_cert_file is not None and self._settings.tls_private_key_file is not None:
            server_context(self._settings.tls_cert_file, self._settings.tls_private_key_file)
        self._renew_until = time.monotonic() + _RENEWAL_SECONDS


def write_kubeconfig(path: Path, server: str, credentials: Mapping[str, str], trust: Trust | None) -> None:
    """Replace the file in one step. It may hold a token, so only its owner can read it.

    Args:
        path: Where to write; its directory exists.
        server: URL of the API.
        credentials: Those of the user, such as a token; none where clients need none.
        trust: How clients check the certificate, None for plain HTTP.
    """
    name = "fairlead"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server} | _trust(trust)}],
        "users": [{"name": name, "user": dict(credentials)}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
        "current-context": name,
    }
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        yaml.safe_dump(document, file, sort_keys=False)
    unfinished.replace(path)


def _trust(trust: Trust | None) -> dict[str, str | bool]:
    if trust is None:
        # @kubernetes/client-node refuses plain HTTP without this; there is no TLS that it could skip.
        return {"insecure-skip-tls-verify": True}
    name = {} if trust.name is None else {"tls-server-name": trust.name}
    return {"certificate-authority-data": b64encode(trust.certificate).decode(), **name}
