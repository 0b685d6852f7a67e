"""A process that serves Envoys, put together."""

import asyncio
import socket
from ipaddress import ip_address

import grpc

from app.credentials.xds_certificates import XdsCertificates
from app.main.exporting import exporting
from app.main.health import serve_health
from app.main.lifecycle import Lifecycle
from app.main.parts import holder_name, now, started
from app.main.reloading import reloading, service_tags, xds_certificates
from app.main.stopping import stop_signals
from app.reloading import log_level
from app.serving.xds.catalog import Catalog
from app.serving.xds.deliveries import TracedRevisions
from app.serving.xds.planes import Planes
from app.serving.xds.reports import Reports
from app.serving.xds.server import XdsServer
from app.serving.xds.streams import DiscoveryService
from app.settings.xds import XdsSettings
from app.telemetry import tracing


async def run_xds(settings: XdsSettings, listener: socket.socket | None) -> None:
    """Serve Envoys until SIGTERM or SIGINT; SIGHUP has it read certificates and the level of the log again.

    Args:
        settings: Of the command line.
        listener: A bound socket for health and metrics, None to serve none.

    Raises:
        UnsuitableDatabaseError: The database has another version's schema, or none.
        DisagreementError: Others work on the database with other settings.
    """
    sources = (
        *log_level(settings),
        *xds_certificates(settings.xds_tls),
        *service_tags(settings.service_tags_file),
    )
    async with (
        stop_signals() as stopping,
        reloading(stopping.set, *sources),
        exporting(settings, "xds"),
        started(settings, stopping) as parts,
    ):
        # Before the catalog, which looks for the contexts of what it puts.
        traced = TracedRevisions(parts.mirror) if tracing.is_on() else None
        catalog, planes = Catalog(parts.mirror, parts.cluster, settings.xds_services_per_plane), Planes()
        service = DiscoveryService(catalog, planes, now, embedded_on_socket=settings.allows_loopback, traced=traced)
        checks = {"mirror": parts.check_mirror}
        life = Lifecycle("xds", checks)
        server = _listening(service, settings)
        await server.start()
        if settings.xds_socket is not None:
            life.listening_on("xds", settings.xds_socket)
        if settings.xds_port:
            life.listening_at("xds", settings.xds_host, settings.xds_port)
        reports = Reports(parts.registry(0, lambda: True), parts.mirror, planes, catalog.offer_of, holder_name(), now)
        tasks = [
            asyncio.create_task(catalog.run(), name="catalog"),
            asyncio.create_task(reports.run(), name="reports"),
            asyncio.create_task(
                serve_health(listener, checks, stopping, life.listening("health", listener)), name="health"
            ),
            asyncio.create_task(life.run(stopping), name="life"),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        await server.stop()
        for task in tasks[:2]:
            task.cancel()
        await asyncio.wait(tasks)
        await reports.report()  # that all Envoys have been disconnected
        for task in tasks:
            if not task.cancelled():
                task.result()


def _listening(service: DiscoveryService, settings: XdsSettings) -> XdsServer:
    server = XdsServer(service)
    if settings.xds_socket is not None:
        server.listen_on(settings.xds_socket)
    if settings.xds_port:
        address = ip_address(settings.xds_host)
        host = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004 - the protocol's own number
        credentials = None if settings.xds_tls is None else credentials_of(settings.xds_tls)
        server.listen(f"{host}:{settings.xds_port}", credentials)
    return server


def credentials_of(certificates: XdsCertificates) -> grpc.ServerCredentials:
    """Mutual TLS; each handshake takes what was read last from the files."""
    used = certificates.version

    def configuration() -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            [(certificates.key, certificates.chain)], root_certificates=certificates.authorities
        )

    def newer() -> grpc.ServerCertificateConfiguration | None:
        nonlocal used
        if used == certificates.version:
            return None
        used = certificates.version
        return configuration()

    return grpc.dynamic_ssl_server_credentials(
        configuration(),
        newer,  # type: ignore[arg-type]  # None, which the stubs forget, leaves the configuration as it is
        require_client_authentication=True,
    )
