"""`fairlead api`."""

import uvloop

from app.main.api import run_api
from app.settings import ApiSettings
from app.supervisor.listening import inherit, reserve


def run(settings: ApiSettings) -> None:
    """Runs one API process, until it is told to stop.

    Raises:
        CannotListenError: The port is taken, the address is not this machine's, or nothing was inherited.
        FairleadError: The database cannot be worked with.
    """
    listener = reserve(settings.host, settings.port) if settings.fd is None else inherit(settings.fd)
    uvloop.run(run_api(settings, listener))
