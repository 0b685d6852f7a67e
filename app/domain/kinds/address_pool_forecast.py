"""AddressPoolForecast (fairlead.io/v1): when a pool will be full."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import IP_FAMILY, Int32, Int64, Time, Wire


class ForecastWindow(Wire):
    """What became of a pool's addresses in a number of days until now.

    Attributes:
        days: The number of days.
        observed_days: How many of them the pool and its history reach back, at least 1. Rates are per observed day.
        taken: How many addresses somebody got that nobody had. One that is shared counts once.
        released: How many addresses nobody has any more.
        taken_per_day: `taken` by `observedDays`, a decimal number.
        growth_per_day: `taken` less `released` by `observedDays`, a decimal number.
        days_until_full: In how many days nothing is free at this growth; left out if the pool does not grow.
    """

    required = ("days", "observedDays", "taken", "released", "takenPerDay", "growthPerDay")

    days: Int32 = field(default_factory=int)
    observed_days: str = field(default_factory=str)
    taken: Int64 = field(default_factory=int)
    released: Int64 = field(default_factory=int)
    taken_per_day: str = field(default_factory=str)
    growth_per_day: str = field(default_factory=str)
    days_until_full: Int64 | None = None


class ForecastFamily(Wire):
    """The forecast for the addresses of one family.

    Attributes:
        family: IPv4 or IPv6.
        size: How many addresses the pool has.
        used: How many of them objects hold now.
        reserved: How many rest now because they were released a moment ago.
        free: How many are left.
        days_until_full: The least of the windows; left out if the pool grows in none of them.
        windows: The last 1, 7 and 30 days, from which it is computed.
    """

    required = ("family", "size", "used", "reserved", "free", "windows")

    family: Annotated[str, IP_FAMILY] = field(default_factory=str)
    size: Int64 = field(default_factory=int)
    used: Int64 = field(default_factory=int)
    reserved: Int64 = field(default_factory=int)
    free: Int64 = field(default_factory=int)
    days_until_full: Int64 | None = None
    windows: list[ForecastWindow] = field(default_factory=list)


class AddressPoolForecastStatus(Wire):
    """When the pool will be full.

    Attributes:
        as_of: The present, when the forecast was computed.
        families: One entry for each family of which the pool has addresses.
    """

    as_of: Time | None = None
    families: list[ForecastFamily] = field(default_factory=list)


class AddressPoolForecast(KubeObject):
    """When an AddressPool will be full if it goes on as before. Computed for each request."""

    status: AddressPoolForecastStatus = field(default_factory=AddressPoolForecastStatus)
