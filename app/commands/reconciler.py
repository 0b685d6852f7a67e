"""`fairlead reconciler`."""

import uvloop

from app.main.reconciler import run_reconciler
from app.settings.processes import ReconcilerSettings
from app.supervisor.listening import reserve


def run(settings: ReconcilerSettings) -> None:
    """Run one reconciler until SIGTERM or SIGINT.

    Raises:
        CannotListenError: The port for its health is in use, or the address is not one of this machine.
        FairleadError: The database cannot be used.
    """
    health = reserve(settings.health_host, settings.health_port, "--health-port") if settings.health_port else None
    uvloop.run(run_reconciler(settings, health))
