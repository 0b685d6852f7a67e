"""The API as a kubeconfig names it."""

import base64
import binascii
import os
import ssl
import tempfile
from pathlib import Path
from typing import Any

import httpx
import yaml

from app.domain.errors import FairleadError

_TIMEOUT_SECONDS = 5.0


class ApiUnusableError(FairleadError):
    """The API cannot be used as the kubeconfig says. The message names the file or the server."""


def client_of(kubeconfig: Path) -> httpx.Client:
    """A client for the current context of a kubeconfig: with a token, a certificate or neither, over TLS or plain HTTP.

    Raises:
        ApiUnusableError: The file cannot be read, or is no kubeconfig.
    """
    try:
        document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        context = _named(document["contexts"], document["current-context"])["context"]
        cluster = _named(document["clusters"], context["cluster"])["cluster"]
        user = _named(document["users"], context["user"])["user"]
        verify, extensions = _trust(cluster, user)
    except OSError as error:
        raise ApiUnusableError(f"{kubeconfig} cannot be read: {error.strerror}; give --kubeconfig") from error
    except (yaml.YAMLError, KeyError, TypeError, ValueError, binascii.Error) as error:
        raise ApiUnusableError(f"{kubeconfig} is no kubeconfig with a current context") from error
    headers = {"authorization": f"Bearer {user['token']}"} if "token" in user else {}
    client = httpx.Client(base_url=cluster["server"], headers=headers, verify=verify, timeout=_TIMEOUT_SECONDS)
    if extensions:
        client.event_hooks["request"] = [lambda request: request.extensions.update(extensions)]
    return client


def default_kubeconfig() -> Path:
    """The file that KUBECONFIG names, else the one that `serve` writes here."""
    return Path(os.environ.get("KUBECONFIG", ".data/kubeconfig").split(os.pathsep)[0])


def _named(entries: Any, name: str) -> Any:
    return {each["name"]: each for each in entries}[name]


def _trust(cluster: Any, user: Any) -> tuple[ssl.SSLContext | bool, dict[str, str]]:
    """How the server's certificate is checked, and the name that it has to have instead of its address."""
    context = ssl.create_default_context()
    if "certificate-authority-data" in cluster:
        pem = base64.b64decode(cluster["certificate-authority-data"]).decode()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata=pem)
    if "client-certificate-data" in user:
        _prove(context, user)
    name = cluster.get("tls-server-name")
    return context, {"sni_hostname": name} if name else {}


def _prove(context: ssl.SSLContext, user: Any) -> None:
    """Show the user's certificate. The ssl module reads certificates from files alone."""
    pem = b"".join(base64.b64decode(user[name]) for name in ("client-certificate-data", "client-key-data"))
    with tempfile.NamedTemporaryFile() as file:  # only this user can read it
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name)
