"""`fairlead api`."""

import uvloop

from app.main.api import run_api
from app.settings.api import ApiSettings
from app.supervisor.listening import inherit, reserve


def run(settings: ApiSettings) -> None:
    """Run one API process until SIGTERM or SIGINT.

    Raises:
        CannotListenError: The port is in use, the address is not one of this machine, or --fd is no bound socket.
        FairleadError: The database cannot be used.
    """
    listener = reserve(settings.host, settings.port) if settings.fd is None else inherit(settings.fd)
    uvloop.run(run_api(settings, listener))
