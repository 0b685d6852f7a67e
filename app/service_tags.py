"""The file with the addresses of service tags."""

from pathlib import Path

from app.credentials.secret_files import refuse_if_writable
from app.domain.rules.service_tags import NO_SERVICE_TAGS, ServiceTags

_LARGEST = 64 * 1024 * 1024
"""Bytes. The list that Azure publishes has about 4 MiB."""


class ServiceTagsFile:
    """Service tags that are read from a file, and again when it changes.

    Attributes:
        path: The file, in the form in which Azure publishes its tags; None for no tags at all.
        current: The tags that were read last.

    Raises:
        ValueError: The file cannot be used. The message says why.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.current = NO_SERVICE_TAGS
        self.reload()

    def reload(self) -> None:
        """Read the file again.

        Raises:
            ValueError: The file cannot be used; what was read before stays.
        """
        if self.path is not None:
            self.current = _read(self.path)


def _read(path: Path) -> ServiceTags:
    """Others than the owner must not change the file: it decides who is let in."""
    try:
        refuse_if_writable(path)
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"{path} is larger than {_LARGEST} bytes")
        return ServiceTags.read(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
