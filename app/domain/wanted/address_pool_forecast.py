"""The forecast of a pool, from what is free and what was taken and released."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.address_pool import AddressPool
from app.domain.kinds.address_pool_forecast import (
    AddressPoolForecast,
    AddressPoolForecastStatus,
    ForecastFamily,
    ForecastWindow,
)

WINDOWS = (1, 7, 30)
"""Days that a forecast looks back."""

_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Turnover:
    """What is known of the addresses of one family of a pool.

    Attributes:
        size: How many there are.
        used: How many are held.
        reserved: How many rest.
        taken: By window in days: how many somebody got that nobody had.
        released: By window in days: how many nobody has any more.
    """

    size: int
    used: int
    reserved: int
    taken: Mapping[int, int]
    released: Mapping[int, int]


def forecast(pool: AddressPool, families: Mapping[str, Turnover], known_days: float, now: str) -> AddressPoolForecast:
    """When each family of a pool will be full.

    Args:
        pool: The pool.
        families: What is known, by family.
        known_days: How many days the pool and the history of addresses reach back.
        now: RFC 3339.
    """
    found = [_family(family, turnover, known_days) for family, turnover in sorted(families.items())]
    meta = pool.metadata
    return AddressPoolForecast(
        api_version="fairlead.io/v1",
        kind="AddressPoolForecast",
        metadata=ObjectMeta(name=meta.name, uid=meta.uid, creation_timestamp=now),
        status=AddressPoolForecastStatus(as_of=now, families=found),
    )


def _family(family: str, turnover: Turnover, known_days: float) -> ForecastFamily:
    free = max(turnover.size - turnover.used - turnover.reserved, 0)
    windows = [_window(days, turnover, free, known_days) for days in WINDOWS]
    return ForecastFamily(
        family=family,
        size=min(turnover.size, _LARGEST),
        used=turnover.used,
        reserved=turnover.reserved,
        free=min(free, _LARGEST),
        days_until_full=_least([each.days_until_full for each in windows]),
        windows=windows,
    )


def _window(days: int, turnover: Turnover, free: int, known_days: float) -> ForecastWindow:
    observed = max(1.0, min(float(days), known_days))
    taken, released = turnover.taken.get(days, 0), turnover.released.get(days, 0)
    growth = (taken - released) / observed
    return ForecastWindow(
        days=days,
        observed_days=_decimal(observed),
        taken=taken,
        released=released,
        taken_per_day=_decimal(taken / observed),
        growth_per_day=_decimal(growth),
        days_until_full=min(math.floor(free / growth), _LARGEST) if growth > 0 else None,
    )


def _decimal(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def _least(days: Sequence[int | None]) -> int | None:
    return min((each for each in days if each is not None), default=None)
