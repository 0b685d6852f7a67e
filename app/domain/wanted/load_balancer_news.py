"""What people want to know of a load balancer when its Service changes."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.kinds.load_balancer import LoadBalancerSpec
from app.domain.kinds.service import Service
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.load_balancer_wish import is_ours
from app.domain.wanted.load_balancer import load_balancer

ENSURING, ENSURED, UPDATED, DELETED = (
    "EnsuringLoadBalancer", "EnsuredLoadBalancer", "UpdatedLoadBalancer", "DeletedLoadBalancer",
)  # fmt: skip
"""Reasons of Events, as Kubernetes' service controller has them."""

_PARTS = ("frontends", "rules", "probes", "access", "deny_all")


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell about a Service.

    Attributes:
        reason: Of an Event of type Normal.
        message: A sentence for people.
    """

    reason: str
    message: str


def load_balancer_news(before: Service | None, after: Service | None, cluster: Cluster) -> Iterator[News]:
    """What a change of a Service means for its load balancer; None for a Service that is not there.

    Waiting for an address, and why, is not among it: the allocation tells that.
    """
    old, new = _spec(before, cluster), _spec(after, cluster)
    if old is None and new is not None:
        yield News(ENSURING, "Ensuring load balancer")
    if old is not None and new is None:
        yield News(DELETED, f"Deleted load balancer{_at(old)}")
    if new is None or not _is_whole(after, new):
        return
    if old is None or not _is_whole(before, old):
        yield News(ENSURED, f"Ensured load balancer{_at(new)}")
    elif changed := [part.replace("_", " ") for part in _PARTS if getattr(old, part) != getattr(new, part)]:
        yield News(UPDATED, f"Updated load balancer{_at(new)}: {', '.join(changed)}")


def _spec(service: Service | None, cluster: Cluster) -> LoadBalancerSpec | None:
    """The load balancer without its members, None if there is none."""
    if service is None or not is_ours(service, cluster):
        return None
    return load_balancer(service, (), cluster).spec


def _is_whole(service: Service | None, spec: LoadBalancerSpec) -> bool:
    """Whether every family of the Service has a frontend."""
    return service is not None and len(spec.frontends or []) == len(service.spec.ip_families or []) > 0


def _at(spec: LoadBalancerSpec) -> str:
    addresses = ", ".join(each.address for each in spec.frontends or [])
    return f" at {addresses}" if addresses else ""
