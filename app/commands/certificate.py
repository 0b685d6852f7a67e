"""`fairlead certificate`."""

import os
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from app.credentials.authority import Authority
from app.credentials.certificates import CertificateError
from app.settings.certificate import CertificateSettings
from app.supervisor.errors import CertificateUnusableError


def run(settings: CertificateSettings) -> None:
    """Issue a certificate with which a user proves who they are, and write it and its key into a file.

    Raises:
        CertificateUnusableError: There is no authority, or the file cannot be written.
    """
    directory = settings.data_dir / "tls"
    try:
        issued = Authority(directory).client_certificate(
            settings.user, settings.group.words, settings.days, datetime.now(UTC)
        )
        path = settings.out or Path(f"{settings.user}.pem")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(issued)
    except FileExistsError as error:
        raise CertificateUnusableError(f"{error.filename} is there already: name another file with --out") from error
    except (CertificateError, OSError) as error:
        raise CertificateUnusableError(f"no certificate can be issued: {error}") from error
    file_name, user = quote(str(path)), quote(settings.user)
    print(  # noqa: T201 - for the person at the terminal
        f"{path} has the certificate and its private key. Put it into a kubeconfig:\n"
        f"  kubectl config set-credentials {user} --client-certificate={file_name} --client-key={file_name} "
        f"--embed-certs=true"
    )
