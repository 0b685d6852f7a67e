"""`fairlead serve`."""

from app.settings.serve import ServeSettings
from app.supervisor.supervisor import Supervisor


def run(settings: ServeSettings) -> None:
    """Run all processes until SIGTERM or SIGINT.

    Raises:
        CannotStartError: It cannot start; the message says why.
    """
    Supervisor(settings).run()
