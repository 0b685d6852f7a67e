"""`fairlead dns`."""

import uvloop

from app.main.dns import run_dns
from app.settings.processes import DNSProcessSettings
from app.supervisor.listening import reserve, reserve_dns


def run(settings: DNSProcessSettings) -> None:
    """Answer DNS queries until SIGTERM or SIGINT.

    Raises:
        CannotListenError: A port is in use, or an address is not one of this machine.
        FairleadError: The database cannot be used.
    """
    sockets = reserve_dns(settings.dns_host, settings.dns_port)
    health = reserve(settings.health_host, settings.health_port, "--health-port") if settings.health_port else None
    uvloop.run(run_dns(settings, sockets, health))
