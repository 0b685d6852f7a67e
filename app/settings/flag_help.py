"""How `--help` shows flags: with words of users for their values."""

import argparse
from collections.abc import Callable

_NAMES = {
    "_dir": "DIRECTORY",
    "_archive": "DIRECTORY",
    "_path": "FILE",
    "host": "ADDRESS",
    "address": "ADDRESS",
    "check_http": "PATH",
    "domain": "NAME",
    "_required_claim": "NAME=VALUE,...",
    "_claim": "NAME",
    "_client_id": "NAME",
    "_name": "NAME",
    "namespace": "NAME",
    "node": "NAME",
    "user": "NAME",
    "_origins": "URL,...",
    "_issuer": "URL,...",
    "_endpoint": "URL",
    "_url": "URL",
    "_node_addresses": "ADDRESS,...",
    "port": "PORT,...",
    "labels": "NAME=VALUE,...",
}
"""What the value of a flag is, by the end of its name."""
_UNITS = {
    "port": "PORT",
    "days": "DAYS",
    "_maxage": "DAYS",
    "_seconds": "SECONDS",
    "_wait": "SECONDS",
    "_expiration": "SECONDS",
    "_mib": "MIB",
    "_maxsize": "MIB",
}
"""What a number counts, by the end of its flag's name."""
_TYPES = {
    "Addresses": "ADDRESS,...",
    "Age": "AGE",
    "Cidrs": "CIDR,...",
    "Path": "FILE",
    "PortRange": "FIRST-LAST",
    "Words": "NAME,...",
    "datetime": "TIME",
    "float": "NUMBER",
    "int": "NUMBER",
    "str": "TEXT",
    "tuple": "NAME,...",
}
_NUMBERS = ("float", "int")


class FlagHelp(argparse.RawDescriptionHelpFormatter):
    """Says what a value is in words of users, and leaves out defaults that are none."""

    def _get_help_string(self, action: argparse.Action) -> str:
        return (action.help or "").replace(" (default: null)", "").replace(" (default: )", "")

    def _metavar_formatter(self, action: argparse.Action, default_metavar: str) -> Callable[[int], tuple[str, ...]]:
        of_type = str(action.metavar).partition("[")[0]
        by_end = _UNITS if of_type in _NUMBERS else _NAMES
        shown = next((word for end, word in by_end.items() if action.dest.endswith(end)), _TYPES.get(of_type))
        if shown is None:
            return super()._metavar_formatter(action, default_metavar)
        return lambda count: (shown,) * count
