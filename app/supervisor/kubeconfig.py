"""The kubeconfig that points kubectl and the SDKs at this server."""

import os
from pathlib import Path

import yaml


def write_kubeconfig(path: Path, server: str, token: str | None) -> None:
    """Replaces the file at once; it may hold a token, so only its owner can read it.

    Args:
        path: Where; its directory exists.
        server: URL of the API.
        token: A bearer token, None where none is asked for.
    """
    name = "fairlead"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        # There is no TLS to verify; @kubernetes/client-node speaks plain HTTP only when told so.
        "clusters": [{"name": name, "cluster": {"server": server, "insecure-skip-tls-verify": True}}],
        "users": [{"name": name, "user": {} if token is None else {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
        "current-context": name,
    }
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        yaml.safe_dump(document, file, sort_keys=False)
    unfinished.replace(path)
