"""When a pool will be full."""

import pytest

from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.address_pool import AddressPool
from app.domain.wanted.address_pool_forecast import Turnover, forecast

NOW = "2026-01-02T03:04:05Z"


def foretold(known_days, *, size=100, used=0, reserved=0, taken=(), released=()):
    windows = (1, 7, 30)
    turnover = Turnover(
        size,
        used,
        reserved,
        dict(zip(windows, taken or (0, 0, 0), strict=True)),
        dict(zip(windows, released or (0, 0, 0), strict=True)),
    )
    pool = AddressPool("fairlead.io/v1", "AddressPool", ObjectMeta(name="external"))
    (family,) = forecast(pool, {"IPv4": turnover}, known_days, NOW).status.families
    return family


@pytest.mark.parametrize(
    ("known_days", "taken", "released", "until_full", "rates"),
    [
        (90, (0, 0, 0), (0, 0, 0), None, ["0", "0", "0"]),
        (90, (10, 14, 30), (0, 0, 0), 5, ["10", "2", "1"]),
        (90, (10, 70, 90), (10, 0, 90), 5, ["0", "10", "0"]),
        (90, (0, 7, 30), (9, 14, 60), None, ["-9", "-1", "-1"]),
        (2, (10, 20, 20), (0, 0, 0), 5, ["10", "10", "10"]),
        (0.1, (20, 20, 20), (0, 0, 0), 2, ["20", "20", "20"]),
        (90, (0, 0, 1), (0, 0, 0), 1500, ["0", "0", "0.03"]),
    ],
)
def test_growth_per_day(known_days, taken, released, until_full, rates):
    family = foretold(known_days, used=40, reserved=10, taken=taken, released=released)
    assert (family.free, family.days_until_full) == (50, until_full)
    assert [each.growth_per_day for each in family.windows] == rates
    assert [each.days for each in family.windows] == [1, 7, 30]


def test_a_full_pool_is_full_today():
    assert foretold(90, used=100, taken=(1, 1, 1)).days_until_full == 0


def test_large_pools_are_told_as_far_as_numbers_go():
    family = foretold(90, size=2**64, taken=(1, 1, 1))
    assert (family.size, family.days_until_full) == (2**63 - 1, 2**63 - 1)
