"""`fairlead status`."""

import json

import yaml

from app.inspection.status import status_of
from app.inspection.status_text import status_text
from app.kubeconfig_client import client_of, default_kubeconfig
from app.settings.status import StatusSettings
from app.telemetry.logs import set_level


def run(settings: StatusSettings) -> None:
    """Tell how the cluster stands, as far as the user of the kubeconfig may see it.

    Raises:
        FairleadError: The API cannot be used.
    """
    if settings.log_level == "info":  # httpx tells of every request at that level
        set_level("warning")
    with client_of(settings.kubeconfig or default_kubeconfig()) as client:
        status = status_of(client)
    match settings.output:
        case "json":
            text = json.dumps(status, indent=2)
        case "yaml":
            text = yaml.safe_dump(status, sort_keys=False)
        case _:
            text = status_text(status)
    print(text)  # noqa: T201 - the answer of the command
