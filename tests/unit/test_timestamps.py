import pytest

from app.domain.timestamps import age, format_micro_time, format_time, human_duration, parse_time

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
    ],
)
def test_formats(text, seconds, micros):
    assert format_time(parse_time(text)) == seconds
    assert format_micro_time(parse_time(text)) == micros


@pytest.mark.parametrize("text", ["", "now", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z"])
def test_what_is_no_timestamp(text):
    with pytest.raises(ValueError, match=r".*"):
        parse_time(text)
