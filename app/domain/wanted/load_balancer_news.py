"""What people want to know of a load balancer when its Service changes."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.kinds.service import Service
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.load_balancer_wish import is_ours
from app.domain.wanted.load_balancer import frontend_addresses, load_balancer

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
    old, new = _served(before, cluster), _served(after, cluster)
    if old is None and new is not None:
        yield News(ENSURING, "Ensuring load balancer")
    if old is not None and new is None:
        yield News(DELETED, f"Deleted load balancer{_at(old)}")
    if new is None or not _is_whole(new):
        return
    if old is None or not _is_whole(old):
        yield News(ENSURED, f"Ensured load balancer{_at(new)}")
    elif changed := _changed(old, new, cluster):
        yield News(UPDATED, f"Updated load balancer{_at(new)}: {', '.join(changed)}")


def _served(service: Service | None, cluster: Cluster) -> Service | None:
    """The Service if it has a load balancer of ours."""
    return service if service is not None and is_ours(service, cluster) else None


def _is_whole(service: Service) -> bool:
    """Whether every family of the Service has a frontend."""
    return len(frontend_addresses(service)) == len(service.spec.ip_families or []) > 0


def _changed(old: Service, new: Service, cluster: Cluster) -> list[str]:
    """The parts of the load balancer that differ, in words; its members are none of them."""
    before, after = (load_balancer(each, (), cluster).spec for each in (old, new))
    return [part.replace("_", " ") for part in _PARTS if getattr(before, part) != getattr(after, part)]


def _at(service: Service) -> str:
    addresses = ", ".join(frontend_addresses(service).values())
    return f" at {addresses}" if addresses else ""
