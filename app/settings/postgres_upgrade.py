"""The settings of `upgrade-postgres`."""

from pathlib import Path

from pydantic import Field

from app.settings.backup import BackupKeySettings


class PostgresUpgradeSettings(BackupKeySettings):
    """The settings of `upgrade-postgres`: where, from what, and where the backup goes."""

    data_dir: Path = Field(Path(".data"), description="Directory of the embedded Postgres")
    file: Path | None = Field(
        None,
        description="File of the backup that is made before, which must not be there yet; by default "
        "postgres-VERSION.backup in the data directory",
    )
    old_programs: Path | None = Field(
        None,
        description="Directory of the programs of the old Postgres, such as /usr/lib/postgresql/15/bin; by default "
        "those that Fairlead brings",
    )
