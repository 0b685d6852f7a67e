"""The settings of `migrate`."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import CliToggleFlag

from app.settings.base import DatabaseSettings


class MigrateSettings(DatabaseSettings):
    """The further settings of `migrate`: where to, and whether to do it or to tell of it."""

    to: str | None = Field(
        None,
        description="Schema to bring the database to, such as 0005; an older one takes it back. By default the newest "
        "that this version knows",
    )
    plan: CliToggleFlag[bool] = Field(
        False,
        description="Change nothing: tell what would run, what it locks, and which of the processes at work may go on",
    )
    accept_loss: CliToggleFlag[bool] = Field(
        False, description="Take the schema back even if that loses data, which the refusal and --plan name"
    )

    @model_validator(mode="after")
    def _loss_is_of_a_way_back(self) -> Self:
        if self.accept_loss and self.to is None:
            raise ValueError("--accept-loss needs --to: only a way back loses data")
        return self
