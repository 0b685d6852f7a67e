"""Why a server cannot start. Each message tells the person who started it what is wrong and what to do.

CannotStartError
 +- DataDirectoryUnusableError   the data directory is in use by another process, or not writable
 +- WalArchiveUnusableError      Postgres cannot write to the directory to which it should archive
 +- BinariesMissingError         there is no Postgres to run
 +- PrivateDirectoryUnusableError  others can use a directory that must be private
 +- OtherPostgresError           the data directory has a database of another major version of Postgres
 +- PostgresFailedError          Postgres ended, or was not ready in time
 +- CannotListenError            the port is in use, or the address is not one of this machine
 +- CertificateUnusableError     the server's own certificate or its authority cannot be read or written
 +- UntrustedCertificateError    no client would accept the certificate
 +- ChildFailedError             a process that the others need ended with an error
"""


class CannotStartError(Exception):
    """The server cannot start."""


class DataDirectoryUnusableError(CannotStartError):
    """The data directory is in use by another process, or cannot be used."""


class WalArchiveUnusableError(CannotStartError):
    """The directory to which Postgres should archive cannot be used."""


class BinariesMissingError(CannotStartError):
    """The programs of Postgres cannot be found or run."""


class PrivateDirectoryUnusableError(CannotStartError):
    """Others can use the directory of the sockets."""


class OtherPostgresError(CannotStartError):
    """The data directory has a database of another major version of Postgres."""


class PostgresFailedError(CannotStartError):
    """The embedded Postgres did not start."""


class CannotListenError(CannotStartError):
    """The server cannot listen on the address."""


class CertificateUnusableError(CannotStartError):
    """The server's own certificate or its authority cannot be used or made."""


class UntrustedCertificateError(CannotStartError):
    """No client would accept the certificate of the API."""


class ChildFailedError(CannotStartError):
    """A process that the others need ended with an error."""
