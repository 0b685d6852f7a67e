"""The settings of `fairlead register`."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import CliToggleFlag, NoDecode

from app.settings.base import LoggingSettings
from app.settings.values import LARGEST_PORT

_LABEL = re.compile(r"[^=,\s]+=[^=,\s]*")
_PORT = re.compile(r"(?:([a-z0-9][-a-z0-9]{0,14})=)?([0-9]{1,5})")


def _texts(given: object) -> object:
    return tuple(each.strip() for each in given.split(",")) if isinstance(given, str) else given


def _ports(given: tuple[str, ...]) -> tuple[str, ...]:
    for text in given:
        found = _PORT.fullmatch(text)
        if found is None or not 1 <= int(found[2]) <= LARGEST_PORT:
            raise ValueError(f"{text!r} is no port; write a number like 9000, or http=9000 to give it a name")
    return given


def _labels(given: tuple[str, ...]) -> tuple[str, ...]:
    wrong = [text for text in given if not _LABEL.fullmatch(text)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is no label; write name=value, separated by commas")
    return given


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise ValueError(f"{text!r} is no IP address") from error


class RegisterSettings(LoggingSettings):
    """Where a program is registered, and how it is checked."""

    port: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_texts), AfterValidator(_ports)] = Field(
        description="Port at which it takes traffic; name=number gives it a name; several are separated by commas"
    )
    address: Annotated[str, AfterValidator(_address)] = Field(
        "127.0.0.1", description="Address at which data planes reach it"
    )
    namespace: str = Field("default", description="Namespace of its Pod")
    labels: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_texts), AfterValidator(_labels)] = Field(
        (), description="Labels of its Pod beside app=NAME, name=value separated by commas"
    )
    node: str = Field("", description="Node that it runs on, which has to be registered")
    lease_seconds: int = Field(
        15, ge=3, le=86400, description="Seconds for which it is believed to live after a renewal"
    )
    check_http: str | None = Field(None, description="Path that it answers while it is well, asked once a second")
    check_tcp: CliToggleFlag[bool] = Field(
        False, description="It is well while it takes connections, tried once a second"
    )
    kubeconfig: Path | None = Field(
        None, description="How to reach the API; by default the file in KUBECONFIG, else .data/kubeconfig"
    )

    @property
    def numbered_ports(self) -> list[tuple[str, int]]:
        """Name, or "", and number of each port."""
        return [(name, int(number)) for name, _, number in (text.rpartition("=") for text in self.port)]

    @property
    def more_labels(self) -> dict[str, str]:
        """The labels of the Pod beside `app`."""
        return dict(text.split("=", 1) for text in self.labels)

    @model_validator(mode="after")
    def _checks_one_way(self) -> Self:
        if self.check_http is not None and self.check_tcp:
            raise ValueError("--check-http and --check-tcp are two ways to check the same: give one of them")
        if self.check_http is not None and not self.check_http.startswith("/"):
            raise ValueError(f"--check-http {self.check_http!r} is no path; write one like /healthz")
        return self
