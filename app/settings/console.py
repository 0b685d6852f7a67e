"""The settings of the console, in an API process or by itself."""

from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import BaseSettings

from app.credentials.encryption_keys import read_keys
from app.credentials.secret_files import read_lines
from app.settings.values import host_address


def _origin(text: str) -> str:
    """A URL without a path.

    Raises:
        ValueError: It is none.
    """
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}):
        raise ValueError(f"{text} is no URL of a server: write https://fairlead.example.com")
    return text.rstrip("/")


Origin = Annotated[str, AfterValidator(_origin)]


class ConsoleSettings(BaseSettings):
    """The settings of sessions and of logging in."""

    console_key_file: Path | None = Field(
        None,
        description="File of keys with which the console seals sessions, one a line, 32 random bytes in base64 "
        "(openssl rand -base64 32): the first seals, all open. Processes behind one address need the same; without "
        "it nobody can log in. serve makes a file by itself",
    )
    console_url: Origin = Field(
        "",
        description="Where browsers find the console, such as https://fairlead.example.com, behind a proxy",
    )
    console_client_secret_file: Path | None = Field(
        None,
        description="File with the secret of --oidc-client-id, for a provider that does not take the console as a "
        "public client",
    )

    @cached_property
    def console_keys(self) -> tuple[bytes, ...]:
        """The keys of the console's key file, none without one."""
        return () if self.console_key_file is None else read_keys(self.console_key_file)

    @cached_property
    def console_client_secret(self) -> str:
        """The secret of the client at the provider, "" without one."""
        if self.console_client_secret_file is None:
            return ""
        lines = [line.strip() for line in read_lines(self.console_client_secret_file) if line.strip()]
        if len(lines) != 1:
            raise ValueError(f"{self.console_client_secret_file} should hold one line, the secret of the client")
        return lines[0]

    @model_validator(mode="after")
    def _console_secrets_can_be_used(self) -> Self:
        # Read once, so that what is wrong with them is told at the start.
        self.console_keys  # noqa: B018
        self.console_client_secret  # noqa: B018
        return self


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine alone."""
    return ip_address(host_address(host)).is_loopback
