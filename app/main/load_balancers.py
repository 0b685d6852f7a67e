"""The load balancers that a reconciler tells what to do."""

from app.cluster.service_slices import ServiceSlices
from app.controllers.controller import Targets
from app.controllers.load_balancer_pushes import LoadBalancerParts, LoadBalancerTargets, PushedPlane
from app.domain.wanted.traffic import PlaneProfile
from app.main.parts import Parts
from app.providers.lb.haproxy import HAProxy
from app.settings.processes import ReconcilerSettings


def load_balancer_targets(parts: Parts, settings: ReconcilerSettings) -> list[Targets]:
    """One for the HAProxy of the settings, if there is one."""
    if settings.haproxy_dir is None:
        return []
    profile = PlaneProfile(
        scopes=settings.haproxy_scopes,
        pools=settings.haproxy_pools or None,
        node=settings.haproxy_node,
        node_addresses=settings.haproxy_node_addresses,
    )
    plane = PushedPlane(settings.haproxy_name, "HAProxy", profile, HAProxy(settings.haproxy_dir.absolute()))
    shared = LoadBalancerParts(parts.writer, parts.mirror, ServiceSlices(parts.mirror), parts.cluster)
    return [LoadBalancerTargets(shared, [plane])]
