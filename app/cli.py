"""The command line: `fairlead serve`, or one process or one piece of work by itself."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

import shtab
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import CliApp, CliSettingsSource, SettingsError

from app import __version__
from app.domain.errors import FairleadError
from app.settings.api import ApiSettings, EdgeSettings
from app.settings.backup import BackupSettings, RestoreSettings
from app.settings.base import ENVIRONMENT_PREFIX, DatabaseSettings, LoggingSettings
from app.settings.certificate import CertificateSettings
from app.settings.config_file import read_config
from app.settings.console_process import ConsoleProcessSettings
from app.settings.flag_help import FlagHelp
from app.settings.migrate import MigrateSettings
from app.settings.postgres_upgrade import PostgresUpgradeSettings
from app.settings.processes import DNSProcessSettings, ReconcilerSettings
from app.settings.register import RegisterSettings
from app.settings.revocation import RevocationSettings
from app.settings.serve import ServeSettings
from app.settings.status import StatusSettings
from app.settings.xds import XdsSettings
from app.supervisor.errors import CannotStartError
from app.telemetry.logs import configure_logging

_USAGE_STATUS = 2
_INTERRUPTED_STATUS = 130  # as shells have it: 128 and the number of SIGINT


class UsageError(Exception):
    """The command line or the environment is wrong. Each argument is one line that says what would be right."""


@dataclass(frozen=True)
class Command:
    """A subcommand. Its settings are its flags, and the module of its name in `app.commands` runs it.

    Attributes:
        summary: For the help.
        settings: Its flags.
        starts_database: Whether it can do without a database that is there already.
        runs_program: Whether it takes the name of a program first, and the program with its arguments after `--`.
    """

    summary: str
    settings: type[LoggingSettings]
    starts_database: bool = False
    runs_program: bool = False


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
        _run(name, rest)
    elif name in {"version", "--version", "-V"}:
        _print(f"fairlead {__version__}")
    elif name == "completion":
        _print(completion(rest))
    elif name in {"help", "-h", "--help"}:
        _print(_usage())
    else:
        raise UsageError(f"there is no command {name!r}; choose one of {', '.join(COMMANDS)}, version")


def _run(name: str, arguments: Sequence[str]) -> None:
    command, program = COMMANDS[name], list[Any]()
    if command.runs_program:
        arguments, program = _program_in(name, list(arguments))
    settings = read_settings(name, command, arguments)
    is_unset = isinstance(settings, DatabaseSettings) and settings.database_url is None
    if is_unset and not command.starts_database:
        raise UsageError(f"{_flag('database_url')} is missing; write postgresql://user:password@host:5432/database")
    tokens = settings.tokens if isinstance(settings, EdgeSettings) else ()
    configure_logging(settings.log_format, settings.level, (token.secret for token in tokens))
    import_module(f"app.commands.{name.replace('-', '_')}").run(settings, *program)


def _program_in(name: str, arguments: list[str]) -> tuple[list[str], list[Any]]:
    """The settings among the arguments; and the name of a program with its command, which is what follows `--`."""
    settings, command = arguments, list[str]()
    if "--" in arguments:
        at = arguments.index("--")
        settings, command = arguments[:at], arguments[at + 1 :]
    if settings and not settings[0].startswith("-"):
        return settings[1:], [settings[0], command]
    if not {"-h", "--help"}.isdisjoint(settings):
        return settings, []
    raise UsageError(f"the name is missing: fairlead {name} NAME --port NUMBER -- PROGRAM ARGUMENT ...")


def read_settings(name: str, command: Command, arguments: Sequence[str]) -> LoggingSettings:
    """Read the settings of a command from its arguments; from the environment those that are no argument.

    Raises:
        UsageError: Settings are wrong; it has a line for each.
    """
    if misspelled := _misspelled_variables():
        raise UsageError(*misspelled)
    try:
        values = _values_of_file(command, arguments)
        source = _source(name, command)
        return CliApp.run(command.settings, cli_args=list(arguments), cli_settings_source=source, **values)
    except SettingsError as error:
        raise UsageError(str(error).removeprefix("error parsing CLI: ")) from error
    except ValidationError as error:
        raise UsageError(*map(_explain, error.errors(include_url=False))) from error


def _source(name: str, command: Command, parser: argparse.ArgumentParser | None = None) -> CliSettingsSource[Any]:
    """The flags of a command."""
    source = CliSettingsSource[Any](
        command.settings,
        cli_prog_name=f"fairlead {name}{' NAME' if command.runs_program else ''}",
        root_parser=parser,
        formatter_class=FlagHelp,
    )
    source.root_parser.description = command.summary
    return source


def _values_of_file(command: Command, arguments: Sequence[str]) -> dict[str, Any]:
    """The values in the file of settings, without those that an environment variable sets.

    Raises:
        UsageError: The file cannot be read, or something in it is no setting.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--config", default=os.environ.get(f"{ENVIRONMENT_PREFIX}CONFIG"))
    try:
        path = parser.parse_known_args(arguments)[0].config
        values = read_config(Path(path), _fields()) if path else {}
    except argparse.ArgumentError:  # the parser of all flags says what is wrong
        return {}
    except ValueError as error:
        raise UsageError(str(error)) from error
    own = command.settings.model_fields
    return {name: value for name, value in values.items() if name in own and _variable(name) not in os.environ}


