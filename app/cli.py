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

_MISUSED = 2  # the exit status of a command line that cannot be followed
_INTERRUPTED = 130


class RefusedError(Exception):
    """The command line or the environment is wrong; each argument is one line that says what would be right."""


@dataclass(frozen=True)
class Command:
    """A subcommand, whose flags are its settings; the module of its name in `app.commands` runs it."""

    summary: str
    settings: type[DatabaseSettings]
    starts_database: bool = False


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process with its status: 0, 1 for a failed start, 2 for wrong settings."""
    try:
        execute(sys.argv[1:] if arguments is None else arguments)
    except RefusedError as error:
        hint = "`fairlead --help` lists the commands, `fairlead COMMAND --help` its settings"
        _complain(*error.args, hint)
        sys.exit(_MISUSED)
    except (CannotStartError, FairleadError) as error:
        _complain(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def execute(arguments: Sequence[str]) -> None:
    """Runs the command that `arguments` begin with, with the settings of the rest and of the environment.

    Raises:
        RefusedError: There is no such command, or a setting is wrong.
        CannotStartError, FairleadError: The settings are right, but something is in the way.
    """
    name, *rest = arguments or ["--help"]
    if name in COMMANDS:
        _run(name, read_settings(name, COMMANDS[name], rest))
    elif name in {"version", "--version"}:
        _say(f"fairlead {__version__}")
    elif name in {"help", "-h", "--help"}:
        _say(_usage())
    else:
        raise RefusedError(f"there is no command {name!r}; choose one of {', '.join(COMMANDS)}, version")


def _run(name: str, settings: DatabaseSettings) -> None:
    if settings.database_url is None and not COMMANDS[name].starts_database:
        raise RefusedError(f"{_flag('database_url')} is missing; write postgresql://user:password@host:5432/database")
    tokens = settings.tokens if isinstance(settings, EdgeSettings) else ()
    configure_logging(settings.log_format, settings.level, (token.secret for token in tokens))
    import_module(f"app.commands.{name.replace('-', '_')}").run(settings)


def read_settings(name: str, command: Command, arguments: Sequence[str]) -> DatabaseSettings:
    """The settings of a command, from its arguments and, where they are silent, from the environment.

    Raises:
        RefusedError: A line for each setting that is wrong.
    """
    if misspelled := _misspelled_variables():
        raise RefusedError(*misspelled)
    try:
        source = CliSettingsSource[Any](command.settings, cli_prog_name=f"fairlead {name}")
        source.root_parser.description = command.summary
        return CliApp.run(command.settings, cli_args=list(arguments), cli_settings_source=source)
    except SettingsError as error:
        raise RefusedError(str(error).removeprefix("error parsing CLI: ")) from error
    except ValidationError as error:
        raise RefusedError(*map(_explain, error.errors(include_url=False))) from error


def _explain(error: ErrorDetails) -> str:
    """One line for one wrong setting. Only the settings' own messages may speak of a value that can be secret."""
    place = f"{_flag(str(error['loc'][0]))}: " if error["loc"] else ""
    if error["type"] == "value_error":
        return f"{place}{error['ctx']['error']}"
    message, _, _ = error["msg"].removeprefix("Input ").partition(", unable to parse")
    return f"{place}{message}, not {error['input']!r}"


def _flag(field: str) -> str:
    return f"--{field.replace('_', '-')} ({ENVIRONMENT_PREFIX}{field.upper()})"


def _misspelled_variables() -> list[str]:
    """A line for each variable that is nearly one of ours; others with our prefix may be anybody's."""
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


def _say(text: str) -> None:
    print(text)  # noqa: T201 - a command line answers on its terminal


def _complain(*lines: str) -> None:
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
