"""Reading files again while a process runs."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from app.audit.policy_file import CurrentPolicy
from app.credentials.certificates import RootCertificates, ServedCertificate, expiry, last_expiry
from app.credentials.secret_files import others_can_read
from app.credentials.tokens import Token, TokenUsers, read_tokens
from app.credentials.xds_certificates import XdsCertificates
from app.domain.user import MASTERS
from app.oidc.providers import Providers
from app.reloading import Reloads, Source, Terminal
from app.service_tags import ServiceTagsFile
from app.settings.api import EdgeSettings
from app.telemetry.logs import mask
from app.telemetry.metrics import CERTIFICATE_EXPIRY

_CHECK_SECONDS = 2.0

_log = structlog.stdlib.get_logger(__name__)


@asynccontextmanager
async def reloading(stop: Callable[[], None], *sources: Source) -> AsyncIterator[None]:
    """While entered, and after: SIGHUP does not end the process. While entered, files are read again.

    Args:
        stop: Stops the process; called at SIGHUP if the terminal that it was started from is gone.
        sources: What is read again, at SIGHUP and when it changes.
    """
    told, terminal = asyncio.Event(), Terminal()

    def hang_up() -> None:
        if terminal.is_gone():
            stop()
        else:
            told.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hang_up)
    task = asyncio.create_task(_reload(Reloads(*sources), told), name="reload")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _reload(reloads: Reloads, told: asyncio.Event) -> None:
    while True:
        reloads.check()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CHECK_SECONDS):
                await told.wait()
        if told.is_set():
            told.clear()
            reloads.everything()


def tokens(path: Path | None, users: TokenUsers | None) -> Iterator[Source]:
    """The users by their tokens, where there are any."""
    if path is None or users is None:
        return

    def read() -> None:
        found = read_tokens(path)
        users.replace(found)
        mask(token.secret for token in found)
        warn_if_exposed(path)
        warn_without_masters(found, path)

    yield Source("tokens", (path,), read)


def warn_without_masters(found: Iterable[Token], path: Path) -> None:
    """Say so when nobody who has a token may make the first bindings."""
    if not any(MASTERS in token.user.groups for token in found):
        _log.warning(
            f"no user of the token file is in the group {MASTERS}: only a binding lets anybody give rights",
            path=str(path),
        )


def identity_providers(settings: EdgeSettings, providers: Providers) -> Iterator[Source]:
    """The providers of identities, where they are in a file."""
    path = settings.authentication_config
    if path is not None:
        yield Source("providers", (path,), lambda: providers.replace(settings.read_providers()))


def audit_policy(settings: EdgeSettings, policy: CurrentPolicy) -> Iterator[Source]:
    """The policy of the audit log, where it is in a file."""
    path = settings.audit_policy_file
    if path is not None:
        yield Source("audit policy", (path,), lambda: policy.replace(settings.read_audit_policy()))


def certificate(served: ServedCertificate | None, use: str) -> Iterator[Source]:
    """The certificate, where TLS is served; `use` names it in the metric of its end."""
    if served is None:
        return

    def read() -> None:
        served.reload()
        warn_if_exposed(served.private_key)
        CERTIFICATE_EXPIRY.labels(use).set(expiry(served.certificate))
        if served.client_authority is not None:
            CERTIFICATE_EXPIRY.labels("client-ca").set(last_expiry(served.client_authority))

    authority = () if served.client_authority is None else (served.client_authority,)
    yield Source("certificate", (served.certificate, served.private_key, *authority), read)


def root_certificates(roots: RootCertificates | None) -> Iterator[Source]:
    """The certificates by which clients know the API, where they are known."""
    if roots is not None:
        yield Source("root certificates", (roots.path,), roots.reload)


def service_tags(file: ServiceTagsFile) -> Iterator[Source]:
    """The addresses of service tags, where there is a file of them."""
    if file.path is not None:
        yield Source("service tags", (file.path,), file.reload)


def xds_certificates(found: XdsCertificates | None) -> Iterator[Source]:
    """The certificates of the mutual TLS with Envoys, where there is any."""
    if found is None:
        return

    def read() -> None:
        found.reload()
        shown, _, authorities = found.paths
        CERTIFICATE_EXPIRY.labels("xds").set(expiry(shown))
        CERTIFICATE_EXPIRY.labels("xds-client-ca").set(last_expiry(authorities))

    yield Source("xds certificates", found.paths, read)


def warn_if_exposed(path: Path) -> None:
    """Say so when others can read a file of secrets."""
    if others_can_read(path):
        _log.warning("a file of secrets can be read by others than its owner: chmod go-r", path=str(path))
