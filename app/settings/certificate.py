"""The settings of `fairlead certificate`."""

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from app.settings.base import LoggingSettings
from app.settings.values import Words

_LONGEST = 64  # ub-common-name and ub-organization-name, RFC 5280 appendix A
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")


def _fits(text: str) -> str:
    """Check that a name fits into the subject of a certificate.

    Raises:
        ValueError: It is empty or too long.
    """
    if not 0 < len(text) <= _LONGEST:
        raise ValueError(f"{text!r} must have 1 to {_LONGEST} characters")
    return text


class CertificateSettings(LoggingSettings):
    """Whom a certificate is for, and who issues it."""

    user: Annotated[str, AfterValidator(_fits)] = Field(description="Name of the user, the CN of the certificate")
    group: Annotated[Words, NoDecode, BeforeValidator(Words.parse)] = Field(
        Words(), description="Groups of the user, the O's of the certificate, separated by commas"
    )
    days: int = Field(365, ge=1, le=3650, description="Days for which it is valid; it cannot be withdrawn before")
    data_dir: Path = Field(Path(".data"), description="Data directory of `serve`, whose authority issues it")
    out: Path | None = Field(None, description="File for the certificate and its key; by default USER.pem")

    @model_validator(mode="after")
    def _groups_fit(self) -> Self:
        for group in self.group:
            _fits(group)
        return self

    @model_validator(mode="after")
    def _file_has_a_name(self) -> Self:
        if self.out is None and not _FILE_NAME.fullmatch(self.user):
            raise ValueError(f"--user {self.user!r} is no name of a file: give one with --out")
        return self
