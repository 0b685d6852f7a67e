"""`fairlead register`."""

import logging
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from app.kubeconfig_client import client_of, default_kubeconfig
from app.registrant.checks import Check, answers, takes_connections, takes_connections_once
from app.registrant.registration import Program, Registration
from app.reloading import Reloads, log_level
from app.settings.register import RegisterSettings
from app.supervisor.children import spawn
from app.supervisor.errors import CannotStartError
from app.supervisor.signals import Signals, StopRequested

_CHECK_SECONDS, _START_CHECK_SECONDS = 1.0, 0.1
"""Seconds between checks while the program is well, and while it starts or is not."""

_STOP_SECONDS = 10.0


def run(settings: RegisterSettings, name: str, command: Sequence[str]) -> None:
    """Run a program and keep it registered until it ends; without a command, until SIGTERM or SIGINT.

    It is deregistered before it is asked to end, so it gets no new traffic then. The exit status is the program's.

    Raises:
        CannotStartError: The program cannot be run.
        FairleadError: The API cannot be used, or refuses the registration.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)  # at info it tells of every renewal
    client = client_of(settings.kubeconfig or default_kubeconfig())
    signals = Signals()
    process = _started(command) if command else None
    registration = Registration(client, _program(name, settings))
    try:
        _keep(registration, settings, process, signals)
    except StopRequested:
        pass
    finally:
        registration.leave()
        status = _end(process)
    sys.exit(status)


def _keep(
    registration: Registration, settings: RegisterSettings, process: subprocess.Popen[bytes] | None, signals: Signals
) -> None:
    check, renew_at, was_well = _check(settings), 0.0, False
    reloads = Reloads(*log_level(settings))
    while process is None or process.poll() is None:
        reloads.check()
        well = check()
        if well is not was_well or (renew_at and time.monotonic() >= renew_at):
            registration.keep(well=well)
            was_well, renew_at = well, time.monotonic() + settings.lease_seconds / 3
        if signals.pause(_CHECK_SECONDS if was_well else _START_CHECK_SECONDS):
            reloads.everything()


def _check(settings: RegisterSettings) -> Check:
    port = settings.numbered_ports[0][1]
    if settings.check_http is not None:
        return answers(settings.address, port, settings.check_http)
    return (takes_connections if settings.check_tcp else takes_connections_once)(settings.address, port)


def _program(name: str, settings: RegisterSettings) -> Program:
    return Program(
        name=name,
        namespace=settings.namespace,
        labels={"app": name} | settings.more_labels,
        address=settings.address,
        ports=settings.numbered_ports,
        node=settings.node,
        lease_seconds=settings.lease_seconds,
    )


def _started(command: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        return spawn(command)
    except OSError as error:
        raise CannotStartError(f"{command[0]} cannot be run: {error.strerror}") from error


def _end(process: subprocess.Popen[bytes] | None) -> int:
    """Ask the program to end, and kill it if it does not; answers its status as shells have it."""
    if process is None:
        return 0
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return 0
    return process.returncode if process.returncode >= 0 else 128 - process.returncode
