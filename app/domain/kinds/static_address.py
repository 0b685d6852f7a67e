"""StaticAddress (fairlead.io/v1): a load balancer address that outlives Services."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, IP_FAMILY, Int32, Wire, patch_key
from app.domain.kinds.meta import Condition


class StaticAddressSpec(Wire):
    """Which address to keep, and for whom.

    Attributes:
        pool: The AddressPool that the address is from, by name or alias. It cannot be changed. When it is left out, it
            is the pool that has `address`.
        family: IPv4 or IPv6. It cannot be changed. When it is left out, it is the family of `address`, or the first one
            that the pool has.
        address: The address to keep. When it is left out, one of the pool is chosen, and status.address shows it. It
            cannot be changed.
        dns_label: Label of a public DNS name for the address; no other StaticAddress or Service can have it.
        shared_with: Other namespaces whose Services may use the address, as `namespace/name`. `*` stands for all.
        drain: Whether no further Service may use the address. Services that have it keep it. Only a StaticAddress that
            drains can be deleted while Services use the address; it goes with the last of them.
    """

    pool: str = ""
    family: Annotated[str, IP_FAMILY] = ""
    address: str = ""
    dns_label: str = ""
    shared_with: Annotated[list[str], ATOMIC] | None = None
    drain: bool = False


class AddressUser(Wire):
    """A Service that uses an address.

    Attributes:
        namespace: The namespace of the Service.
        name: The name of the Service.
    """

    required = ("namespace", "name")

    namespace: str = field(default_factory=str)
    name: str = field(default_factory=str)


class StaticAddressStatus(Wire):
    """The address, and who uses it. Updated within about a second.

    Attributes:
        address: The address that is kept.
        fqdn: The public DNS name of the address.
        used_by: The Services that use the address, at most 100 of them.
        users: How many Services use the address.
        conditions: Allocated is True once the address is kept. Ready is True while Services may use the address.
            Terminating names the Services that a deletion waits for.
    """

    address: str = ""
    fqdn: str = ""
    used_by: Annotated[list[AddressUser], ATOMIC] | None = None
    users: Int32 = 0
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class StaticAddress(KubeObject):
    """A load balancer address that outlives the Services that use it."""

    spec: StaticAddressSpec = field(default_factory=StaticAddressSpec)
    status: StaticAddressStatus = field(default_factory=StaticAddressStatus)
