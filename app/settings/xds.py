"""The settings of `fairlead xds`."""

from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from app.credentials.xds_certificates import XdsCertificates
from app.settings.processes import HealthSettings
from app.settings.values import LARGEST_PORT, host_address


class XdsSettings(HealthSettings):
    """Where Envoys find their configuration, and who may have it."""

    health_port: int = Field(
        8083, ge=0, le=LARGEST_PORT, description="Port of /healthz, /readyz and /metrics; 0 turns them off"
    )
    xds_host: Annotated[str, AfterValidator(host_address)] = Field(
        "127.0.0.1", description="Address to listen on for Envoys; any but loopback needs the three files below"
    )
    xds_port: int = Field(18000, ge=0, le=LARGEST_PORT, description="Port for Envoys; 0 listens on --xds-socket only")
    xds_socket: Path | None = Field(
        None, description="Unix socket for an Envoy of this machine; whoever can open it needs no certificate"
    )
    xds_cert_file: Path | None = Field(None, description="Certificate that Envoys are shown, in PEM")
    xds_private_key_file: Path | None = Field(None, description="Private key of --xds-cert-file, in PEM")
    xds_client_ca_file: Path | None = Field(
        None, description="Certificates of the authorities that issue those of Envoys, in PEM"
    )
    xds_services_per_plane: int = Field(
        5000, ge=1, description="Services that one Envoy serves at most; the condition of those beyond says so"
    )

    @cached_property
    def xds_tls(self) -> XdsCertificates | None:
        """The certificates of the mutual TLS with Envoys; None for plain text."""
        files = (self.xds_cert_file, self.xds_private_key_file, self.xds_client_ca_file)
        return None if None in files else XdsCertificates(*files)  # type: ignore[arg-type]  # none of them is None

    @model_validator(mode="after")
    def _certificates_are_whole(self) -> Self:
        files = (self.xds_cert_file, self.xds_private_key_file, self.xds_client_ca_file)
        if self.xds_tls is None and any(files):
            raise ValueError(
                "--xds-cert-file, --xds-private-key-file and --xds-client-ca-file need each other: give all, or none"
            )
        return self

    @model_validator(mode="after")
    def _strangers_need_certificates(self) -> Self:
        if self.xds_port and self.xds_tls is None and not ip_address(self.xds_host).is_loopback:
            raise ValueError(
                f"--xds-host {self.xds_host} lets other machines in: give --xds-cert-file, --xds-private-key-file and "
                "--xds-client-ca-file, or stay on loopback with 127.0.0.1"
            )
        return self

    @model_validator(mode="after")
    def _listens_somewhere(self) -> Self:
        if not self.xds_port and self.xds_socket is None:
            raise ValueError("--xds-port 0 listens nowhere: give a --xds-socket, too")
        return self
