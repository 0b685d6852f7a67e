"""A DNS process, put together."""

import asyncio
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress

from app.cluster.dns_names import DNSNames
from app.cluster.zone_contents import ZoneContents
from app.cluster.zone_journals import ZoneJournals
from app.credentials.cookie_secrets import SECRET_BYTES, read_cookie_secrets
from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service import SERVICE
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.declarations.static_address import STATIC_ADDRESS
from app.domain.errors import ServiceUnavailable
from app.main.exporting import exporting
from app.main.health import serve_health
from app.main.lifecycle import Lifecycle
from app.main.parts import Parts, started
from app.main.reloading import reloading, warn_if_exposed
from app.main.stopping import stop_signals
from app.main.zones import ZoneFollowers, tsig_keys, zone_followers
from app.mirror.entry import Change
from app.reloading import Source, log_level
from app.serving.dns.cookies import Cookies
from app.serving.dns.server import DNSServer
from app.serving.dns.transfers import TransferParts
from app.settings.processes import DNSProcessSettings
from app.telemetry import tracing

_SERIALS_SECONDS = 0.2

KINDS = tuple(
    kind.key for kind in (ADDRESS_POOL, DNS_ZONE, ENDPOINT_SLICE, NAMESPACE, SERVICE, SERVICE_CIDR, STATIC_ADDRESS)
)
"""What names follow from. A process that answers for them keeps nothing else in memory, such as Pods and Secrets."""


async def run_dns(
    settings: DNSProcessSettings, sockets: tuple[socket.socket, socket.socket], health: socket.socket | None
) -> None:
    """Answer DNS queries until SIGTERM or SIGINT; SIGHUP has it read secrets and the level of the log again.

    What was answered goes on when the database is away: the mirror keeps what it has.

    Args:
        settings: Of the command line.
        sockets: Bound for UDP and for TCP.
        health: A bound socket for health and metrics, None to serve none.

    Raises:
        UnsuitableDatabaseError: The database has another version's schema, or none.
        DisagreementError: Others work on the database with other settings.
    """
    cookies = Cookies(settings.dns_cookie_secrets or (secrets.token_bytes(SECRET_BYTES),))
    sources = (*log_level(settings), *_cookie_secrets(settings, cookies), *tsig_keys(settings.tsig_keys))
    async with (
        stop_signals() as stopping,
        reloading(stopping.set, *sources),
        exporting(settings, "dns"),
        started(settings, stopping, kinds=KINDS) as parts,
    ):
        followers = zone_followers(parts, settings.dns_addresses)
        server = dns_server(parts, settings, cookies, followers)
        if tracing.is_on():
            # After what the names follow from: the change can be asked for now.
            parts.mirror.subscribe(_trace, lambda: None)
        life = Lifecycle("dns", {})
        answering = server.serve(*sockets, stopping, listening=life.listening("dns", sockets[0]))
        tasks = [
            asyncio.create_task(answering, name="dns"),
            asyncio.create_task(serve_health(health, {}, stopping, life.listening("health", health)), name="health"),
            asyncio.create_task(life.run(stopping), name="life"),
            asyncio.create_task(keep_serials(followers.journals, stopping), name="serials"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.set()
            await asyncio.wait(tasks)
        for task in tasks:
            task.result()


def dns_server(parts: Parts, settings: DNSProcessSettings, cookies: Cookies, followers: ZoneFollowers) -> DNSServer:
    """The DNS server over the parts of a process."""
    slices, zones = followers.slices, followers.zones
    names = DNSNames(parts.mirror, slices, zones, settings.cluster_domain)
    contents = ZoneContents(parts.mirror, slices, zones, settings.cluster_domain)
    transfers = TransferParts(parts.mirror, zones, followers.journals, contents, settings.tsig_keys)
    return DNSServer(zones, names, cookies, settings.dns_rate_limit, transfers)


def _trace(changes: Sequence[Change]) -> None:
    """Tell, in their traces, that these changes have reached this process."""
    for change in changes:
        if change.trace:
            span = tracing.begin("answer with it", change.trace, fairlead__revision=change.revision)
            if span is not None:
                span.end()


async def keep_serials(journals: ZoneJournals, stopping: asyncio.Event) -> None:
    """Have the serials of zones computed anew whenever changes were missed, until `stopping` is set."""
    while not stopping.is_set():
        with suppress(ServiceUnavailable):
            await journals.current()
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), _SERIALS_SECONDS)


def _cookie_secrets(settings: DNSProcessSettings, cookies: Cookies) -> Iterator[Source]:
    """The secrets of cookies, where they are in a file."""
    path = settings.dns_cookie_secret_file
    if path is None:
        return

    def read() -> None:
        cookies.replace(read_cookie_secrets(path))
        warn_if_exposed(path)

    yield Source("DNS cookie secrets", (path,), read)
