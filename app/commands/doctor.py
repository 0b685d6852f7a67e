"""`fairlead doctor`."""

import asyncio
import sys

from app.inspection.doctor import Finding, examine
from app.settings.serve import ServeSettings
from app.telemetry.logs import set_level

_MARKS = {"ok": "  ok  ", "warning": " warn ", "problem": "PROBLEM"}


def run(settings: ServeSettings) -> None:
    """Look for what keeps `serve`, or the API beside a database, from working; exits with 1 if something does."""
    set_level("error")
    findings = asyncio.run(examine(settings))
    for finding in findings:
        print(_line(finding), flush=True)  # noqa: T201 - the answer of the command
    sys.exit(any(finding.level == "problem" for finding in findings))


def _line(finding: Finding) -> str:
    advice = f"\n{'':20}-> {finding.advice}" if finding.advice else ""
    return f"{_MARKS[finding.level]:8}{finding.subject:12}{finding.message}{advice}"