def completion(arguments: Sequence[str]) -> str:
    """A script that completes commands and flags in a shell.

    Raises:
        UsageError: The shell is none of those that are known.
    """
    if len(arguments) != 1 or arguments[0] not in shtab.SUPPORTED_SHELLS:
        raise UsageError(f"write fairlead completion SHELL, with one of {', '.join(shtab.SUPPORTED_SHELLS)}")
    parser = argparse.ArgumentParser("fairlead")
    commands = parser.add_subparsers()
    for name, command in COMMANDS.items():
        _source(name, command, commands.add_parser(name, help=command.summary))
    for name in ("completion", "version"):
        commands.add_parser(name)
    return str(shtab.complete(parser, arguments[0]))


def _explain(error: ErrorDetails) -> str:
    """One line for one wrong setting. Where the value may be a secret, the setting's own message is used."""
    place = f"{_flag(str(error['loc'][0]))}: " if error["loc"] else ""
    if error["type"] == "value_error":
        return f"{place}{error['ctx']['error']}"
    message, _, _ = error["msg"].removeprefix("Input ").partition(", unable to parse")
    return f"{place}{message}, not {error['input']!r}"


def _flag(field: str) -> str:
    return f"--{field.replace('_', '-')} ({_variable(field)})"


def _variable(field: str) -> str:
    """The environment variable of a setting."""
    return ENVIRONMENT_PREFIX + field.upper()


def _fields() -> set[str]:
    """The settings of all commands."""
    return {field for command in COMMANDS.values() for field in command.settings.model_fields}


def _misspelled_variables() -> list[str]:
    """A line for each variable that is nearly one of ours. Other programs may use other names with our prefix."""
    ours = set(map(_variable, _fields()))
    unknown = (name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX) and name not in ours)
    near = ((name, get_close_matches(name, ours, n=1, cutoff=0.87)) for name in unknown)
    return [f"the environment variable {name} sets nothing; did you mean {meant[0]}?" for name, meant in near if meant]


def _usage() -> str:
    commands = "\n".join(f"  {name:<17}{command.summary}" for name, command in COMMANDS.items())
    return (
        "usage: fairlead COMMAND [--setting VALUE ...]\n\n"
        "The Service half of Kubernetes as a control plane of its own, on Postgres.\n\n"
        f"commands:\n{commands}\n"
        f"  completion       Print a script that completes them in a shell: {', '.join(shtab.SUPPORTED_SHELLS)}.\n"
        "  version          Print the version.\n\n"
        "`fairlead COMMAND --help` lists a command's settings; each is an environment variable, too, and may be in a "
        "file that --config names."
    )


def _print(text: str) -> None:
    print(text)  # noqa: T201 - a command line answers on its terminal


def _print_errors(*lines: str) -> None:
    for line in lines:
        print(f"fairlead: {line}", file=sys.stderr)  # noqa: T201 - as above


COMMANDS = {
    "serve": Command(
        "Run everything: Postgres (unless --database-url names one), the API, the reconciler and the DNS server.",
        ServeSettings,
        starts_database=True,
    ),
    "api": Command("Run one API process.", ApiSettings),
    "reconciler": Command("Run one reconciler.", ReconcilerSettings),
    "dns": Command("Run one DNS server.", DNSProcessSettings),
    "xds": Command("Run one server for Envoys: it sends them what they do with traffic.", XdsSettings),
    "console": Command("Run one console: the web page of an API that runs elsewhere.", ConsoleProcessSettings),
    "register": Command(
        "Register a program of this machine as a Pod, and run it: fairlead register NAME --port N -- PROGRAM ...",
        RegisterSettings,
        runs_program=True,
    ),
    "status": Command("Tell who works, what takes traffic, what is free, and what is pending and why.", StatusSettings),
    "doctor": Command(
        "Look for what keeps `serve` with these settings from working, and say what to do.",
        ServeSettings,
        starts_database=True,
    ),
    "migrate": Command(
        "Bring the database's schema to this version's, or back; --plan tells what that takes.", MigrateSettings
    ),
    "certificate": Command(
        "Issue a certificate with which a user of `serve` proves who they are.", CertificateSettings
    ),
    "backup": Command(
        "Back up the database while everything runs, and restore the backup to compare.",
        BackupSettings,
        starts_database=True,
    ),
    "restore": Command(
        "Restore a backup into an empty database or a new data directory.",
        RestoreSettings,
        starts_database=True,
    ),
    "upgrade-postgres": Command(
        "Bring the embedded Postgres to the major version that this version runs, after a backup.",
        PostgresUpgradeSettings,
        starts_database=True,
    ),
    "revoke-tokens": Command(
        "End all tokens of ServiceAccounts: another key signs them, and those before are removed.",
        RevocationSettings,
        starts_database=True,
    ),
    "bump-revision": Command(
        "Once after a database was restored from a backup: have clients that know what came later list again.",
        DatabaseSettings,
    ),
}

if __name__ == "__main__":
    main()
