"""RFC 3339 timestamps in the form of the wire, and ages in the form that kubectl prints."""

import re
from datetime import UTC, datetime

_LONG_MONTHS = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
_SHORT_MONTHS = "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
_FEBRUARY = "02-(?:0[1-9]|1[0-9]|2[0-8])"
_LEAP_YEARS = "[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00"
_DAYS = f"(?!0000)(?:[0-9]{{4}}-(?:{_LONG_MONTHS}|{_SHORT_MONTHS}|{_FEBRUARY})|(?:{_LEAP_YEARS})-02-29)"
_SECONDS = rf"\A{_DAYS}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"

TIME_PATTERN = _SECONDS + r"Z\Z"
"""Matches only what `format_time` writes, so only days that are in the calendar."""
MICRO_TIME_PATTERN = _SECONDS + r"\.[0-9]{6}Z\Z"
"""Matches only what `format_micro_time` writes."""

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400

_AGE_FORMATS = (  # seconds below which it applies, unit and its letter, smaller unit and its letter (0 for none)
    (2 * _MINUTE, 1, "s", 0, ""),
    (10 * _MINUTE, _MINUTE, "m", 1, "s"),
    (3 * _HOUR, _MINUTE, "m", 0, ""),
    (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
    (2 * _DAY, _HOUR, "h", 0, ""),
    (8 * _DAY, _DAY, "d", _HOUR, "h"),
    (2 * _YEAR, _DAY, "d", 0, ""),
    (8 * _YEAR, _YEAR, "y", _DAY, "d"),
)


def parse_time(text: str) -> datetime:
    """Read an RFC 3339 timestamp with any precision and offset.

    Raises:
        ValueError: The text is not an RFC 3339 timestamp with an offset.
    """
    if not _RFC_3339.fullmatch(text):
        raise ValueError(f"{text!r} is no RFC 3339 timestamp such as 2026-01-02T03:04:05Z")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is not within the years 1 to 9999 in UTC") from None


def format_time(moment: datetime) -> str:
    """Write a time as `metav1.Time` does: in UTC, in whole seconds."""
    return _written(moment, "seconds")


def format_micro_time(moment: datetime) -> str:
    """Write a time as `metav1.MicroTime` does: in UTC, with six digits of a second."""
    return _written(moment, "microseconds")


def _written(moment: datetime, precision: str) -> str:
    """Write a time in UTC. `isoformat` gives the year four digits, which `strftime` does not on all systems."""
    return moment.astimezone(UTC).isoformat(timespec=precision).removesuffix("+00:00") + "Z"


def age(since: str | None, now: str) -> str:
    """The age of something that began at `since`, as kubectl shows it; `<unknown>` if there is no `since`."""
    if not since:
        return "<unknown>"
    return human_duration(int((parse_time(now) - parse_time(since)).total_seconds()))


def human_duration(seconds: int) -> str:
    """A duration in one or two units, which are larger for longer durations: `59s`, `4m30s`, `7h20m`, `3d4h`, `2y10d`.

    Clocks may differ a little, so a second in the future is `0s`. More is `<invalid>`.
    """
    if seconds < 0:
        return "0s" if seconds == -1 else "<invalid>"
    for limit, unit, letter, rest_unit, rest_letter in _AGE_FORMATS:
        if seconds < limit:
            rest = seconds % unit // rest_unit if rest_unit else 0
            return f"{seconds // unit}{letter}" + (f"{rest}{rest_letter}" if rest else "")
    return f"{seconds // _YEAR}y"
