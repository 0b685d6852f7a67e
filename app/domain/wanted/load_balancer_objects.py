"""The LoadBalancer of a Service as an object, computed from it and its slices."""

from collections.abc import Iterator, Sequence
from uuid import UUID, uuid5

from app.domain.documents.objects import ObjectMeta, OwnerReference
from app.domain.kinds.endpoint_slice import SERVICE_NAME_LABEL, EndpointSlice
from app.domain.kinds.load_balancer import LoadBalancer, LoadBalancerStatus
from app.domain.kinds.meta import Condition
from app.domain.kinds.node import Node
from app.domain.kinds.service import Service
from app.domain.rules.balanced_nodes import balanced_node
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.annotations import FLOATING_IP_DISABLED
from app.domain.rules.service.load_balancer_wish import is_ours, wish_of
from app.domain.rules.service_tags import is_internet
from app.domain.wanted.load_balancer import frontend_addresses, load_balancer
from app.domain.wanted.load_balancer_members import member_counts
from app.domain.wanted.programming import plane_states, served_places

TAGS_RESOLVED = "TagsResolved"
"""The condition that is False while a service tag admits nobody."""


def load_balancers(service: Service, slices: Sequence[EndpointSlice], cluster: Cluster) -> list[LoadBalancer]:
    """The LoadBalancer of a Service, with its name, labels, revision and creation time; none if we do not serve it."""
    if not is_ours(service, cluster):
        return []
    meta, uid = service.metadata, service.metadata.uid or ""
    spec = load_balancer(service, slices, cluster).spec
    revision = max(int(each.metadata.resource_version or 0) for each in (service, *slices))
    owner = OwnerReference(api_version="v1", kind="Service", name=meta.name, uid=uid, controller=True)
    made = LoadBalancer(
        api_version="fairlead.io/v1",
        kind="LoadBalancer",
        metadata=ObjectMeta(
            name=meta.name,
            namespace=meta.namespace,
            uid=str(uuid5(UUID(uid), "LoadBalancer")) if uid else None,
            resource_version=meta.resource_version,
            creation_timestamp=meta.creation_timestamp,
            labels={**(meta.labels or {}), SERVICE_NAME_LABEL: meta.name},
            owner_references=[owner],
        ),
        spec=spec,
        status=LoadBalancerStatus(
            members=member_counts(service, slices, cluster.nodes.excluded),
            data_planes=plane_states(service, served_places(spec), revision, cluster.data_planes) or None,
            conditions=_tags_resolved(service, cluster) or None,
        ),
    )
    return [made]


def neighbours(service: Service, cluster: Cluster) -> Iterator[tuple[str, str]]:
    """The namespaces and names of the Services at the same addresses: the frontend has the name of the first."""
    for address in frontend_addresses(service).values():
        yield from cluster.shared_frontends.names_at(address)


def touched_by_node(before: Node | None, after: Node | None) -> Sequence[str]:
    """Texts that Services, or their slices, mention if a change of a node concerns their load balancers."""
    old, new = (None if node is None else balanced_node(node) for node in (before, after))
    node = after or before
    return () if old == new or node is None else (node.metadata.name, FLOATING_IP_DISABLED)


def _tags_resolved(service: Service, cluster: Cluster) -> list[Condition]:
    """Whether the addresses of the Service's tags are known. It says since when the Service has been there."""
    tags = wish_of(service).allowed_tags
    missing = [tag for tag in tags if not is_internet(tag) and not cluster.service_tags.networks(tag)]
    if not tags:
        return []
    status, reason, message = "True", "Resolved", "the addresses of all service tags are known"
    if missing:
        status, reason = "False", "NoPrefixes"
        message = (
            f"--service-tags names no list that has the addresses of {', '.join(missing)}: nobody is admitted by them"
        )
    since = service.metadata.creation_timestamp
    return [Condition(type=TAGS_RESOLVED, status=status, last_transition_time=since, reason=reason, message=message)]
