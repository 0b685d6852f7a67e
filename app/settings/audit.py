"""The settings of the audit log."""

from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from app.audit.log import Destination, Mode
from app.audit.log_file import LogFile, Rotation, StandardOutput
from app.audit.policy_file import DEFAULT_POLICY, read_policy
from app.domain.rules.audit_policy import AuditPolicy

_STANDARD_OUTPUT = "-"


class AuditSettings(BaseSettings):
    """What is written of requests, and where. The names are those of kube-apiserver."""

    audit_log_path: str = Field("", description="File of the audit log, one event a line in JSON; - is standard output")
    audit_policy_file: Path | None = Field(
        None,
        description="File with an audit.k8s.io/v1 Policy, which says what is written; without it, who did what, of "
        "every request. A process reads it again when it changes",
    )
    audit_log_mode: Mode = Field(
        "blocking",
        description="blocking writes an event before the answer; blocking-strict also refuses requests while events "
        "cannot be written; batch writes a moment later",
    )
    audit_log_maxsize: int = Field(100, ge=1, description="MiB after which another file begins")
    audit_log_maxbackup: int = Field(0, ge=0, description="How many former files are kept; 0 keeps all")
    audit_log_maxage: int = Field(0, ge=0, description="Days after which former files are removed; 0 keeps them")

    def read_audit_policy(self) -> AuditPolicy:
        """The policy, read from its file now.

        Raises:
            ValueError: It cannot be used.
        """
        return DEFAULT_POLICY if self.audit_policy_file is None else read_policy(self.audit_policy_file)

    @cached_property
    def audit_policy(self) -> AuditPolicy:
        """The policy as it was at the start."""
        return self.read_audit_policy()

    def audit_destination(self) -> Destination | None:
        """Where events go, None for nowhere."""
        if not self.audit_log_path:
            return None
        if self.audit_log_path == _STANDARD_OUTPUT:
            return StandardOutput()
        rotation = Rotation(
            self.audit_log_maxsize * 1024 * 1024, timedelta(days=self.audit_log_maxage), self.audit_log_maxbackup
        )
        return LogFile(Path(self.audit_log_path), rotation)

    @model_validator(mode="after")
    def _audit_log_can_be_written(self) -> Self:
        names = [name for name in AuditSettings.model_fields if name != "audit_log_path"]
        given = [name for name in names if getattr(self, name) != AuditSettings.model_fields[name].default]
        if given and not self.audit_log_path:
            raise ValueError(f"--{given[0].replace('_', '-')} is given, so --audit-log-path is needed")
        directory = Path(self.audit_log_path).absolute().parent
        if self.audit_log_path not in ("", _STANDARD_OUTPUT) and not directory.is_dir():
            raise ValueError(f"--audit-log-path {self.audit_log_path}: there is no directory {directory}")
        self.audit_policy  # noqa: B018 - read once, so that what is wrong with it is told at the start
        return self
