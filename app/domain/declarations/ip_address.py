"""The declaration of IPAddress."""

from app.domain.declarations.columns import NAME
from app.domain.declarations.kind import Column, Derivation, Kind
from app.domain.kinds.ip_address import IPAddress
from app.domain.rules.ip_address import IPAddressStrategy, claim_of, parent_text
from app.domain.wanted.ip_addresses import addresses_of

IP_ADDRESS = Kind(
    group="networking.k8s.io",
    version="v1",
    name="IPAddress",
    plural="ipaddresses",
    singular="ipaddress",
    namespaced=False,
    model=IPAddress,
    schema="io.k8s.api.networking.v1.IPAddress",
    columns=(
        NAME,
        Column("ParentRef", lambda address, _now: parent_text(address), description="What the address belongs to."),
    ),
    strategy=IPAddressStrategy(),
    short_names=("ip",),
    name_rule="any_path_segment",
    derivation=Derivation("services", addresses_of, claim=claim_of),
)
