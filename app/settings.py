"""All settings. Each is a flag and an environment variable FAIRLEAD_*; they are read once, at the start."""

from datetime import timedelta
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, CliToggleFlag, NoDecode, SettingsConfigDict

from app.access_settings import AuthenticationSettings, TokenSettings
from app.audit_settings import AuditSettings
from app.certificates import RootCertificates, ServedCertificate
from app.console_settings import ConsoleSettings
from app.dns_settings import DNSSettings, TsigSettings
from app.encryption_keys import read_keys
from app.haproxy_settings import HAProxySettings
from app.limit_settings import LimitSettings
from app.otlp_settings import OtlpSettings
from app.service_tags import ServiceTagsFile
from app.setting_values import (
    LARGEST_PORT,
    Age,
    Cidrs,
    PortRange,
    Url,
    Words,
    advertisable_address,
    domain_name,
    host_address,
    postgres_url,
    read_level,
    room_for_services,
    web_origins,
)
from app.tokens import Token, read_tokens

ENVIRONMENT_PREFIX = "FAIRLEAD_"

LogLevel = Literal["debug", "info", "warning", "error"]
CidrsField = Annotated[Cidrs, NoDecode, BeforeValidator(Cidrs.parse)]


class LoggingSettings(BaseSettings):
    """The settings of every command: how to log."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        frozen=True,
        cli_kebab_case=True,
        cli_show_env_vars=True,
        cli_hide_none_type=True,
        cli_exit_on_error=False,
    )

    config: Path | None = Field(
        None,
        description="File of settings in TOML or YAML, named as the flags are, such as port: 8080; flags and "
        "environment variables come before it",
    )
    log_format: Literal["console", "json"] = Field("console", description="Form of the lines of the log")
    log_level: LogLevel = Field("info", description="Lowest level that is logged")
    log_level_file: Path | None = Field(
        None, description="File with the level, instead of --log-level; a process reads it again when it changes"
    )

    @property
    def level(self) -> str:
        """The lowest level that is logged, read from its file if there is one.

        Raises:
            ValueError: The file cannot be read or holds something else.
        """
        return self.log_level if self.log_level_file is None else read_level(self.log_level_file, get_args(LogLevel))

    @model_validator(mode="after")
    def _level_is_one(self) -> Self:
        _ = self.level
        return self


class DatabaseSettings(LoggingSettings):
    """The settings of every command that works on the database."""

    database_url: Annotated[Url, AfterValidator(postgres_url)] | None = Field(
        None,
        description="Postgres 15 or newer, postgresql://user:password@host:5432/database. Every user of the machine "
        "can read a command line, so put a password into the environment variable",
    )

    @property
    def url(self) -> str:
        """The URL of the database, password included. The command line makes sure that there is one.

        Raises:
            ValueError: There is none.
        """
        if self.database_url is None:
            raise ValueError("this command was started without a database")
        return self.database_url.get_secret_value()

    def environment(self) -> dict[str, str]:
        """Environment variables that give a child process the same settings."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        texts = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in values.items()
            if value is not None
        }
        return {ENVIRONMENT_PREFIX + name.upper(): text for name, text in texts.items()}


