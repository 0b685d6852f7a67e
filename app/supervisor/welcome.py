"""What `serve` says when it is ready."""

import sys
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from shutil import which

from app import __version__

_SERVICE = '{"metadata":{"name":"hello"},"spec":{"selector":{"app":"hello"},"ports":[{"port":80}]}}'


def welcome(
    server: str,
    kubeconfig: Path,
    token_file: Path | None,
    trusted: Path | None,
    dns: str = "",
    console: str = "",
    pools: Mapping[str, str] | None = None,
    *,
    by_kubectl: bool = False,
    program: str = "fairlead",
) -> str:
    """A few lines that say what to try next. They name the file of the tokens and show no token.

    Args:
        server: URL of the API.
        kubeconfig: The file that was written for kubectl and the SDKs.
        token_file: The file of the tokens, None where clients need none.
        trusted: The certificate by which clients know the API, None where it serves plain HTTP.
        by_kubectl: Whether only kubectl has what it takes to be let in.
        dns: How dig asks for the Service's address; "" where no DNS queries are answered.
        console: URL of the console; "" where it is not served.
        pools: The addresses by scope at which the embedded data plane takes traffic; None without one.
        program: How a shell runs this program.
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
    page = f"console: {console}\n  " if console else ""
    create = (
        f"kubectl --kubeconfig {quote(str(kubeconfig))} create service clusterip hello --tcp=80"
        if by_kubectl
        else f"curl -s{trust} {server}/api/v1/namespaces/default/services{authorization} \\\n"
        f"        -H 'Content-Type: application/json' -d '{_SERVICE}'"
    )
    resolve = f"look up its address:\n    {dns}\n\n  " if dns else ""
    return f"""
Fairlead {__version__} is ready at {server}

  create a Service:
    {create}

  {resolve}{kubectl}

{_data_plane(pools, kubeconfig, program)}  {page}documentation: {server}/docs

Ctrl-C stops everything.
"""


def own_program() -> str:
    """How a shell runs this program: by its name if that finds it, else by its path."""
    path = Path(sys.executable).with_name("fairlead")
    found = which("fairlead")
    if not path.exists() or (found is not None and path.samefile(found)):
        return "fairlead"
    return quote(str(path))


def _data_plane(pools: Mapping[str, str] | None, kubeconfig: Path, program: str) -> str:
    if pools is None:
        return ""
    ranges = "".join(f"    {scope} load balancers have addresses of {pool}\n" for scope, pool in sorted(pools.items()))
    register = f"{program} register hello --port 9000 -- python3 -m http.server 9000"
    return f"""  an Envoy takes traffic on this machine; Services of type LoadBalancer lead to registered programs:
{ranges}    KUBECONFIG={quote(str(kubeconfig))} \\
        {register}

"""
