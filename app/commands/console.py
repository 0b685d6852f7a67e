"""`fairlead console`."""

import uvloop

from app.main.console_process import run_console
from app.settings.console_process import ConsoleProcessSettings
from app.supervisor.listening import reserve


def run(settings: ConsoleProcessSettings) -> None:
    """Run one console until SIGTERM or SIGINT.

    Raises:
        CannotListenError: A port is in use, or an address is not one of this machine.
    """
    health = reserve(settings.health_host, settings.health_port, "--health-port") if settings.health_port else None
    uvloop.run(run_console(settings, reserve(settings.host, settings.port), health))
