"""The database of a data directory, for commands that work on it beside `serve` or while it is stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.supervisor.errors import DataDirectoryUnusableError
from app.supervisor.postgres import EmbeddedPostgres


@contextmanager
def reached_database(data_dir: Path, wal_archive: Path | None = None) -> Iterator[str]:
    """Gives the URL of the embedded database; it is started while entered if no `serve` runs it.

    Raises:
        DataDirectoryUnusableError: There is none.
    """
    if not (data_dir / "postgres").exists():
        raise DataDirectoryUnusableError(f"{data_dir} has no database: name another --data-dir, or a --database-url")
    postgres = EmbeddedPostgres(data_dir, wal_archive)
    try:
        postgres.directory.acquire()
    except DataDirectoryUnusableError:
        yield postgres.url()  # somebody runs it
        return
    with postgres:
        yield postgres.url()
