"""AddressPool (fairlead.io/v1): addresses that load balancers are given."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Int32, Int64, Wire, patch_key
from app.domain.kinds.meta import Condition, LabelSelector


class AddressPoolSpec(Wire):
    """Which addresses there are, and who may have them.

    Attributes:
        scope: internal for private addresses, external for public ones. It cannot be changed.
        addresses: CIDRs such as 198.18.0.0/16, ranges such as 198.18.0.10-198.18.0.20 and single addresses, of either
            family. They are given from the first one that has a free address. The first address of a CIDR, and the
            last one of an IPv4 CIDR, are not given; those of a range are. No address may be in another pool or in a
            range of ClusterIPs. Addresses that objects hold cannot be taken out.
        exclude: Parts of the addresses that are nobody's to have. Written like addresses; a CIDR means all of it.
        auto_assign: Whether a Service that names no pool may get an address. True when left out.
        priority: Pools with a higher one are asked first. Among equals the name decides.
        aliases: Other names by which Services may ask for the pool, such as names of Azure subnets.
        drain: Nobody gets an address any more. Who has one keeps it.
        namespace_selector: Labels of the namespaces whose Services may use the pool; every namespace when left out.
        reuse_after_seconds: How long an address is given to nobody after it was released, at most 30 days. A Service
            that asks for exactly this address gets it. At 0 the addresses released last are merely given last.
    """

    required = ("scope", "addresses")

    scope: str = field(default_factory=str)
    addresses: Annotated[list[str], ATOMIC] | None = None
    exclude: Annotated[list[str], ATOMIC] | None = None
    auto_assign: bool | None = None
    priority: Int32 = 0
    aliases: Annotated[list[str], ATOMIC] | None = None
    drain: bool = False
    namespace_selector: LabelSelector | None = None
    reuse_after_seconds: Int32 = 0


class AddressPoolFamily(Wire):
    """How many addresses of one family there are. A number that is larger than 2^63-1 is shown as 2^63-1.

    Attributes:
        family: IPv4 or IPv6.
        size: How many addresses the pool has.
        used: How many of them objects hold.
        reserved: How many can be given to nobody now because they were released a moment ago (reuseAfterSeconds).
        free: How many can be given now.
    """

    required = ("family", "size", "used", "reserved", "free")

    family: str = field(default_factory=str)
    size: Int64 = field(default_factory=int)
    used: Int64 = field(default_factory=int)
    reserved: Int64 = field(default_factory=int)
    free: Int64 = field(default_factory=int)


class AddressPoolStatus(Wire):
    """How full the pool is; brought up to date about once a second.

    Attributes:
        families: One entry for each family of which the pool has addresses.
        conditions: Ready is True while addresses are given. Terminating says who holds addresses of a pool that is
            being deleted.
    """

    families: Annotated[list[AddressPoolFamily], patch_key("family")] | None = None
    conditions: Annotated[list[Condition], patch_key("type")] | None = None


class AddressPool(KubeObject):
    """Addresses that load balancers are given."""

    spec: AddressPoolSpec = field(default_factory=AddressPoolSpec)
    status: AddressPoolStatus = field(default_factory=AddressPoolStatus)
