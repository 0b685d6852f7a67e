"""All records of a Service: those of the cluster's zone, of its public names, and of its addresses."""

from collections.abc import Iterable

from app.domain.kinds.endpoint_slice import EndpointSlice
from app.domain.kinds.service import Service
from app.domain.rules.names import MAX_LABEL, MAX_SUBDOMAIN
from app.domain.rules.service.name_wish import shown_names
from app.domain.rules.service.needs import is_headless, needs_cluster_ip
from app.domain.wanted.dns_records import Records, cluster_ip_names, dns_records
from app.domain.wanted.public_records import public_records


def service_records(service: Service, slices: Iterable[EndpointSlice], domain: str) -> list[Records]:
    """Compute the records of one Service. What does not fit into the DNS is left out.

    Args:
        service: The Service.
        slices: Its EndpointSlices. Only a headless Service needs them.
        domain: The cluster's, e.g. `cluster.local`.
    """
    parts = list(slices)
    found = [*dns_records(service, parts, domain), *public_records(service, parts)]
    return [each for each in found if _fits(each.name) and (each.type != "CNAME" or all(map(_fits, each.values)))]


def record_names(service: Service, domain: str) -> set[str]:
    """The names of all records of a Service that is not headless. Arguments as for `service_records`."""
    if needs_cluster_ip(service.spec) and not shown_names(service) and not is_headless(service.spec):
        return set(filter(_fits, cluster_ip_names(service, domain)))
    return {each.name for each in service_records(service, (), domain)}


def _fits(name: str) -> bool:
    """Whether a name is short enough (RFC 1035, section 2.3.4). Kubernetes does not limit labels of an externalName."""
    return len(name) <= MAX_LABEL or (len(name) <= MAX_SUBDOMAIN + 1 and max(map(len, name.split("."))) <= MAX_LABEL)
