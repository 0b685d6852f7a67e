"""The settings of `backup` and `restore`."""

from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from app.credentials.encryption_keys import read_keys
from app.settings.base import DatabaseSettings, LoggingSettings


class BackupKeySettings(LoggingSettings):
    """The setting of all that makes or reads backups: the keys for them."""

    backup_key_file: Path | None = Field(
        None,
        description="File of keys for backups, in the form of --encryption-key-file: the first encrypts, all decrypt",
    )

    @cached_property
    def backup_keys(self) -> tuple[bytes, ...]:
        """The keys for backups, none without a file of them."""
        return () if self.backup_key_file is None else read_keys(self.backup_key_file)

    @model_validator(mode="after")
    def _backup_keys_can_be_used(self) -> Self:
        self.backup_keys  # noqa: B018 - read once, so that what is wrong with them is told at the start
        return self


class BackupSettings(BackupKeySettings, DatabaseSettings):
    """The settings of `backup`: what, and where to."""

    data_dir: Path = Field(Path(".data"), description="Directory of the embedded Postgres; unused with --database-url")
    file: Path | None = Field(None, description="File of the backup, which must not be there yet")
    wal_archive: Path | None = Field(
        None,
        description="Directory to which `serve` archives the write-ahead log: make a base backup there, from which any "
        "later moment can be restored",
    )

    @model_validator(mode="after")
    def _one_kind_of_backup(self) -> Self:
        if (self.file is None) == (self.wal_archive is None):
            raise ValueError("give either --file or --wal-archive")
        if self.wal_archive is not None and self.database_url is not None:
            raise ValueError("--wal-archive is for the embedded Postgres: use the means of your own Postgres instead")
        if self.wal_archive is not None and self.backup_key_file is not None:
            raise ValueError("--backup-key-file is for --file: keep a --wal-archive on an encrypted disk")
        return self


class RestoreSettings(BackupSettings):
    """The further settings of `restore`: up to which moment."""

    encryption_key_file: Path | None = Field(
        None,
        description="Keys of the Secrets in the backup: a copy of `encryption-keys` of the old data directory. The new "
        "one gets a copy of it",
    )
    until: datetime | None = Field(
        None, description="Of a --wal-archive: the moment to restore, like 2026-11-27T08:30:00Z; by default the latest"
    )

    @model_validator(mode="after")
    def _keys_go_into_a_directory(self) -> Self:
        if self.encryption_key_file is not None:
            read_keys(self.encryption_key_file)
            if self.database_url is not None:
                raise ValueError("--encryption-key-file is for a --data-dir: give it to the processes of your database")
        return self

    @model_validator(mode="after")
    def _a_moment_of_an_archive(self) -> Self:
        if self.until is not None and self.wal_archive is None:
            raise ValueError("--until needs a --wal-archive: a --file holds one moment only")
        if self.until is not None and self.until.tzinfo is None:
            raise ValueError("--until needs a time zone, like 2026-11-27T08:30:00Z")
        return self
