"""`fairlead xds`."""

import uvloop

from app.main.xds import run_xds
from app.settings.xds import XdsSettings
from app.supervisor.listening import reserve


def run(settings: XdsSettings) -> None:
    """Run one server for Envoys until SIGTERM or SIGINT.

    Raises:
        CannotListenError: The port is in use, or the address is not one of this machine.
        FairleadError: The database cannot be used.
    """
    health = reserve(settings.health_host, settings.health_port, "--health-port") if settings.health_port else None
    if settings.xds_port:
        # gRPC says only that it cannot: the message of this one says why.
        reserve(settings.xds_host, settings.xds_port, "--xds-port").close()
    uvloop.run(run_xds(settings, health))
