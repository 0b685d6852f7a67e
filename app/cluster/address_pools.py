"""The pools that load balancer addresses come from, as the AddressPool objects of this moment say."""

from collections.abc import Mapping

from app.cluster.described_objects import DescribedObjects
from app.cluster.service_ranges import ServiceRanges
from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.kinds.address_pool import AddressPool
from app.domain.rules.address_pools import described_pools
from app.domain.rules.pool_description import PoolDescription
from app.mirror.mirror import Mirror

POOL_KINDS = (ADDRESS_POOL.key, SERVICE_CIDR.key, NAMESPACE.key)
"""The kinds that pools follow from: a pool may choose who uses it by the labels of namespaces."""


class PoolDescriptions(DescribedObjects[AddressPool]):
    """As current as the mirror: it subscribes to it, as `ServiceRanges` does, and after them.

    Attributes:
        pools: In order of their names. The same object as long as nothing but a status changes.
    """

    def __init__(self, mirror: Mirror, ranges: ServiceRanges) -> None:
        self._ranges = ranges
        self.pools: tuple[PoolDescription, ...] = ()
        super().__init__(mirror, ADDRESS_POOL, (SERVICE_CIDR.key,))

    def _essence(self, obj: AddressPool) -> object:
        """What a status does not change."""
        return obj.spec, obj.metadata.deletion_timestamp, obj.metadata.creation_timestamp

    def _describe(self, objects: Mapping[str, AddressPool], chosen: Mapping[str, frozenset[str]]) -> None:
        pools = described_pools(objects.values(), self._ranges.every, chosen)
        if pools != self.pools:
            self.pools = pools
