"""The settings of `serve`."""

from ipaddress import ip_address
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from app.settings.api import EdgeSettings
from app.settings.base import ENVIRONMENT_PREFIX
from app.settings.dns import DNSSettings

LOOPBACK_POOLS = {
    "internal_pool": "127.128.0.0/16,fd00:10:224::/112",
    "external_pool": "127.64.0.0/16,2001:2::/112",
}
"""The pools of a data plane on loopback: addresses of this machine and nobody else's. IPv6 has no range for that."""


class ServeSettings(DNSSettings, EdgeSettings):
    """The further settings of the supervisor: how many processes, where to keep files, and the data plane."""

    dns_workers: int = Field(1, ge=1, le=64, description="DNS processes that share --dns-port")
    workers: int = Field(2, ge=1, le=64, description="API processes that share the port")
    data_dir: Path = Field(
        Path(".data"),
        description="Directory of the embedded Postgres (unused with --database-url), kubeconfig and own certificate",
    )
    wal_archive: Path | None = Field(
        None,
        description="Directory to which the embedded Postgres archives its write-ahead log, for `backup` and `restore` "
        "to any moment",
    )
    data_plane: Literal["envoy", "none"] = Field(
        "envoy",
        description="Whether `serve` runs an Envoy of its own. On loopback, pools have loopback addresses by default",
    )
    drain_seconds: int = Field(
        600,
        ge=1,
        le=86400,
        description="Seconds for which established connections go on after an edit of the listener that took them",
    )

    @model_validator(mode="after")
    def _own_postgres_archives(self) -> Self:
        if self.wal_archive is not None and self.database_url is not None:
            raise ValueError(
                "--wal-archive is for the embedded Postgres: have your own Postgres archive its log instead"
            )
        return self

    @property
    def allows_loopback(self) -> bool:
        """Whether the data plane is the one of `serve`, and `serve` is on loopback."""
        return self.data_plane == "envoy" and ip_address(self.host).is_loopback

    @property
    def needs_own_certificate(self) -> bool:
        """Whether the server issues its certificate itself: clients need tokens, and there is no certificate."""
        return self.authenticates and self.tls is None and not self.insecure_http

    @property
    def chosen_pools(self) -> dict[str, str]:
        """The pools of the first start by scope: those that somebody chose, else those that fit the data plane."""
        defaults = LOOPBACK_POOLS if self.allows_loopback else {}
        return {
            scope: defaults[name]
            if name in defaults and name not in self.model_fields_set
            else str(getattr(self, name))
            for scope, name in (("internal", "internal_pool"), ("external", "external_pool"))
        }

    def environment(self) -> dict[str, str]:
        """As for any process; with a data plane on loopback, also the pools that nobody chose."""
        found = super().environment()
        if self.allows_loopback:
            found[f"{ENVIRONMENT_PREFIX}LOOPBACK_DATA_PLANE"] = "true"
            for scope, pool in self.chosen_pools.items():
                found[f"{ENVIRONMENT_PREFIX}{scope.upper()}_POOL"] = pool
        return found
