"""The declaration of AddressPool."""

from app.domain.declarations.address_pool_forecast import ADDRESS_POOL_FORECAST
from app.domain.declarations.columns import AGE, NAME, first_few
from app.domain.declarations.kind import Column, Kind, Subresource
from app.domain.kinds.address_pool import AddressPool
from app.domain.rules.address_pool import READY, AddressPoolStrategy

_NONE = "<none>"


def _addresses(pool: AddressPool, _now: str) -> str:
    return first_few(pool.spec.addresses or [])


def _ready(pool: AddressPool, _now: str) -> str:
    return next((each.status for each in pool.status.conditions or [] if each.type == READY), "Unknown")


def _count(family: str, name: str) -> Column[AddressPool]:
    """How many addresses of a family are used or free."""

    def cell(pool: AddressPool, _now: str) -> str:
        counts = next((each for each in pool.status.families or [] if each.family == family), None)
        return _NONE if counts is None else str(getattr(counts, name))

    return Column(f"{family}-{name.capitalize()}", cell, description=f"How many addresses of {family} are {name}.")


ADDRESS_POOL = Kind(
    group="fairlead.io",
    version="v1",
    name="AddressPool",
    plural="addresspools",
    singular="addresspool",
    namespaced=False,
    model=AddressPool,
    schema="io.fairlead.v1.AddressPool",
    columns=(
        NAME,
        Column("Scope", lambda obj, _now: obj.spec.scope, description="Whether addresses are internal or external."),
        Column("Addresses", _addresses, description="What the pool is made of."),
        *(_count(family, name) for family in ("IPv4", "IPv6") for name in ("used", "free")),
        Column("Ready", _ready, description="Whether addresses are given."),
        AGE,
        Column(
            "Auto-Assign",
            lambda obj, _now: str(obj.spec.auto_assign is not False).lower(),
            priority=1,
            description="Whether Services that name no pool may get an address.",
        ),
        Column(
            "Priority",
            lambda obj, _now: obj.spec.priority,
            type="integer",
            priority=1,
            description="Pools with a higher one are asked first.",
        ),
    ),
    strategy=AddressPoolStrategy(),
    short_names=("ap",),
    selectable={"spec.scope": lambda obj: obj.spec.scope},
    has_status=True,
    subresources=(Subresource("forecast", ("get",), carries=ADDRESS_POOL_FORECAST),),
)
