"""How `--help` shows flags: with words of users for their values."""

import argparse
from collections.abc import Callable

_METAVARS = {
    "_dir": "DIRECTORY",
    "_path": "FILE",
    "port": "PORT",
    "host": "ADDRESS",
    "address": "ADDRESS",
    "check_http": "PATH",
    "_days": "DAYS",
    "_wait": "SECONDS",
    "_expiration": "SECONDS",
    "domain": "NAME",
    "audience": "NAME",
    "_claim": "NAME",
    "_client_id": "NAME",
    "_name": "NAME",
    "namespace": "NAME",
    "node": "NAME",
    "user": "NAME",
    "_endpoint": "URL",
    "_url": "URL",
}
"""What the value of a flag is, by the end of its name."""
_METAVARS_OF_TYPES = {
    "Addresses": "ADDRESS,...",
    "Cidrs": "CIDR,...",
    "Path": "FILE",
    "PortRange": "FIRST-LAST",
    "Words": "NAME,...",
    "float": "NUMBER",
    "int": "NUMBER",
    "str": "TEXT",
}


class FlagHelp(argparse.RawDescriptionHelpFormatter):
    """Says what a value is in words of users, and leaves out defaults that are none."""

    def _get_help_string(self, action: argparse.Action) -> str:
        return (action.help or "").replace(" (default: null)", "").replace(" (default: )", "")

    def _metavar_formatter(self, action: argparse.Action, default_metavar: str) -> Callable[[int], tuple[str, ...]]:
        shown = next((name for end, name in _METAVARS.items() if str(action.dest).endswith(end)), None)
        shown = shown or _METAVARS_OF_TYPES.get(str(action.metavar))
        if shown is None:
            return super()._metavar_formatter(action, default_metavar)
        return lambda count: (shown,) * count
