"""The settings of `revoke-tokens`."""

from pathlib import Path

from pydantic import Field

from app.credentials.encryption_keys import read_keys
from app.settings.base import DatabaseSettings


class RevocationSettings(DatabaseSettings):
    """Where the keys are that sign tokens."""

    data_dir: Path = Field(Path(".data"), description="Directory of the embedded Postgres; unused with --database-url")
    encryption_key_file: Path | None = Field(
        None,
        description="Keys with which Secrets are encrypted in the database; with the embedded Postgres those of its "
        "data directory",
    )

    def keys(self) -> tuple[bytes, ...]:
        """The keys of Secrets, none if they are stored in clear.

        Raises:
            ValueError: They cannot be read.
        """
        own = self.data_dir / "encryption-keys"
        path = self.encryption_key_file or (own if self.database_url is None and own.exists() else None)
        return () if path is None else read_keys(path)
