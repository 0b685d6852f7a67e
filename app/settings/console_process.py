"""The settings of `fairlead console`."""

import ssl
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from app.credentials.certificates import ServedCertificate
from app.oidc.configuration import ALGORITHMS, Provider, tls_context
from app.oidc.flags import provider_of_flags
from app.settings.base import LoggingSettings
from app.settings.console import ConsoleSettings, Origin, is_loopback
from app.settings.otlp import OtlpSettings
from app.settings.values import LARGEST_PORT, host_address


class ConsoleProcessSettings(ConsoleSettings, OtlpSettings, LoggingSettings):
    """Which API the console asks, where it listens, and who may log in."""

    api_url: Origin = Field("http://127.0.0.1:8080", description="The API that the console asks")
    api_ca_file: Path | None = Field(
        None, description="Certificates in PEM that the API's certificate is checked with; by default the system's"
    )
    host: Annotated[str, AfterValidator(host_address)] = Field(
        "127.0.0.1", description="Address to listen on; any but loopback needs a certificate"
    )
    port: int = Field(8090, ge=0, le=LARGEST_PORT, description="Port to listen on; 0 takes a free port")
    tls_cert_file: Path | None = Field(None, description="Certificate to serve TLS with, in PEM")
    tls_private_key_file: Path | None = Field(None, description="Private key of --tls-cert-file, in PEM")
    health_host: Annotated[str, AfterValidator(host_address)] = Field(
        "127.0.0.1", description="Address of /healthz, /readyz and /metrics"
    )
    health_port: int = Field(
        8084, ge=0, le=LARGEST_PORT, description="Port of /healthz, /readyz and /metrics; 0 turns them off"
    )
    oidc_issuer_url: str = Field("", description="URL of a provider of OpenID Connect at which users may log in")
    oidc_client_id: str = Field("", description="What the provider calls the console; the API has to accept it, too")
    oidc_ca_file: Path | None = Field(
        None, description="Certificates in PEM that its certificate is checked with; by default those of the system"
    )

    @cached_property
    def tls(self) -> ServedCertificate | None:
        """The certificate that browsers are shown, None for plain HTTP."""
        if self.tls_cert_file is None or self.tls_private_key_file is None:
            return None
        return ServedCertificate(self.tls_cert_file, self.tls_private_key_file)

    @cached_property
    def api_trust(self) -> ssl.SSLContext:
        """How the API's certificate and name are checked."""
        return tls_context(_pem(self.api_ca_file))

    @cached_property
    def provider(self) -> Provider | None:
        """Where users log in, None where they need a token."""
        if not self.oidc_issuer_url:
            return None
        return provider_of_flags(
            issuer_url=self.oidc_issuer_url,
            client_id=self.oidc_client_id,
            authority=_pem(self.oidc_ca_file),
            username_claim="sub",
            username_prefix=None,
            groups_claim="",
            groups_prefix="",
            required_claims={},
            algorithms=ALGORITHMS,
        )

    @property
    def is_exposed(self) -> bool:
        """Whether other machines reach the console."""
        return not is_loopback(self.host)

    @model_validator(mode="after")
    def _others_need_tls(self) -> Self:
        if self.tls is None and (self.tls_cert_file or self.tls_private_key_file):
            raise ValueError("--tls-cert-file and --tls-private-key-file need each other: give both, or none of them")
        if self.tls is None and self.is_exposed:
            raise ValueError(
                f"--host {self.host} lets other machines in, and tokens could be read on their way: give "
                "--tls-cert-file and --tls-private-key-file, or stay on loopback with 127.0.0.1"
            )
        return self

    @model_validator(mode="after")
    def _others_log_in(self) -> Self:
        if self.is_exposed and not self.console_keys:
            raise ValueError(f"--host {self.host} lets other machines in, who have to log in: give --console-key-file")
        return self

    @model_validator(mode="after")
    def _provider_can_be_used(self) -> Self:
        given = self.oidc_client_id or self.oidc_ca_file or self.console_client_secret_file or self.oidc_issuer_url
        if given and not (self.oidc_issuer_url and self.oidc_client_id):
            raise ValueError("a provider needs --oidc-issuer-url and --oidc-client-id")
        self.provider  # noqa: B018 - read once, so that what is wrong with it is told at the start
        return self

    @model_validator(mode="after")
    def _authorities_can_be_used(self) -> Self:
        self.api_trust  # noqa: B018 - read once, so that what is wrong with them is told at the start
        return self


def _pem(path: Path | None) -> str:
    """The certificates of a file, "" without one.

    Raises:
        ValueError: There are none.
    """
    if path is None:
        return ""
    try:
        pem = path.read_text(encoding="ascii")
        tls_context(pem)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as certificates in PEM: {error}") from error
    return pem
