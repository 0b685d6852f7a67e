"""Every setting, as a flag and as an environment variable FAIRLEAD_*: built once at the start, then passed in."""

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.certificates import server_context
from app.tokens import Token, read_tokens

Network = IPv4Network | IPv6Network

ENVIRONMENT_PREFIX = "FAIRLEAD_"
_SHORTEST_IPV6_PREFIX = 64  # Kubernetes' limit on service ranges
_FEWEST_SERVICE_ADDRESSES = 4
_FAMILIES = 2
_LARGEST_PORT = 65535
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:\d{1,5})?")
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*")


@dataclass(frozen=True)
class Cidrs:
    """Ranges of addresses, of one family or both, none overlapping another."""

    networks: tuple[Network, ...]

    @classmethod
    def parse(cls, text: object) -> object:
        """Reads `10.96.0.0/16,fd00:10:96::/112`; what is not a text is left for the type check.

        Raises:
            ValueError: A part is no range, is too large, is reserved for something else or overlaps another part.
        """
        if not isinstance(text, str):
            return text
        networks = tuple(_network(part.strip()) for part in text.split(","))
        for one, other in combinations(networks, 2):
            if one.overlaps(other):
                raise ValueError(f"{one} and {other} overlap; name each address once")
        return cls(networks)

    def __iter__(self) -> Iterator[Network]:
        return iter(self.networks)

    def __str__(self) -> str:
        return ",".join(map(str, self.networks))


@dataclass(frozen=True)
class PortRange:
    """Ports from `first` to `last`, both included."""

    first: int
    last: int

    @classmethod
    def parse(cls, text: object) -> object:
        """Reads `30000-32767`; what is not a text is left for the type check.

        Raises:
            ValueError: It is no range of ports.
        """
        if not isinstance(text, str):
            return text
        match = re.fullmatch(r"\s*(\d{1,5})\s*-\s*(\d{1,5})\s*", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]) <= _LARGEST_PORT:
            raise ValueError(f"{text!r} is no range of ports; write first-last within 1-65535, like 30000-32767")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


class Url(SecretStr):
    """A database URL: it may hold a password, so it shows itself as asterisks."""


def _network(text: str) -> Network:
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ValueError(_better_network(text)) from error
    if network.version == 6 and network.prefixlen < _SHORTEST_IPV6_PREFIX:  # noqa: PLR2004  the protocol's own number
        raise ValueError(f"{network} is too large: an IPv6 range has a prefix of /64 or longer, like /112")
    if network.is_loopback or network.is_multicast or network.is_link_local or network.is_unspecified:
        raise ValueError(
            f"{network} is reserved (loopback, multicast, link-local or unspecified); choose another range"
        )
    return network


def _better_network(text: str) -> str:
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        return f"{text!r} is no range of addresses; write CIDRs separated by commas, like 10.96.0.0/16,fd00:10:96::/112"
    return f"{text} has bits set beyond its prefix; write {meant}"


def _service_cidrs(cidrs: Cidrs) -> Cidrs:
    families = {network.version for network in cidrs}
    if len(families) < len(cidrs.networks):
        raise ValueError(f"{cidrs} names a family twice; give one range, or one IPv4 and one IPv6 range for dual-stack")
    for network in cidrs:
        if network.num_addresses < _FEWEST_SERVICE_ADDRESSES:
            raise ValueError(f"{network} has no room for Services; a /30 (IPv6: /126) is the smallest that works")
    return cidrs


def _host(text: str) -> str:
    try:
        return str(ip_address("127.0.0.1" if text == "localhost" else text))
    except ValueError as error:
        raise ValueError(f"{text!r} is no address to listen on; write one like 127.0.0.1, ::1 or 0.0.0.0") from error


def _cluster_domain(text: str) -> str:
    if not _DOMAIN.fullmatch(text):
        raise ValueError(f"{text!r} is no DNS name in lower case without a dot at its end, like cluster.local")
    return text


def _advertised(text: str) -> str:
    address = ip_address(text)
    if address.is_unspecified or address.is_multicast:
        raise ValueError(f"{text} is no machine's address; write the one at which others reach this API")
    return text


def _database_url(url: Url) -> Url:
    text = url.get_secret_value()
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError("only Postgres is supported: write postgresql://user:password@host:5432/database")
    # A character that ends the password too early makes a part of it the port or the path: no message may name them.
    hosts, _, rest = text.partition("://")[2].partition("/")
    hosts = hosts.partition("?")[0].rpartition("@")[2]
    if "#" in text or "@" in rest.partition("?")[0] or not all(map(_HOST_AND_PORT.fullmatch, hosts.split(","))):
        raise ValueError(
            "it cannot be read: write postgresql://user:password@host:5432/database, with special characters of the "
            "password as %XX (%40 for @, %2F for /)"
        )
    return url


CidrsField = Annotated[Cidrs, NoDecode, BeforeValidator(Cidrs.parse)]


class DatabaseSettings(BaseSettings):
    """What every command needs: the database, and how to log."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        frozen=True,
        cli_kebab_case=True,
        cli_show_env_vars=True,
        cli_hide_none_type=True,
        cli_exit_on_error=False,
    )

    database_url: Annotated[Url, AfterValidator(_database_url)] | None = Field(
        None,
        description="Postgres 15 or newer, postgresql://user:password@host:5432/database. A command line can be read "
        "by every user of the machine, so a password belongs in the environment variable",
    )
    log_format: Literal["console", "json"] = Field("console", description="How log lines look")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is logged")

    def environment(self) -> dict[str, str]:
        """These settings as the environment of a child process that shall have the same."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        texts = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in values.items()
            if value is not None
        }
        return {ENVIRONMENT_PREFIX + name.upper(): text for name, text in texts.items()}


