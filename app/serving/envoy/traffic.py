"""All resources of one Service."""

from collections.abc import Iterator
from functools import lru_cache

from app.domain.wanted.traffic import Listener, Traffic
from app.mirror.entry import NamespacedName
from app.serving.envoy.clusters import assignment, cluster
from app.serving.envoy.listeners import health_listener, listener
from app.serving.resources import ASSIGNMENT, CLUSTER, LISTENER, Resource, resource


def resources_of(traffic: Traffic, owner: NamespacedName, *, embedded: bool) -> Iterator[Resource]:
    """What an Envoy is sent for a Service.

    Args:
        traffic: What it does for the Service.
        owner: Namespace and name of the Service.
        embedded: Whether the Envoy is the one that `serve` runs.
    """
    for backend in traffic.backends:
        yield resource(CLUSTER, backend.name, cluster(backend), owner)
        yield resource(ASSIGNMENT, backend.name, assignment(backend), owner)
    for each in traffic.listeners:
        if each.sources:
            yield _listener(each, owner, embedded=embedded)
    for health in traffic.health_listeners:
        yield resource(LISTENER, health.name, health_listener(health, owner, embedded=embedded), owner)


@lru_cache(maxsize=4096)
def _listener(wanted: Listener, owner: NamespacedName, *, embedded: bool) -> Resource:
    """Remembered for a while: soon after a Service come its members, which change nothing of its listeners."""
    return resource(LISTENER, wanted.name, listener(wanted, embedded=embedded), owner, [wanted.backend])
