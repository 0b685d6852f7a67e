"""The settings of the DNS server: where it answers, and what one client may have."""

from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode

from app.credentials.cookie_secrets import read_cookie_secrets
from app.credentials.tsig_keys import TsigKeys
from app.settings.values import LARGEST_PORT, Addresses, host_address


class TsigSettings(BaseSettings):
    """The settings of all that talks to other DNS servers, in any command."""

    dns_tsig_key_file: Path | None = Field(
        None,
        description="File of the keys with which zone transfers, NOTIFY and updates are signed, one a line: "
        "algorithm:name:secret, as dig -y takes it; DNSZones name them",
    )

    @cached_property
    def tsig_keys(self) -> TsigKeys:
        """The keys of the file, none without one."""
        return TsigKeys(self.dns_tsig_key_file)

    @model_validator(mode="after")
    def _tsig_keys_can_be_used(self) -> Self:
        self.tsig_keys  # noqa: B018 - read once, so that what is wrong with them is told at the start
        return self


class DNSSettings(TsigSettings):
    """The settings of the DNS server, in any command."""

    dns_host: Annotated[str, AfterValidator(host_address)] = Field(
        "127.0.0.1", description="Address on which DNS queries are answered"
    )
    dns_port: int = Field(
        5353, ge=0, le=LARGEST_PORT, description="Port on which DNS queries are answered, over UDP and TCP; 0 for none"
    )
    dns_advertise_addresses: Annotated[Addresses, NoDecode, BeforeValidator(Addresses.parse)] = Field(
        Addresses(()),
        description="Addresses at which others reach the DNS server, separated by commas: those of its name, which the "
        "NS records have; by default --dns-host, or none if that is 0.0.0.0 or ::",
    )
    dns_cookie_secret_file: Path | None = Field(
        None,
        description="File of secrets for DNS cookies, one a line, 16 random bytes as hexadecimal digits (openssl rand "
        "-hex 16): the first makes cookies, all check them. Servers behind one address need the same; without it "
        "each process has its own",
    )
    dns_rate_limit: int = Field(
        131_072,
        ge=0,
        description="Bytes a second that one network of DNS clients (/24, /56) gets over UDP beyond three times what "
        "it sends, without a cookie; then answers are truncated, so that clients ask over TCP. 0 for no limit",
    )

    @cached_property
    def dns_cookie_secrets(self) -> tuple[bytes, ...]:
        """The secrets of the file, none without one."""
        return () if self.dns_cookie_secret_file is None else read_cookie_secrets(self.dns_cookie_secret_file)

    @property
    def dns_addresses(self) -> tuple[str, ...]:
        """The addresses of the name server."""
        if self.dns_advertise_addresses.addresses or ip_address(self.dns_host).is_unspecified:
            return self.dns_advertise_addresses.addresses
        return (self.dns_host,)

    @model_validator(mode="after")
    def _cookie_secrets_can_be_used(self) -> Self:
        self.dns_cookie_secrets  # noqa: B018 - read once, so that what is wrong with them is told at the start
        return self
