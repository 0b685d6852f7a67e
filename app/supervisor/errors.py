"""What keeps a server from starting. Each message is for the person who started it: what is wrong, what to do.

CannotStartError
 +- DataDirectoryUnusableError   in use by another process, or not writable
 +- BinariesMissingError         no Postgres to run
 +- PostgresFailedError          Postgres ended, or was not ready in time
 +- CannotListenError            the port is taken, or the address is not this machine's
 +- CertificateUnusableError     the own one, or its authority, cannot be read or written
 +- UntrustedCertificateError    no client would accept it
 +- ChildFailedError             a process that the others need ended with an error
"""


class CannotStartError(Exception):
    """The server cannot start."""


class DataDirectoryUnusableError(CannotStartError):
    """The data directory is in use by another process, or cannot be used."""


class BinariesMissingError(CannotStartError):
    """Postgres' programs cannot be found or run."""


class PostgresFailedError(CannotStartError):
    """The embedded Postgres did not start."""


class CannotListenError(CannotStartError):
    """The address cannot be listened on."""


class CertificateUnusableError(CannotStartError):
    """The server's own certificate or its authority cannot be used or made."""


class UntrustedCertificateError(CannotStartError):
    """The certificate of the API is one that no client would accept."""


class ChildFailedError(CannotStartError):
    """A process that the others need ended with an error."""
