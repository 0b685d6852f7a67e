"""All resources of one Service."""

from collections.abc import Iterator

from app.domain.wanted.traffic import Traffic
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
            yield resource(LISTENER, each.name, listener(each, embedded=embedded), owner, [each.backend])
    for health in traffic.health_listeners:
        yield resource(LISTENER, health.name, health_listener(health, owner, embedded=embedded), owner)
