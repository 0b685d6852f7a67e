"""`fairlead reconciler`."""

import uvloop

from app.main.reconciler import run_reconciler
from app.settings import ReconcilerSettings
from app.supervisor.listening import reserve


def run(settings: ReconcilerSettings) -> None:
    """Runs one reconciler, until it is told to stop.

    Raises:
        CannotListenError: The port of its health is taken, or the address is not this machine's.
        FairleadError: The database cannot be worked with.
    """
    health = reserve(settings.health_host, settings.health_port, "--health-port") if settings.health_port else None
    uvloop.run(run_reconciler(settings, health))