class Settings(DatabaseSettings):
    """What the API and the reconciler both need: what a Service can be given."""

    service_cidrs: Annotated[CidrsField, AfterValidator(_service_cidrs)] = Field(
        Cidrs((IPv4Network("10.96.0.0/16"),)),
        description="Range of ClusterIPs; two of different family, separated by a comma, for dual-stack, the first "
        "being the default family",
    )
    node_port_range: Annotated[PortRange, NoDecode, BeforeValidator(PortRange.parse)] = Field(
        PortRange(30000, 32767), description="Range of node ports"
    )
    # RFC 2544 and RFC 5180 set the external defaults aside for benchmarks; the internal ones are private (RFC 1918,
    # RFC 4193). None is a range that a machine's own network is likely to have.
    internal_pool: CidrsField = Field(
        Cidrs((IPv4Network("10.224.0.0/16"), IPv6Network("fd00:10:224::/112"))),
        description="Addresses of internal load balancer frontends, CIDRs of either family separated by commas",
    )
    external_pool: CidrsField = Field(
        Cidrs((IPv4Network("198.18.0.0/16"), IPv6Network("2001:2::/112"))),
        description="Addresses of external load balancer frontends, CIDRs of either family separated by commas",
    )
    cluster_domain: Annotated[str, AfterValidator(_cluster_domain)] = Field(
        "cluster.local", description="The DNS domain that Services' names end in"
    )
    load_balancer_controller: Literal["fairlead", "none"] = Field(
        "fairlead", description="Who answers Services of type LoadBalancer; none leaves them to another controller"
    )

    def agreed(self) -> dict[str, str]:
        """Those that all processes of a database have to have in common, by their flags; ServiceCIDRs hold others."""
        names = ("node_port_range", "internal_pool", "external_pool", "cluster_domain", "load_balancer_controller")
        return {f"--{name.replace('_', '-')}": str(getattr(self, name)) for name in names}

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


class EdgeSettings(Settings):
    """What the API needs besides, whoever starts it: where to listen, whom to believe, how long to wait."""

    host: Annotated[str, AfterValidator(_host)] = Field(
        "127.0.0.1", description="Address to listen on; others than loopback need a --token-file"
    )
    port: int = Field(8080, ge=0, le=_LARGEST_PORT, description="Port to listen on; 0 takes a free one")
    advertise_address: Annotated[str, AfterValidator(_host), AfterValidator(_advertised)] | None = Field(
        None,
        description="Address at which others reach this API, shown as endpoint of the Service default/kubernetes; by "
        "default --host, or this machine's own if that stands for all",
    )
    token_file: Path | None = Field(
        None,
        description='File of bearer tokens, a line each: token,user,uid,"group1,group2". Without it everybody who can '
        "connect may do everything",
    )
    tls_cert_file: Path | None = Field(
        None,
        description="Certificate to serve TLS with, in PEM, followed by those of intermediate authorities; clients "
        "written in Go, kubectl among them, send tokens over TLS only",
    )
    tls_private_key_file: Path | None = Field(None, description="Private key of --tls-cert-file, in PEM")
    allocation_wait: float = Field(
        5, ge=0, le=60, description="Seconds that a write waits for its allocation before it is answered as pending"
    )

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens of the token file, none without one."""
        return () if self.token_file is None else read_tokens(self.token_file)

    @cached_property
    def tls(self) -> ssl.SSLContext | None:
        """What TLS is served with, None where plain HTTP is."""
        if self.tls_cert_file is None or self.tls_private_key_file is None:
            return None
        return server_context(self.tls_cert_file, self.tls_private_key_file)

    @model_validator(mode="after")
    def _certificate_and_key_fit(self) -> Self:
        if self.tls is None and (self.tls_cert_file or self.tls_private_key_file):
            raise ValueError("--tls-cert-file and --tls-private-key-file need each other: give both, or none of them")
        return self

    @model_validator(mode="after")
    def _strangers_need_a_token(self) -> Self:
        if not self.tokens and not ip_address(self.host).is_loopback:
            raise ValueError(
                f"--host {self.host} lets other machines in: give a --token-file, or stay on loopback with 127.0.0.1"
            )
        return self


class ApiSettings(EdgeSettings):
    """What one API process needs besides: the socket that its parent may have bound for it."""

    fd: int | None = Field(
        None, ge=3, description="Inherited descriptor of a bound socket to listen on, instead of --host and --port"
    )


class ReconcilerSettings(Settings):
    """What the reconciler needs besides: where its health and metrics are."""

    health_host: Annotated[str, AfterValidator(_host)] = Field(
        "127.0.0.1", description="Address of /healthz, /readyz and /metrics"
    )
    health_port: int = Field(
        8081, ge=0, le=_LARGEST_PORT, description="Port of /healthz, /readyz and /metrics; 0 for none"
    )


class ServeSettings(EdgeSettings):
    """What the supervisor needs besides: how many processes, and where to keep things."""

    workers: int = Field(2, ge=1, le=64, description="API processes that share the port")
    data_dir: Path = Field(
        Path(".data"),
        description="Directory of the embedded Postgres (unused with --database-url) and the kubeconfig",
    )
