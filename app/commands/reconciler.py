"""`fairlead reconciler`."""

import uvloop

from app.main.reconciler import run_reconciler
from app.settings import ReconcilerSettings


def run(settings: ReconcilerSettings) -> None:
    """Runs one reconciler, until it is told to stop.

    Raises:
        FairleadError: The database cannot be worked with.
    """
    uvloop.run(run_reconciler(settings))
