"""The console inside an API process: it asks the API of that process, with the rights of its user."""

import httpx

from app.api.application import FairleadApi
from app.console.application import create_console
from app.console.in_process import InProcess
from app.console.oidc import OidcLogin
from app.console.sessions import Sessions
from app.console.visit import Surroundings
from app.settings.api import ApiSettings

_HERE = "http://localhost"
"""Requests do not leave the process. Without tokens the API answers to names of loopback only."""


def mount_console(app: FairleadApi, settings: ApiSettings) -> OidcLogin | None:
    """Serve the console at `/console/`; gives what lets users log in at a provider, to be closed at the end.

    Args:
        app: The API, and what the console asks.
        settings: Of the process. Users log in at the first of its providers.
    """
    http = httpx.AsyncClient(transport=InProcess(app), base_url=_HERE, headers={"Accept-Encoding": "identity"})
    found = settings.providers.providers
    oidc = OidcLogin(found[0], settings.console_client_secret) if found else None
    sessions = Sessions(settings.console_keys, secure=settings.console_url.startswith("https://"))
    app.mount("/console", create_console(Surroundings(http, sessions, oidc, settings.console_url)))
    app.edge.home = b"/console/"
    return oidc
