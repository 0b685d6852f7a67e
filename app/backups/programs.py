"""Postgres' own programs for dumps, as the embedded Postgres brings them."""

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from app.backups.archive import CHUNK_BYTES
from app.backups.errors import BackupError
from app.supervisor.binaries import POSTGRES_MAJOR, binaries

_PLAIN = ("--no-owner", "--no-privileges")


def check_version(major: int) -> None:
    """Make sure that the programs can work with a server: they dump from their own version and older ones.

    Raises:
        BackupError: The server is newer than they are.
    """
    if major > POSTGRES_MAJOR:
        raise BackupError(
            f"the server is Postgres {major}, and the programs here are of Postgres {POSTGRES_MAJOR}: use pg_dump and "
            "pg_restore of the server's version; the first process that starts on the restored database does the rest"
        )


def dump(url: str, snapshot: str) -> Iterator[bytes]:
    """What `pg_dump` writes in its custom format, compressed, as of a snapshot.

    Args:
        url: The database.
        snapshot: Name of an exported snapshot (`pg_export_snapshot`).

    Raises:
        BackupError: It failed. Nothing that was read is a backup then.
    """
    flags = ("--format=custom", "--compress=gzip:6", f"--snapshot={snapshot}", "--exclude-extension=*", *_PLAIN)
    with TemporaryFile() as complaints, _running("pg_dump", url, flags, complaints, stdout=subprocess.PIPE) as process:
        while piece := _stream(process.stdout).read(CHUNK_BYTES):
            yield piece
        _check(process, complaints, "pg_dump")


def restore(url: str, pieces: Iterable[bytes]) -> None:
    """Have `pg_restore` restore a dump, all or nothing.

    Raises:
        BackupError: It failed, or the dump did. Nothing was restored.
    """
    flags = ("--single-transaction", "--exit-on-error", *_PLAIN)
    with (
        TemporaryFile() as complaints,
        _running("pg_restore", url, flags, complaints, stdin=subprocess.PIPE) as process,
    ):
        stdin = _stream(process.stdin)
        # When pg_restore ends early it says why; its closed pipe tells less.
        with suppress(BrokenPipeError):
            for piece in pieces:
                stdin.write(piece)
            stdin.close()
        _check(process, complaints, "pg_restore")


def base_backup(url: str, directory: Path) -> None:
    """Have `pg_basebackup` copy the whole cluster into a new directory. It checks each page that it copies.

    Raises:
        BackupError: It failed.
    """
    flags = ("--pgdata", str(directory), "--checkpoint=fast", "--wal-method=stream")
    with TemporaryFile() as complaints, _running("pg_basebackup", url, flags, complaints) as process:
        _check(process, complaints, "pg_basebackup")


@contextmanager
def _running(
    program: str,
    url: str,
    flags: Sequence[str],
    complaints: IO[bytes],
    stdin: int = subprocess.DEVNULL,
    stdout: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that ends with the block."""
    location, password = without_password(url)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    environment["PGTARGETSESSIONATTRS"] = "primary"
    if password is not None:
        environment["PGPASSWORD"] = password
    process = subprocess.Popen(
        [binaries(None) / program, *flags, "--no-password", f"--dbname={location}"],
        env=environment,
        stdin=stdin,
        stdout=stdout,
        stderr=complaints,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the program was started without a pipe")
    return stream


def _check(process: subprocess.Popen[bytes], complaints: IO[bytes], program: str) -> None:
    if process.wait() != 0:
        complaints.seek(0)
        raise BackupError(f"{program} failed: {complaints.read(2000).decode(errors='replace').strip()}")


def without_password(url: str) -> tuple[str, str | None]:
    """A connection URL without its password, and the password: every user of a machine can read command lines."""
    parts = urlsplit(url)
    credentials, at, hosts = parts.netloc.rpartition("@")
    user, colon, password = credentials.partition(":")
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    named = dict(parameters).get("password")
    query = urlencode([(name, value) for name, value in parameters if name != "password"], quote_via=quote)
    secret = unquote(password) if colon else named
    return parts._replace(netloc=f"{user}{at}{hosts}", query=query).geturl(), secret
