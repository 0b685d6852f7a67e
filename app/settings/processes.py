"""The settings of the processes that work on the database: what they share, the reconciler's and the DNS server's."""

from datetime import timedelta
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import CliToggleFlag, NoDecode

from app.credentials.certificates import RootCertificates
from app.credentials.encryption_keys import read_keys
from app.service_tags import ServiceTagsFile
from app.settings.access import TokenSettings
from app.settings.base import DatabaseSettings
from app.settings.dns import DNSSettings, TsigSettings
from app.settings.haproxy import HAProxySettings
from app.settings.otlp import OtlpSettings
from app.settings.values import (
    LARGEST_PORT,
    Age,
    Cidrs,
    PortRange,
    domain_name,
    host_address,
    room_for_services,
)

CidrsField = Annotated[Cidrs, NoDecode, BeforeValidator(Cidrs.parse)]


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
