"""What keeps a server from working: its configuration, disk, database, clock, ports and certificates are looked at.

The settings were read already: a wrong one, or a file that a setting names and that cannot be used, ended the command
before.
"""

import os
import stat
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from app.inspection.certificate_checks import certificate_findings
from app.inspection.database_checks import database_findings
from app.inspection.finding import Finding
from app.settings.serve import ServeSettings
from app.supervisor.binaries import binaries, unprivileged_user
from app.supervisor.cluster_version import check_cluster
from app.supervisor.data_directory import DataDirectory
from app.supervisor.envoy import envoy_program
from app.supervisor.errors import CannotStartError, DataDirectoryUnusableError, UntrustedCertificateError
from app.supervisor.listening import check_dns, reserve, url
from app.supervisor.postgres import EmbeddedPostgres
from app.supervisor.probe import Probe, answers_dns

_SCARCE_BYTES, _LITTLE_BYTES = 256 * 2**20, 2 * 2**30
_OTHERS = stat.S_IRWXG | stat.S_IRWXO

__all__ = ["Finding", "examine"]


async def examine(settings: ServeSettings) -> list[Finding]:
    """Everything that was found, also what is well."""
    return [finding async for finding in _examine(settings)]


async def _examine(settings: ServeSettings) -> AsyncIterator[Finding]:
    source = f"the file {settings.config}, " if settings.config else ""
    yield Finding("ok", "settings", f"valid: {source}flags and environment, and the files that they name")
    with _lock(settings.data_dir) as runs:
        for finding in (*_rights(settings), *_disk(settings.data_dir)):
            yield finding
        database = str(settings.url) if settings.database_url else _embedded(settings, runs=runs)
        if database:
            async for finding in database_findings(database):
                yield finding
        else:
            yield _programs(settings)
        for finding in _running(settings) if runs else _ports(settings):
            yield finding
    for finding in (*certificate_findings(settings), *_envoy(settings)):
        yield finding


@contextmanager
def _lock(path: Path) -> Iterator[bool]:
    """Whether a `serve` runs on a data directory; while this is entered none can start, and none is made."""
    if not path.exists() or not os.access(path, os.W_OK):
        yield False
        return
    directory = DataDirectory(path)
    try:
        directory.acquire()
    except DataDirectoryUnusableError:
        yield True
        return
    try:
        yield False
    finally:
        directory.release()


def _rights(settings: ServeSettings) -> Iterator[Finding]:
    path = settings.data_dir.absolute()
    place = next(each for each in (path, *path.parents) if each.exists())
    if not os.access(place, os.W_OK | os.X_OK):
        yield Finding(
            "problem",
            "rights",
            f"{place} cannot be written by this user",
            "name another --data-dir, or change its owner",
        )
    elif path.exists() and path.stat().st_mode & _OTHERS & ~stat.S_IXGRP & ~stat.S_IXOTH:
        yield Finding("warning", "rights", f"others can read {path}, which holds keys", f"chmod 700 '{path}'")
    else:
        yield Finding("ok", "rights", f"{place} can be written, and by this user alone")


def _disk(path: Path) -> Iterator[Finding]:
    place = next(each for each in (path.absolute(), *path.absolute().parents) if each.exists())
    free = psutil.disk_usage(str(place)).free
    told = f"{free / 2**30:.1f} GiB are free at {place}"
    if free < _SCARCE_BYTES:
        yield Finding("problem", "disk", told, "free at least 2 GiB: Postgres stops when the disk is full")
    elif free < _LITTLE_BYTES:
        yield Finding("warning", "disk", told, "free at least 2 GiB; the log of changes alone may take one")
    else:
        yield Finding("ok", "disk", told)


def _embedded(settings: ServeSettings, *, runs: bool) -> str:
    """URL of the database that a running `serve` has started, "" if none runs."""
    return EmbeddedPostgres(settings.data_dir).url() if runs else ""


def _programs(settings: ServeSettings) -> Finding:
    try:
        check_cluster(settings.data_dir)
    except CannotStartError as error:
        return Finding("problem", "database", str(error), "back up the data directory first")
    try:
        found = binaries(unprivileged_user(settings.data_dir / "postgres"))
    except CannotStartError as error:
        return Finding("problem", "database", str(error), "install Fairlead again, or give a --database-url")
    return Finding("ok", "database", f"not running; the programs of Postgres in {found} run here")


def _ports(settings: ServeSettings) -> Iterator[Finding]:
    """Whether the ports can be had."""
    try:
        reserve(settings.host, settings.port).close()
        yield Finding("ok", "port", f"{settings.host} port {settings.port} is free")
    except CannotStartError as error:
        yield Finding("problem", "port", str(error), "`ss -ltnp` shows which program has it")
    if settings.dns_port:
        try:
            check_dns(settings.dns_host, settings.dns_port)
            yield Finding("ok", "dns port", f"{settings.dns_host} port {settings.dns_port} is free")
        except CannotStartError as error:
            yield Finding("warning", "dns port", str(error), "without it no DNS queries are answered")


def _running(settings: ServeSettings) -> Iterator[Finding]:
    """Whether the server that runs on the data directory answers."""
    trusted = settings.data_dir / "tls" / "ca.pem" if settings.needs_own_certificate else settings.tls_cert_file
    server = url(settings.host, settings.port, "http" if trusted is None else "https")
    begun = time.monotonic()
    try:
        answers = Probe(server, trusted).answers()
    except UntrustedCertificateError as error:
        yield Finding("problem", "api", str(error), "see the lines about certificates")
        return
    if answers:
        yield Finding("ok", "api", f"{server} is ready, after {(time.monotonic() - begun) * 1000:.0f} ms")
    else:
        yield Finding(
            "problem",
            "api",
            f"a server runs on {settings.data_dir}, and {server} is not ready",
            "give doctor the settings that serve has; then `curl " + server + "/readyz?verbose` tells more",
        )
    if settings.dns_port and not answers_dns(settings.dns_host, settings.dns_port, settings.cluster_domain):
        yield Finding(
            "warning",
            "dns",
            f"{settings.dns_host} port {settings.dns_port} does not answer for {settings.cluster_domain}",
            "see the log of serve for `DNS queries are not answered`",
        )


def _envoy(settings: ServeSettings) -> Iterator[Finding]:
    if settings.data_plane == "none":
        return
    try:
        yield Finding("ok", "envoy", f"{envoy_program()} is there")
    except CannotStartError as error:
        yield Finding("problem", "envoy", str(error), "install Fairlead again, or give --data-plane none")
