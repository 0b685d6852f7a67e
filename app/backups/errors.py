"""Why a backup could not be made, or not restored."""

from app.domain.errors import FairleadError


class BackupError(FairleadError):
    """A backup cannot be made or restored. The message says why and what to do."""
