"""What `serve` says when it is ready."""

from pathlib import Path
from shlex import quote

from app import __version__

_SERVICE = '{"metadata":{"name":"hello"},"spec":{"selector":{"app":"hello"},"ports":[{"port":80}]}}'


def welcome(server: str, kubeconfig: Path, token_file: Path | None, trusted: Path | None) -> str:
    """A few lines that say what to try next. They name the file of the tokens and show no token.

    Args:
        server: URL of the API.
        kubeconfig: The file that was written for kubectl and the SDKs.
        token_file: The file of the tokens, None where clients need none.
        trusted: The certificate by which clients know the API, None where it serves plain HTTP.
    """
    trust = f" --cacert {quote(str(trusted))}" if trusted is not None else ""
    authorization = (
        f' \\\n        -H "Authorization: Bearer $(head -n 1 {quote(str(token_file))} | cut -d, -f1)"'
        if token_file is not None
        else ""
    )
    kubectl = (
        f"see it with kubectl:\n    export KUBECONFIG={quote(str(kubeconfig))}\n    kubectl get services"
        if token_file is None or trusted is not None
        else "kubectl sends tokens over TLS only: start again without --insecure-http"
    )
    return f"""
Fairlead {__version__} is ready at {server}

  create a Service:
    curl -s{trust} {server}/api/v1/namespaces/default/services{authorization} \\
        -H 'Content-Type: application/json' -d '{_SERVICE}'

  {kubectl}

  documentation: {server}/docs

Ctrl-C stops everything.
"""
