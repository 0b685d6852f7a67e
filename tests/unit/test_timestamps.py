import re
from datetime import UTC

import pytest
from hypothesis import example, given, strategies

from app.domain.timestamps import (
    MICRO_TIME_PATTERN,
    TIME_PATTERN,
    age,
    format_micro_time,
    format_time,
    human_duration,
    parse_time,
)

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (121, "2m1s"),
        (10 * MINUTE - 1, "9m59s"),
        (10 * MINUTE, "10m"),
        (10 * MINUTE + 30, "10m"),
        (3 * HOUR - 1, "179m"),
        (3 * HOUR, "3h"),
        (7 * HOUR + 20 * MINUTE + 5, "7h20m"),
        (8 * HOUR - 1, "7h59m"),
        (8 * HOUR, "8h"),
        (2 * DAY - 1, "47h"),
        (2 * DAY, "2d"),
        (3 * DAY + 4 * HOUR, "3d4h"),
        (8 * DAY - 1, "7d23h"),
        (8 * DAY, "8d"),
        (2 * YEAR - 1, "729d"),
        (2 * YEAR, "2y"),
        (2 * YEAR + 10 * DAY, "2y10d"),
        (8 * YEAR - 1, "7y364d"),
        (8 * YEAR, "8y"),
        (30 * YEAR + 200 * DAY, "30y"),
    ],
)
def test_durations_as_kubectl_prints_them(seconds, shown):
    assert human_duration(seconds) == shown


def test_ages():
    assert age(None, "2026-01-01T00:00:00Z") == "<unknown>"
    assert age("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z") == "60s"
    assert age("2026-01-01T02:00:00+02:00", "2026-01-01T00:01:00.000000Z") == "60s"


@pytest.mark.parametrize(
    ("text", "seconds", "micros"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"),
        ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456Z"),
        ("2026-01-02T05:04:05.5+02:00", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.500000Z"),
        ("0597-08-01T13:48:55+11:12", "0597-08-01T02:36:55Z", "0597-08-01T02:36:55.000000Z"),
    ],
)
def test_formats(text, seconds, micros):
    assert format_time(parse_time(text)) == seconds
    assert format_micro_time(parse_time(text)) == micros


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05Z",
        "2026-13-02T03:04:05Z",
        "20260102T030405Z",
        "2026-W01-1T03:04:05Z",
        "2026-01-02T03:04:05Z\n",
        "2026-01-02T03:04:05+24:00",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    ],
)
def test_what_is_no_timestamp(text):
    with pytest.raises(ValueError, match=r".*"):
        parse_time(text)


@given(strategies.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z\n?", fullmatch=True))
@example("2024-02-29T00:00:00Z")
@example("2000-02-29T00:00:00Z")
@example("1900-02-29T00:00:00Z")
@example("2026-02-29T00:00:00Z")
@example("2026-04-31T00:00:00Z")
@example("0000-02-29T00:00:00Z")
@example("\N{FULLWIDTH DIGIT TWO}026-01-01T00:00:00Z")
def test_the_patterns_match_what_is_written_and_nothing_else(text):
    try:
        valid = format_time(parse_time(text)) == text
    except ValueError:
        valid = False
    assert bool(re.search(TIME_PATTERN, text)) is valid
    assert bool(re.search(MICRO_TIME_PATTERN, text.replace("Z", ".000000Z"))) is valid


@given(strategies.datetimes(timezones=strategies.just(UTC)))
def test_every_moment_can_be_written(moment):
    assert re.search(TIME_PATTERN, format_time(moment))
    assert re.search(MICRO_TIME_PATTERN, format_micro_time(moment))
    assert parse_time(format_micro_time(moment)) == moment
