"""The declaration of AddressPoolForecast, which `addresspools/NAME/forecast` answers."""

from app.domain.declarations.columns import NAME
from app.domain.declarations.kind import Column, Kind
from app.domain.kinds.address_pool_forecast import AddressPoolForecast, ForecastFamily

_NEVER = "<never>"


def _by_family(obj: AddressPoolForecast, text: str) -> str:
    return ",".join(f"{each.family}:{getattr(each, text)}" for each in obj.status.families)


def _until_full(each: ForecastFamily) -> str:
    return f"{each.family}:{_NEVER if each.days_until_full is None else each.days_until_full}"


ADDRESS_POOL_FORECAST = Kind(
    group="fairlead.io",
    version="v1",
    name="AddressPoolForecast",
    plural="addresspoolforecasts",
    singular="addresspoolforecast",
    namespaced=False,
    model=AddressPoolForecast,
    schema="io.fairlead.v1.AddressPoolForecast",
    columns=(
        NAME,
        Column("Free", lambda obj, _now: _by_family(obj, "free"), description="How many addresses are free."),
        Column(
            "Days-Until-Full",
            lambda obj, _now: ",".join(map(_until_full, obj.status.families)),
            description="In how many days nothing is free.",
        ),
    ),
    verbs=("get",),
)
