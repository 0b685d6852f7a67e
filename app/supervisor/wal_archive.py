"""Where the embedded Postgres archives its write-ahead log, so that any later moment can be restored.

The directory has two others: `wal`, with the segments of the log, and `base`, with base backups by the time at which
each was complete.
"""

import os
import shlex
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from app.supervisor.errors import WalArchiveUnusableError

_STAMP = "%Y-%m-%dT%H%M%SZ"


class WalArchive:
    """An archive of one cluster.

    Args:
        path: Its directory. It is created if it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._wal = self.path / "wal"
        self._base = self.path / "base"

    def prepare(self, user: tuple[int, int] | None) -> None:
        """Create the directories, and make sure that Postgres can write to them.

        Args:
            user: The (uid, gid) that Postgres runs as, None for this process' own.

        Raises:
            WalArchiveUnusableError: It cannot.
        """
        try:
            for directory in (self._wal, self._base):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if user is not None:
                os.chown(self._wal, *user)
        except OSError as error:
            raise WalArchiveUnusableError(f"the archive {self.path} cannot be used: {error.strerror}") from error
        uid, gid = user or (os.geteuid(), os.getegid())
        test = subprocess.run(["test", "-w", self._wal], user=uid, group=gid, cwd="/", check=False)
        if test.returncode != 0:
            raise WalArchiveUnusableError(
                f"the user with number {uid}, as whom Postgres runs, cannot write to {self._wal}: choose another "
                "directory, or let that user into those above it"
            )

    def settings(self) -> Mapping[str, str]:
        """Settings of Postgres. A segment appears under its name when it is whole and on the disk.

        Postgres archives a segment again if it crashed before it noted that; the same one is taken, another is not.
        """
        target = shlex.quote(str(self._wal)).replace("%", "%%")
        place, unfinished = f"{target}/%f", f"{target}/%f.unfinished"
        return {
            "archive_mode": "on",
            "archive_command": f"cmp -s %p {place} || (test ! -e {place} && cp %p {unfinished} && sync {unfinished} "
            f"&& mv {unfinished} {place} && sync {target})",
            # The most that a lost machine takes along, in seconds.
            "archive_timeout": "60",
        }

    def restore_settings(self, until: datetime | None) -> Mapping[str, str]:
        """Settings of Postgres with which it recovers from the archive.

        Args:
            until: The moment, None for the end of the archive.
        """
        place = shlex.quote(str(self._wal)).replace("%", "%%")
        # Nobody is let in before the recovery has ended.
        settings = {"restore_command": f"cp {place}/%f %p", "hot_standby": "off"}
        if until is not None:
            settings |= {"recovery_target_time": until.isoformat(), "recovery_target_action": "promote"}
        return settings

    def new_base(self) -> Path:
        """The path of a base backup that is about to be made."""
        return self._base / "unfinished"

    def keep_base(self) -> Path:
        """Name the new base backup, which is complete now."""
        return self.new_base().rename(self._base / datetime.now(UTC).strftime(_STAMP))

    def bases(self) -> Mapping[datetime, Path]:
        """The base backups, the oldest first, by the time at which each was complete."""
        found = {}
        for path in sorted(self._base.glob("*Z")):
            found[datetime.strptime(path.name, _STAMP).replace(tzinfo=UTC)] = path
        return found


def quoted(value: str) -> str:
    """A value as the configuration files of Postgres have it."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
