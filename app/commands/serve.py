"""`fairlead serve`."""

from app.settings import ServeSettings
from app.supervisor.supervisor import Supervisor


def run(settings: ServeSettings) -> None:
    """Runs everything, until it is told to stop.

    Raises:
        CannotStartError: What stands in the way.
    """
    Supervisor(settings).run()
