"""The fields of a Service that an update cannot change."""

from collections.abc import Iterator

from app.domain.errors import FIELD_IS_IMMUTABLE, Cause, forbidden, invalid
from app.domain.kinds.service import Service, ServiceSpec
from app.domain.rules.service.needs import EXTERNAL_NAME, LOAD_BALANCER, is_headless, needs_health_check_node_port

_IMMUTABLE = f"{FIELD_IS_IMMUTABLE}: may not change once set"
"""Kubernetes says the one or the other, by field and version; programs look for either."""


def service_update_causes(new: Service, old: Service) -> list[Cause]:
    """Every field whose change is refused."""
    return [
        *_cluster_ip_causes(new.spec, old.spec),
        *_family_causes(new.spec, old.spec),
        *_load_balancer_class_causes(new.spec, old.spec),
        *_health_check_causes(new.spec, old.spec),
    ]


def _cluster_ip_causes(new: ServiceSpec, old: ServiceSpec) -> Iterator[Cause]:
    """The first ClusterIP cannot change, except through type ExternalName. A second one can be added and removed."""
    if EXTERNAL_NAME in (new.type, old.type) or (is_headless(new) and is_headless(old)):
        return
    before, after = old.cluster_ips or [], new.cluster_ips or []
    if len(before) == len(after):
        for index, (was, is_) in enumerate(zip(before, after, strict=True)):
            if was != is_:
                yield _changed(f"spec.clusterIPs[{index}]", is_, was)
    elif before and after and before[0] != after[0]:
        yield _changed("spec.clusterIPs[0]", after[0], before[0])


def _family_causes(new: ServiceSpec, old: ServiceSpec) -> Iterator[Cause]:
    """The primary family cannot change, except that of a headless Service."""
    if EXTERNAL_NAME in (new.type, old.type) or is_headless(new) or is_headless(old):
        return
    before, after = old.ip_families or [], new.ip_families or []
    if (len(before) == len(after) and before != after) or (before and after and before[0] != after[0]):
        yield _changed("spec.ipFamilies[0]", ", ".join(after), ", ".join(before))


def _changed(field: str, value: str, stored: str) -> Cause:
    return invalid(field, value, f"{_IMMUTABLE}: it is {stored}")


def _load_balancer_class_causes(new: ServiceSpec, old: ServiceSpec) -> Iterator[Cause]:
    """KEP-1959: the class cannot change while the type is LoadBalancer."""
    if new.type == old.type == LOAD_BALANCER and new.load_balancer_class != old.load_balancer_class:
        problem = f"{_IMMUTABLE} while the type is LoadBalancer: it is {old.load_balancer_class or 'not set'}"
        yield invalid("spec.loadBalancerClass", new.load_balancer_class or "", problem)


def _health_check_causes(new: ServiceSpec, old: ServiceSpec) -> Iterator[Cause]:
    needed = needs_health_check_node_port(new) and needs_health_check_node_port(old)
    if needed and old.health_check_node_port and new.health_check_node_port != old.health_check_node_port:
        problem = f"{FIELD_IS_IMMUTABLE} while the Service needs it: it is {old.health_check_node_port}"
        yield forbidden("spec.healthCheckNodePort", problem)