class Settings(OtlpSettings, TokenSettings, DatabaseSettings):
    """The settings of the API and of the reconciler: the addresses, ports and names that Services get."""

    service_cidrs: Annotated[CidrsField, AfterValidator(room_for_services)] = Field(
        Cidrs((IPv4Network("10.96.0.0/16"),)),
        description="Range of ClusterIPs; for dual-stack two of different families, separated by a comma. The family "
        "of the first is the default",
    )
    node_port_range: Annotated[PortRange, NoDecode, BeforeValidator(PortRange.parse)] = Field(
        PortRange(30000, 32767), description="Range of node ports"
    )
    # The external defaults are reserved for benchmarks (RFC 2544, RFC 5180), the internal ones are private (RFC 1918,
    # RFC 4193). The network of a machine is unlikely to use any of them.
    internal_pool: CidrsField = Field(
        Cidrs((IPv4Network("10.224.0.0/16"), IPv6Network("fd00:10:224::/112"))),
        description="Addresses of internal load balancer frontends, CIDRs of either family separated by commas; the "
        "first start creates the AddressPool internal with them",
    )
    external_pool: CidrsField = Field(
        Cidrs((IPv4Network("198.18.0.0/16"), IPv6Network("2001:2::/112"))),
        description="Addresses of external load balancer frontends, CIDRs of either family separated by commas; the "
        "first start creates the AddressPool external with them",
    )
    cluster_domain: Annotated[str, AfterValidator(domain_name)] = Field(
        "cluster.local", description="DNS domain in which Services have their names"
    )
    load_balancer_controller: Literal["fairlead", "none"] = Field(
        "fairlead", description="Who gives Services of type LoadBalancer their addresses; none: another controller does"
    )

    history_retention: Annotated[Age, NoDecode, BeforeValidator(Age.parse)] = Field(
        Age("90d", timedelta(days=90)),
        description="How long it is remembered who held which address and port, such as 90d; what is held now is "
        "always known",
    )

    objects_per_namespace: int = Field(
        0,
        ge=0,
        description="Objects that a namespace may have, whatever their kind; beyond them a client that creates another "
        "is answered 403. 0 is no limit",
    )

    service_tags: Path | None = Field(
        None,
        description="File with the addresses of service tags, as Azure publishes it (ServiceTags_Public_*.json): the "
        "clients that azure-allowed-service-tags admits. A process reads it again when it changes",
    )
    loopback_data_plane: CliToggleFlag[bool] = Field(
        False,
        description="Whether pools and members may have loopback addresses, since the only data plane is the one that "
        "`serve` runs on loopback; `serve` sets it for its processes",
    )

    encryption_key_file: Path | None = Field(
        None,
        description="File of keys with which Secrets are encrypted in the database, one a line, 32 random bytes in "
        "base64 (openssl rand -base64 32): the first encrypts, all decrypt. Without it they are stored in clear; serve "
        "with a Postgres of its own makes a file by itself",
    )

    @cached_property
    def encryption_keys(self) -> tuple[bytes, ...]:
        """The keys of the encryption key file, none without one."""
        return () if self.encryption_key_file is None else read_keys(self.encryption_key_file)

    @cached_property
    def service_tags_file(self) -> ServiceTagsFile:
        """The service tags of the file; none without one."""
        return ServiceTagsFile(self.service_tags)

    @model_validator(mode="after")
    def _service_tags_can_be_used(self) -> Self:
        self.service_tags_file  # noqa: B018 - read once, so that what is wrong with it is told at the start
        return self

    def agreed(self) -> dict[str, str]:
        """The settings that must be the same in all processes of a database, by flag.

        Ranges of ClusterIPs and pools are not among them: the first start makes objects of these.
        """
        names = ("node_port_range", "cluster_domain", "load_balancer_controller", "objects_per_namespace")
        return {f"--{name.replace('_', '-')}": str(getattr(self, name)) for name in names} | {
            "--service-account-issuer": ",".join(self.issuers),
            "--api-audiences": ",".join(self.audiences),
        }

    @property
    def issuers(self) -> tuple[str, ...]:
        """Names of the API as an issuer; the first one issues."""
        return self.service_account_issuer.words or (f"https://kubernetes.default.svc.{self.cluster_domain}",)

    @property
    def audiences(self) -> tuple[str, ...]:
        """Names of the API as an audience."""
        return self.api_audiences.words or self.issuers

    @property
    def allows_loopback(self) -> bool:
        """Whether pools and members may have loopback addresses."""
        return self.loopback_data_plane

    def initial_pools(self) -> dict[str, list[str]]:
        """The addresses of the AddressPools that the first start creates, by scope."""
        return {"internal": list(map(str, self.internal_pool)), "external": list(map(str, self.external_pool))}

    @model_validator(mode="after")
    def _keys_can_be_used(self) -> Self:
        self.encryption_keys  # noqa: B018 - read once, so that what is wrong with them is told at the start
        return self

    @model_validator(mode="after")
    def _loopback_has_a_data_plane(self) -> Self:
        pools = {"--internal-pool": self.internal_pool, "--external-pool": self.external_pool}
        for flag, pool in pools.items():
            for network in pool:
                if network.is_loopback and not self.allows_loopback:
                    raise ValueError(
                        f"{flag} {network} is loopback, which only `serve` has: with --data-plane envoy and --host "
                        "127.0.0.1; choose another range"
                    )
        return self

    @model_validator(mode="after")
    def _ranges_do_not_overlap(self) -> Self:
        ranges = {
            "--service-cidrs": self.service_cidrs,
            "--internal-pool": self.internal_pool,
            "--external-pool": self.external_pool,
        }
        for (one, its), (other, others) in combinations(ranges.items(), 2):
            for network in its:
                for overlapping in (candidate for candidate in others if candidate.overlaps(network)):
                    raise ValueError(
                        f"{one} {network} and {other} {overlapping} overlap; give one of them other addresses"
                    )
        return self


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


class HealthSettings(Settings):
    """The further settings of a process that serves no API: where it answers for its health and metrics."""

    health_host: Annotated[str, AfterValidator(host_address)] = Field(
        "127.0.0.1", description="Address of /healthz, /readyz and /metrics"
    )
    health_port: int = Field(
        8081, ge=0, le=LARGEST_PORT, description="Port of /healthz, /readyz and /metrics; 0 turns them off"
    )


class ReconcilerSettings(HAProxySettings, TsigSettings, HealthSettings):
    """The further settings of the reconciler."""

    root_ca_file: Path | None = Field(
        None,
        description="Certificates by which clients know the API, in PEM: shown in every namespace as the ConfigMap "
        "kube-root-ca.crt; `serve` takes those of its kubeconfig",
    )

    @cached_property
    def root_certificates(self) -> RootCertificates | None:
        """The certificates by which clients know the API, None where they are not known."""
        return None if self.root_ca_file is None else RootCertificates(self.root_ca_file)

    @model_validator(mode="after")
    def _root_certificates_can_be_used(self) -> Self:
        self.root_certificates  # noqa: B018 - read once, so that what is wrong with it is told at the start
        return self


class DNSProcessSettings(DNSSettings, HealthSettings):
    """The further settings of one DNS process."""

    dns_port: int = Field(5353, ge=1, le=LARGEST_PORT, description="Port on which DNS queries are answered; see serve")
    health_port: int = Field(
        8082, ge=0, le=LARGEST_PORT, description="Port of /healthz, /readyz and /metrics; 0 turns them off"
    )
