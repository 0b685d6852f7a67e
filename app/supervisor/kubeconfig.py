"""The kubeconfig that points kubectl and the SDKs at this server."""

import os
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True)
class Trust:
    """How a client knows a server that serves TLS.

    Attributes:
        certificate: What to trust, in PEM.
        name: What the certificate has to be for, where that is not the server's address.
    """

    certificate: bytes
    name: str | None


def write_kubeconfig(path: Path, server: str, token: str | None, trust: Trust | None) -> None:
    """Replaces the file at once; it may hold a token, so only its owner can read it.

    Args:
        path: Where; its directory exists.
        server: URL of the API.
        token: A bearer token, None where none is asked for.
        trust: For https.
    """
    name = "fairlead"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server} | _trust(trust)}],
        "users": [{"name": name, "user": {} if token is None else {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
        "current-context": name,
    }
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        yaml.safe_dump(document, file, sort_keys=False)
    unfinished.replace(path)


def _trust(trust: Trust | None) -> dict[str, str | bool]:
    if trust is None:
        # There is no TLS to verify; @kubernetes/client-node speaks plain HTTP only when told so.
        return {"insecure-skip-tls-verify": True}
    name = {} if trust.name is None else {"tls-server-name": trust.name}
    return {"certificate-authority-data": b64encode(trust.certificate).decode(), **name}
