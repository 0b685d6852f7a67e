"""RFC 3339 timestamps as the wire has them, and ages as kubectl prints them."""

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400

_SPELLINGS = (  # below so many seconds: unit and its letter, then the smaller unit shown beside it, if any
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
    """Read an RFC 3339 timestamp of any precision and offset.

    Raises:
        ValueError: The text is no RFC 3339 timestamp with an offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or "T" not in text.upper():
        raise ValueError(f"{text!r} is no RFC 3339 timestamp such as 2026-01-02T03:04:05Z")
    return moment.astimezone(UTC)


def format_time(moment: datetime) -> str:
    """Write a moment as `metav1.Time` does: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_micro_time(moment: datetime) -> str:
    """Write a moment as `metav1.MicroTime` does: UTC, six digits of a second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def age(since: str | None, now: str) -> str:
    """How long ago `since` was, as kubectl shows it; `<unknown>` when it never was."""
    if not since:
        return "<unknown>"
    return human_duration(int((parse_time(now) - parse_time(since)).total_seconds()))


def human_duration(seconds: int) -> str:
    """Two significant units at most, coarser the longer it is: `59s`, `4m30s`, `7h20m`, `3d4h`, `2y10d`.

    Up to a second in the future counts as now, for clocks that differ a little; more is `<invalid>`.
    """
    if seconds < 0:
        return "0s" if seconds == -1 else "<invalid>"
    for limit, unit, letter, rest_unit, rest_letter in _SPELLINGS:
        if seconds < limit:
            rest = seconds % unit // rest_unit if rest_unit else 0
            return f"{seconds // unit}{letter}" + (f"{rest}{rest_letter}" if rest else "")
    return f"{seconds // _YEAR}y"
