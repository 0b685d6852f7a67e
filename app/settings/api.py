"""The settings of the API: where it listens, whom it lets in, how long it waits."""

from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import CliToggleFlag, NoDecode

from app.credentials.certificates import ServedCertificate
from app.credentials.tokens import Token, read_tokens
from app.settings.access import AuthenticationSettings
from app.settings.audit import AuditSettings
from app.settings.console import ConsoleSettings
from app.settings.limits import LimitSettings
from app.settings.processes import Settings
from app.settings.values import (
    LARGEST_PORT,
    Words,
    advertisable_address,
    host_address,
    web_origins,
)


class EdgeSettings(ConsoleSettings, AuditSettings, LimitSettings, AuthenticationSettings, Settings):
    """The further settings of the API, in any command: where to listen, which tokens to accept, how long to wait."""

    host: Annotated[str, AfterValidator(host_address)] = Field(
        "127.0.0.1", description="Address to listen on; any but loopback needs a --token-file"
    )
    port: int = Field(8080, ge=0, le=LARGEST_PORT, description="Port to listen on; 0 takes a free port")
    advertise_address: Annotated[str, AfterValidator(host_address), AfterValidator(advertisable_address)] | None = (
        Field(
            None,
            description="Address at which others reach this API, the endpoint of the Service default/kubernetes; by "
            "default --host, or this machine's own address if --host is 0.0.0.0 or ::",
        )
    )
    tls_cert_file: Path | None = Field(
        None,
        description="Certificate to serve TLS with, in PEM, followed by those of intermediate authorities; `serve` "
        "issues its own where it is given tokens and no certificate",
    )
    tls_private_key_file: Path | None = Field(None, description="Private key of --tls-cert-file, in PEM")
    insecure_http: CliToggleFlag[bool] = Field(
        False, description="Take tokens over plain HTTP, as behind a proxy that serves TLS"
    )
    allocation_wait: float = Field(
        5, ge=0, le=60, description="Seconds that a write waits for its allocation before it is answered as pending"
    )
    cors_origins: Annotated[Words, NoDecode, BeforeValidator(Words.parse), AfterValidator(web_origins)] = Field(
        Words(),
        description="Origins of web pages whose scripts may call the API from a browser (CORS), such as "
        "https://portal.example.org; several are separated by commas. They send tokens, and no cookies",
    )
    no_console: CliToggleFlag[bool] = Field(False, description="Do not serve the console, the web page at /console/")
    log_requests: CliToggleFlag[bool] = Field(
        False,
        description="Log one line for each request of the API: who asked for what, the answer, and how long it took",
    )

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens in the token file; none if there is no file."""
        return () if self.token_file is None else read_tokens(self.token_file)

    @cached_property
    def tls(self) -> ServedCertificate | None:
        """The certificate that the API shows, None for plain HTTP."""
        if self.tls_cert_file is None or self.tls_private_key_file is None:
            return None
        return ServedCertificate(self.tls_cert_file, self.tls_private_key_file, self.client_ca_file)

    @model_validator(mode="after")
    def _console_has_a_provider(self) -> Self:
        if self.console_client_secret_file is not None and not self.providers.providers:
            raise ValueError("--console-client-secret-file needs a provider: give --oidc-issuer-url, too")
        return self

    @model_validator(mode="after")
    def _certificate_and_key_fit(self) -> Self:
        if self.tls is None and (self.tls_cert_file or self.tls_private_key_file):
            raise ValueError("--tls-cert-file and --tls-private-key-file need each other: give both, or none of them")
        return self

    @model_validator(mode="after")
    def _plain_http_is_wanted(self) -> Self:
        if self.insecure_http and self.client_ca_file is not None:
            raise ValueError("--client-ca-file needs TLS, and --insecure-http serves none: give one of them")
        if self.insecure_http and self.tls is not None:
            raise ValueError("--insecure-http and --tls-cert-file contradict each other: give one of them")
        if self.insecure_http and not self.authenticates:
            raise ValueError("--insecure-http needs a --token-file or a provider: without tokens HTTP is plain anyway")
        return self

    @model_validator(mode="after")
    def _loopback_stays_on_this_machine(self) -> Self:
        if self.loopback_data_plane and not ip_address(self.host).is_loopback:
            raise ValueError(f"--loopback-data-plane needs an API on loopback: --host {self.host} is not")
        return self

    @model_validator(mode="after")
    def _strangers_say_who_they_are(self) -> Self:
        self.tokens  # noqa: B018 - read once, so that what is wrong with them is told at the start
        if not self.authenticates and not ip_address(self.host).is_loopback:
            raise ValueError(
                f"--host {self.host} lets other machines in: give a --token-file, --client-ca-file, "
                "--oidc-issuer-url or --authentication-config, or stay on loopback with 127.0.0.1"
            )
        return self


class ApiSettings(EdgeSettings):
    """The further settings of one API process: the socket that its parent may have bound."""

    fd: int | None = Field(
        None, ge=3, description="Inherited descriptor of a bound socket to listen on, instead of --host and --port"
    )

    @model_validator(mode="after")
    def _tokens_need_tls(self) -> Self:
        if self.authenticates and self.tls is None and not self.insecure_http:
            raise ValueError(
                "tokens need TLS, else they could be read on their way: give --tls-cert-file and "
                "--tls-private-key-file, or --insecure-http behind a proxy that serves TLS"
            )
        return self
