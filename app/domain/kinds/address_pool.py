"""AddressPool (fairlead.io/v1): addresses of load balancers."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, IP_FAMILY, Int32, Int64, Wire, one_of, patch_key
from app.domain.kinds.meta import Condition, LabelSelector


class AddressPoolSpec(Wire):
    """The addresses of a pool, and which Services may get them.

    Attributes:
        scope: internal for private addresses, external for public ones. It cannot be changed.
        addresses: CIDRs such as 198.18.0.0/16, ranges such as 198.18.0.10-198.18.0.20 and single addresses, of either
            family. An address comes from the first entry that has a free one. The first address of a CIDR, and the
            last address of an IPv4 CIDR, are not used; those of a range are. No address may be in another pool or in
            a range of ClusterIPs. Addresses that objects hold cannot be taken out.
        exclude: Addresses that are not used, written like addresses. A CIDR means all of its addresses.
        auto_assign: Whether a Service that names no pool may get an address. True when left out.
        priority: Pools with a higher priority come first. Pools of equal priority are ordered by name.
        aliases: Other names by which Services may ask for the pool, such as names of Azure subnets.
        drain: Whether the pool gives no more addresses. Services keep the addresses they have.
        namespace_selector: Labels of the namespaces whose Services may use the pool; every namespace when left out.
        reuse_after_seconds: Seconds for which a released address is not used again, at most 30 days. A Service that
            asks for exactly this address gets it at once. With 0, the addresses released last are only used last.
    """

    required = ("scope", "addresses")

    scope: Annotated[str, one_of("internal", "external")] = field(default_factory=str)
    addresses: Annotated[list[str], ATOMIC] | None = None
    exclude: Annotated[list[str], ATOMIC] | None = None
    auto_assign: bool | None = None
    priority: Int32 = 0
    aliases: Annotated[list[str], ATOMIC] | None = None
    drain: bool = False
    namespace_selector: LabelSelector | None = None
    reuse_after_seconds: Int32 = 0


class AddressPoolFamily(Wire):
    """The numbers of addresses of one family. A number that is larger than 2^63-1 is shown as 2^63-1.

    Attributes:
        family: IPv4 or IPv6.
        size: How many addresses the pool has.
        used: How many of them objects hold.
        reserved: How many are not used now because they were released a moment ago (reuseAfterSeconds).
        free: How many a Service could get now.
    """

    required = ("family", "size", "used", "reserved", "free")

    family: Annotated[str, IP_FAMILY] = field(default_factory=str)
    size: Int64 = field(default_factory=int)
    used: Int64 = field(default_factory=int)
    reserved: Int64 = field(default_factory=int)
    free: Int64 = field(default_factory=int)


class AddressPoolStatus(Wire):
    """How full the pool is. Updated about once a second.

    Attributes:
        families: One entry for each family of which the pool has addresses.
        conditions: Ready is True while the pool gives addresses. Terminating names the objects that hold addresses of
            a pool that is being deleted.
    """

    families: Annotated[list[AddressPoolFamily], patch_key("family")] | None = None
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class AddressPool(KubeObject):
    """Addresses of load balancers."""

    spec: AddressPoolSpec = field(default_factory=AddressPoolSpec)
    status: AddressPoolStatus = field(default_factory=AddressPoolStatus)
