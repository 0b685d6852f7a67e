"""`fairlead api`."""

import socket

import uvloop

from app.main.api import run_api
from app.settings import ApiSettings
from app.supervisor.listening import reserve


def run(settings: ApiSettings) -> None:
    """Runs one API process, until it is told to stop.

    Raises:
        CannotListenError: The port is taken, or the address is not this machine's.
        FairleadError: The database cannot be worked with.
    """
    listener = reserve(settings.host, settings.port) if settings.fd is None else socket.socket(fileno=settings.fd)
    uvloop.run(run_api(settings, listener))
