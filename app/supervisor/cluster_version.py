"""Which major version of Postgres made the cluster of a data directory."""

from pathlib import Path

from app.supervisor.binaries import POSTGRES_MAJOR
from app.supervisor.errors import OtherPostgresError

UPGRADED = Path("upgrading", "complete")
"""A file in the data directory: its cluster has a successor beside it, which only has to take its place."""


def major_of(cluster: Path) -> int:
    """The major version of Postgres that made a cluster."""
    return int((cluster / "PG_VERSION").read_text())


def check_cluster(data_dir: Path) -> None:
    """Make sure that a data directory has a cluster of the version of Postgres that is run, or none.

    Raises:
        OtherPostgresError: It has one of another version, or an upgrade has not ended.
    """
    cluster = data_dir / "postgres"
    if not cluster.exists() and (data_dir / UPGRADED).exists():
        raise OtherPostgresError(
            f"an upgrade of Postgres in {data_dir} was ended before its last step: run `fairlead upgrade-postgres` "
            "again with the same --data-dir, which takes that step"
        )
    if not cluster.exists() or (found := major_of(cluster)) == POSTGRES_MAJOR:
        return
    if found > POSTGRES_MAJOR:
        raise OtherPostgresError(
            f"the database in {data_dir} is of Postgres {found}, and this version runs Postgres {POSTGRES_MAJOR}: use "
            "the newer version of Fairlead that upgraded it"
        )
    raise OtherPostgresError(
        f"the database in {data_dir} is of Postgres {found}, and this version runs Postgres {POSTGRES_MAJOR}: run "
        "`fairlead upgrade-postgres` with the same --data-dir"
    )
