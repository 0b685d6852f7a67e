"""The settings of `fairlead status`."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from app.settings.base import LoggingSettings


class StatusSettings(LoggingSettings):
    """Whom to ask, and how to write the answer."""

    model_config = SettingsConfigDict(cli_shortcuts={"output": "o"})

    output: Literal["text", "json", "yaml"] = Field("text", description="Form of the answer")
    kubeconfig: Path | None = Field(
        None, description="How to reach the API; by default the file in KUBECONFIG, else .data/kubeconfig"
    )
