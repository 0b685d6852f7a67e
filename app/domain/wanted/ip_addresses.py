"""The IPAddresses of a Service, computed from its ClusterIPs."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.ip_address import IPAddress, IPAddressSpec, ParentReference
from app.domain.kinds.service import Service
from app.domain.rules.addresses import family_of
from app.domain.rules.cluster import Cluster

FAMILY_LABEL = "ipaddress.kubernetes.io/ip-family"


MANAGED_BY_LABEL, ALLOCATOR = "ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"


def addresses_of(service: Service, parts: Sequence[Any], cluster: Cluster) -> list[IPAddress]:
    """The ClusterIPs of a Service as objects, with its revision and creation time."""
    del parts, cluster
    return [_held(service, address) for address in service.spec.cluster_ips or [] if address not in ("", "None")]


def _held(service: Service, address: str) -> IPAddress:
    meta = service.metadata
    return IPAddress(
        api_version="networking.k8s.io/v1",
        kind="IPAddress",
        metadata=ObjectMeta(
            name=address,
            uid=str(uuid5(UUID(meta.uid), address)) if meta.uid else None,
            resource_version=meta.resource_version,
            creation_timestamp=meta.creation_timestamp,
            labels={FAMILY_LABEL: family_of(address), MANAGED_BY_LABEL: ALLOCATOR},
        ),
        spec=IPAddressSpec(ParentReference(resource="services", namespace=meta.namespace or "", name=meta.name)),
    )
