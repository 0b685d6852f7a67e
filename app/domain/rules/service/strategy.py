"""The rules of a Service, in the order in which the API server applies them (pkg/registry/core/service)."""

from collections.abc import Mapping

from msgspec.structs import replace

from app.domain.errors import Cause
from app.domain.kinds.service import Service, ServiceStatus
from app.domain.rules.claim import Claim
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.annotation_rules import annotation_causes
from app.domain.rules.service.annotation_warnings import annotation_warnings
from app.domain.rules.service.asked_values import asked_value_causes, share_asked_node_ports
from app.domain.rules.service.charges import service_charges
from app.domain.rules.service.claims import claims
from app.domain.rules.service.conditions import (
    is_explained,
    is_pending,
    keep_own_conditions,
    refresh_conditions,
)
from app.domain.rules.service.data_plane_limits import limits
from app.domain.rules.service.defaulting import apply_defaults
from app.domain.rules.service.families import normalise_cluster_ips, plan_families
from app.domain.rules.service.frontends import frontend_causes, frontend_warnings, keep_frontends
from app.domain.rules.service.load_balancer_wish import is_ours, wish_of
from app.domain.rules.service.public_names import name_warnings, restore_names
from app.domain.rules.service.status import status_causes
from app.domain.rules.service.transitions import drop_what_the_type_forbids, restore_chosen_values
from app.domain.rules.service.update import service_update_causes
from app.domain.rules.service.validation import service_causes
from app.domain.rules.service.warnings import service_warnings, status_warnings
from app.domain.rules.strategy import Strategy


class ServiceStrategy(Strategy[Service]):
    """Service: defaulting, transitions, validation, claims."""

    def default(self, new: Service) -> None:
        """Fill in what the client left out."""
        apply_defaults(new)

    def prepare_create(self, new: Service, cluster: Cluster) -> None:
        """Drop the status, set addresses and families, and write conditions about what is still to be allocated."""
        new.status = ServiceStatus()
        restore_names(new, None)
        normalise_cluster_ips(new.spec, None)
        share_asked_node_ports(new.spec)
        _settle_families(new, None, cluster)
        refresh_conditions(new, cluster)

    def asks_of_cluster(self, new: Service) -> bool:
        """Whether the client asks for addresses or families: ranges and pools may have changed a moment ago."""
        spec = new.spec
        asks_for_cluster_ip = any(each not in ("", "None") for each in (spec.cluster_ip, *(spec.cluster_ips or [])))
        wish = wish_of(new)
        asks_for_address = asks_for_cluster_ip or bool(wish.asked or wish.additional_addresses)
        return asks_for_address or bool(spec.ip_families) or spec.ip_family_policy is not None

    def unavailable(self, new: Service, old: Service | None, cluster: Cluster) -> list[Cause]:
        """Name what cannot be allocated: Kubernetes allocates first and then validates."""
        _, causes = plan_families(new, old, cluster)
        return causes or asked_value_causes(new, old, cluster)

    def validate_create(self, new: Service, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        return [*service_causes(new, None), *_own_load_balancer_causes(new, None, cluster)]

    def prepare_update(self, new: Service, old: Service, cluster: Cluster) -> None:
        """Keep what the server chose and what only `/status` may change. Drop what the new type does not have."""
        restore_chosen_values(new.spec, old.spec)
        normalise_cluster_ips(new.spec, old.spec)
        _settle_families(new, old, cluster)
        new.status = replace(old.status)
        restore_names(new, old)
        drop_what_the_type_forbids(new, old)
        keep_frontends(new, old, cluster)
        refresh_conditions(new, cluster, before=old)

    def validate_update(self, new: Service, old: Service, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong or cannot change."""
        causes = [*service_update_causes(new, old), *service_causes(new, old)]
        return [*causes, *_own_load_balancer_causes(new, old, cluster)]

    def prepare_status(self, new: Service, old: Service, cluster: Cluster) -> None:
        """Restore the spec, our own conditions, and the addresses of a load balancer that our controller serves."""
        new.spec = old.spec
        restore_names(new, old)
        keep_own_conditions(new, old)
        if is_ours(old, cluster):
            new.status.load_balancer = old.status.load_balancer

    def validate_status(self, new: Service, old: Service, cluster: Cluster) -> list[Cause]:
        """Name every field of the status that is wrong."""
        del cluster
        return status_causes(new, old)

    def warnings(self, new: Service, old: Service | None, cluster: Cluster) -> list[str]:
        """Deprecated, ignored, ambiguous or misspelt values."""
        del old
        warnings = [*service_warnings(new), *name_warnings(new, cluster)]
        if not is_ours(new, cluster):
            return warnings
        beyond = [f"the data planes cannot do all of it: {text}" for text in limits(new)] if cluster.data_planes else []
        return [*warnings, *beyond, *annotation_warnings(new, cluster), *frontend_warnings(new)]

    def status_warnings(self, new: Service, old: Service) -> list[str]:
        """Ambiguous addresses."""
        del old
        return status_warnings(new)

    def claims(self, obj: Service, cluster: Cluster) -> tuple[Claim, ...]:
        """The addresses and ports that the Service shows."""
        return claims(obj, cluster)

    def charges(self, obj: Service, cluster: Cluster) -> Mapping[str, int]:
        """Its node ports, its load balancer and the addresses of that."""
        return service_charges(obj, cluster)

    def pending(self, obj: Service, cluster: Cluster) -> bool:
        """Whether something is left for the reconciler to allocate."""
        return is_pending(obj, cluster)

    def untried(self, obj: Service, cluster: Cluster) -> bool:
        """Whether the reconciler has not tried yet. After it has, the conditions say what is missing."""
        return is_pending(obj, cluster) and not is_explained(obj)

    def explain_pending(self, obj: Service, cluster: Cluster) -> None:
        """Write the condition: the reconciler takes long, or there is none."""
        refresh_conditions(obj, cluster)


def _settle_families(new: Service, old: Service | None, cluster: Cluster) -> None:
    plan, _ = plan_families(new, old, cluster)
    if plan is not None:
        plan.apply(new.spec)


def _own_load_balancer_causes(new: Service, old: Service | None, cluster: Cluster) -> list[Cause]:
    if not is_ours(new, cluster):
        return []
    served_before = old if old is not None and is_ours(old, cluster) else None
    return [*annotation_causes(new, served_before), *frontend_causes(new, served_before, cluster)]
