"""The command line: `fairlead serve | api | reconciler | migrate | bump-revision | version`."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import CliApp, CliSettingsSource, SettingsError

from app import __version__
from app.domain.errors import FairleadError
from app.settings import (
    ENVIRONMENT_PREFIX,
    ApiSettings,
    DatabaseSettings,
    EdgeSettings,
    ReconcilerSettings,
    ServeSettings,
)
from app.supervisor.errors import CannotStartError
from app.telemetry.logs import configure_logging

_USAGE_STATUS = 2
_INTERRUPTED_STATUS = 130  # as shells have it: 128 and the number of SIGINT


class UsageError(Exception):
    """The command line or the environment is wrong. Each argument is one line that says what would be right."""


@dataclass(frozen=True)
class Command:
    """A subcommand. Its settings are its flags, and the module of its name in `app.commands` runs it."""

    summary: str
    settings: type[DatabaseSettings]
    starts_database: bool = False


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command, and exit: with status 1 if it could not start, 2 for wrong settings."""
    try:
        execute(sys.argv[1:] if arguments is None else arguments)
    except UsageError as error:
        hint = "`fairlead --help` lists the commands, `fairlead COMMAND --help` its settings"
        _print_errors(*error.args, hint)
        sys.exit(_USAGE_STATUS)
    except (CannotStartError, FairleadError) as error:
        _print_errors(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED_STATUS)


def execute(arguments: Sequence[str]) -> None:
    """Run the command that is the first argument, with settings from the other arguments and the environment.

    Raises:
        UsageError: There is no such command, or a setting is wrong.
        CannotStartError, FairleadError: The settings are right, and the command cannot start all the same.
    """
    name, *rest = arguments or ["--help"]
    if name in COMMANDS:
        _run(name, read_settings(name, COMMANDS[name], rest))
    elif name in {"version", "--version"}:
        _print(f"fairlead {__version__}")
    elif name in {"help", "-h", "--help"}:
        _print(_usage())
    else:
        raise UsageError(f"there is no command {name!r}; choose one of {', '.join(COMMANDS)}, version")


def _run(name: str, settings: DatabaseSettings) -> None:
    if settings.database_url is None and not COMMANDS[name].starts_database:
        raise UsageError(f"{_flag('database_url')} is missing; write postgresql://user:password@host:5432/database")
    tokens = settings.tokens if isinstance(settings, EdgeSettings) else ()
    configure_logging(settings.log_format, settings.level, (token.secret for token in tokens))
    import_module(f"app.commands.{name.replace('-', '_')}").run(settings)


def read_settings(name: str, command: Command, arguments: Sequence[str]) -> DatabaseSettings:
    """Read the settings of a command from its arguments; from the environment those that are no argument.

    Raises:
        UsageError: Settings are wrong; it has a line for each.
    """
    if misspelled := _misspelled_variables():
        raise UsageError(*misspelled)
    try:
        source = CliSettingsSource[Any](command.settings, cli_prog_name=f"fairlead {name}")
        source.root_parser.description = command.summary
        return CliApp.run(command.settings, cli_args=list(arguments), cli_settings_source=source)
    except SettingsError as error:
        raise UsageError(str(error).removeprefix("error parsing CLI: ")) from error
    except ValidationError as error:
        raise UsageError(*map(_explain, error.errors(include_url=False))) from error


def _explain(error: ErrorDetails) -> str:
    """One line for one wrong setting. Where the value may be a secret, the setting's own message is used."""
    place = f"{_flag(str(error['loc'][0]))}: " if error["loc"] else ""
    if error["type"] == "value_error":
        return f"{place}{error['ctx']['error']}"
    message, _, _ = error["msg"].removeprefix("Input ").partition(", unable to parse")
    return f"{place}{message}, not {error['input']!r}"


def _flag(field: str) -> str:
    return f"--{field.replace('_', '-')} ({ENVIRONMENT_PREFIX}{field.upper()})"


def _misspelled_variables() -> list[str]:
    """A line for each variable that is nearly one of ours. Other programs may use other names with our prefix."""
    fields: set[str] = {field for command in COMMANDS.values() for field in command.settings.model_fields}
    ours = {ENVIRONMENT_PREFIX + field.upper() for field in fields}
    unknown = (name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX) and name not in ours)
    near = ((name, get_close_matches(name, ours, n=1, cutoff=0.87)) for name in unknown)
    return [f"the environment variable {name} sets nothing; did you mean {meant[0]}?" for name, meant in near if meant]


def _usage() -> str:
    commands = "\n".join(f"  {name:<15}{command.summary}" for name, command in COMMANDS.items())
    return (
        "usage: fairlead COMMAND [--setting VALUE ...]\n\n"
        "The Service half of Kubernetes as a control plane of its own, on Postgres.\n\n"
        f"commands:\n{commands}\n  version        Print the version.\n\n"
        "`fairlead COMMAND --help` lists a command's settings; each is an environment variable, too."
    )


def _print(text: str) -> None:
    print(text)  # noqa: T201 - a command line answers on its terminal


def _print_errors(*lines: str) -> None:
    for line in lines:
        print(f"fairlead: {line}", file=sys.stderr)  # noqa: T201 - as above


COMMANDS = {
    "serve": Command(
        "Run everything: Postgres (unless --database-url names one), the API and the reconciler.",
        ServeSettings,
        starts_database=True,
    ),
    "api": Command("Run one API process.", ApiSettings),
    "reconciler": Command("Run one reconciler.", ReconcilerSettings),
    "migrate": Command("Bring the database's schema to this version's.", DatabaseSettings),
    "bump-revision": Command(
        "Once after a database was restored from a backup: have clients that know what came later list again.",
        DatabaseSettings,
    ),
}

if __name__ == "__main__":
    main()
