"""What every command can be told. A setting is a flag and a variable FAIRLEAD_*, which are read once, at the start."""

from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.settings.values import (
    Url,
    postgres_url,
    read_level,
)

ENVIRONMENT_PREFIX = "FAIRLEAD_"

LogLevel = Literal["debug", "info", "warning", "error"]


class LoggingSettings(BaseSettings):
    """The settings of every command: how to log."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        frozen=True,
        cli_kebab_case=True,
        cli_show_env_vars=True,
        cli_hide_none_type=True,
        cli_exit_on_error=False,
    )

    config: Path | None = Field(
        None,
        description="File of settings in TOML or YAML, named as the flags are, such as port: 8080; flags and "
        "environment variables come before it",
    )
    log_format: Literal["console", "json"] = Field("console", description="Form of the lines of the log")
    log_level: LogLevel = Field("info", description="Lowest level that is logged")
    log_level_file: Path | None = Field(
        None, description="File with the level, instead of --log-level; a process reads it again when it changes"
    )

    @property
    def level(self) -> str:
        """The lowest level that is logged, read from its file if there is one.

        Raises:
            ValueError: The file cannot be read or holds something else.
        """
        return self.log_level if self.log_level_file is None else read_level(self.log_level_file, get_args(LogLevel))

    @model_validator(mode="after")
    def _level_is_one(self) -> Self:
        _ = self.level
        return self


class DatabaseSettings(LoggingSettings):
    """The settings of every command that works on the database."""

    database_url: Annotated[Url, AfterValidator(postgres_url)] | None = Field(
        None,
        description="Postgres 15 or newer, postgresql://user:password@host:5432/database. Every user of the machine "
        "can read a command line, so put a password into the environment variable",
    )

    @property
    def url(self) -> str:
        """The URL of the database, password included. The command line makes sure that there is one.

        Raises:
            ValueError: There is none.
        """
        if self.database_url is None:
            raise ValueError("this command was started without a database")
        return self.database_url.get_secret_value()

    def environment(self) -> dict[str, str]:
        """Environment variables that give a child process the same settings."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        texts = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in values.items()
            if value is not None
        }
        return {ENVIRONMENT_PREFIX + name.upper(): text for name, text in texts.items()}
