"""The settings of a reconciler that tells an HAProxy of its machine what to do."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*")
_SCOPES = ("external", "internal")


def _texts(given: object) -> object:
    return tuple(each.strip() for each in given.split(",") if each.strip()) if isinstance(given, str) else given


def _object_name(text: str) -> str:
    if text and not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no name of an object; write lower-case letters, digits, `-` and `.`")
    return text


def _scopes(given: tuple[str, ...]) -> tuple[str, ...]:
    if not given or set(given) - set(_SCOPES):
        raise ValueError("must be of external, internal")
    return tuple(sorted(set(given)))


def _addresses(given: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(str(ip_address(each)) for each in given)
    except ValueError as error:
        raise ValueError("must be IP addresses, separated by commas") from error


class HAProxySettings(BaseSettings):
    """Which HAProxy there is, and what it serves."""

    haproxy_dir: Path | None = Field(
        None,
        description="Directory that is shared with an HAProxy of this machine: haproxy.cfg is written there, and "
        "master.sock is its master's socket",
    )
    haproxy_name: Annotated[str, AfterValidator(_object_name)] = Field(
        "haproxy", min_length=1, description="Name of its DataPlane, another one for each HAProxy"
    )
    haproxy_scopes: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_texts), AfterValidator(_scopes)] = Field(
        _SCOPES, description="Load balancers that it serves: external, internal or both"
    )
    haproxy_pools: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_texts)] = Field(
        (), description="AddressPools whose addresses it serves, separated by commas; all of its scopes by default"
    )
    haproxy_node: Annotated[str, AfterValidator(_object_name)] = Field(
        "", description="Node that it runs on, for externalTrafficPolicy Local"
    )
    haproxy_node_addresses: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(_texts), AfterValidator(_addresses)
    ] = Field((), description="Addresses at which it answers node ports, separated by commas")

    @model_validator(mode="after")
    def _directory_is_there(self) -> Self:
        if self.haproxy_dir is not None and not self.haproxy_dir.is_dir():
            raise ValueError(f"--haproxy-dir {self.haproxy_dir} is no directory")
        given = self.model_fields_set & {"haproxy_name", "haproxy_scopes", "haproxy_pools", "haproxy_node"}
        if self.haproxy_dir is None and given:
            flag = min(given).replace("_", "-")
            raise ValueError(f"--{flag} needs --haproxy-dir: without it there is no HAProxy")
        return self
