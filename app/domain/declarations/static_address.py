"""The declaration of StaticAddress."""

from app.domain.declarations.columns import AGE, NAME, first_few
from app.domain.declarations.kind import Column, Kind
from app.domain.kinds.static_address import StaticAddress
from app.domain.rules.static_address import READY, StaticAddressStrategy

_PENDING, _NONE = "<pending>", "<none>"


def _used_by(address: StaticAddress, _now: str) -> str:
    return first_few([f"{each.namespace}/{each.name}" for each in address.status.used_by or []]) or _NONE


def _ready(address: StaticAddress, _now: str) -> str:
    return next((each.status for each in address.status.conditions or [] if each.type == READY), "Unknown")


STATIC_ADDRESS = Kind(
    group="fairlead.io",
    version="v1",
    name="StaticAddress",
    plural="staticaddresses",
    singular="staticaddress",
    namespaced=True,
    model=StaticAddress,
    schema="io.fairlead.v1.StaticAddress",
    columns=(
        NAME,
        Column("Address", lambda obj, _now: obj.status.address or _PENDING, description="The address that is kept."),
        Column("Pool", lambda obj, _now: obj.spec.pool, description="The AddressPool that the address is from."),
        Column("DNS-Label", lambda obj, _now: obj.spec.dns_label or _NONE, description="Label of its public name."),
        Column("Used-By", _used_by, description="The Services that use the address."),
        Column("Ready", _ready, description="Whether Services may use the address."),
        AGE,
        Column("Family", lambda obj, _now: obj.spec.family, priority=1, description="IPv4 or IPv6."),
        Column(
            "Shared-With",
            lambda obj, _now: first_few(obj.spec.shared_with or []) or _NONE,
            priority=1,
            description="Other namespaces whose Services may use the address.",
        ),
    ),
    strategy=StaticAddressStrategy(),
    short_names=("sip",),
    selectable={
        "spec.pool": lambda address: address.spec.pool,
        "status.address": lambda address: address.status.address,
    },
    has_status=True,
)
