"""IP families and ClusterIPs: four fields of a Service that depend on each other (KEP-563).

`clusterIP` and `clusterIPs[0]` are the same value. `clusterIPs`, `ipFamilies` and `ipFamilyPolicy` say the same thing
in three ways. A client may give any of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.errors import Cause, duplicate, invalid, not_supported
from app.domain.kinds.service import Service, ServiceSpec
from app.domain.rules.addresses import address_causes, family_of
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.needs import (
    EXTERNAL_NAME,
    NONE,
    PREFER_DUAL_STACK,
    REQUIRE_DUAL_STACK,
    SINGLE_STACK,
    is_headless,
    is_proxied,
)

IPV4, IPV6 = "IPv4", "IPv6"
FAMILIES = (IPV4, IPV6)
POLICIES = (PREFER_DUAL_STACK, REQUIRE_DUAL_STACK, SINGLE_STACK)
_OTHER = {IPV4: IPV6, IPV6: IPV4}
_DUAL = 2


@dataclass(frozen=True, slots=True)
class FamilyPlan:
    """The values of the linked fields.

    Attributes:
        policy: `ipFamilyPolicy`.
        families: `ipFamilies`, primary first.
        cluster_ips: Those of `clusterIPs` that are known already.
    """

    policy: str
    families: tuple[str, ...]
    cluster_ips: tuple[str, ...]

    def apply(self, spec: ServiceSpec) -> None:
        """Write the plan into a spec."""
        spec.ip_family_policy = self.policy
        spec.ip_families = list(self.families) or None
        spec.cluster_ips = list(self.cluster_ips) or None


def normalise_cluster_ips(new: ServiceSpec, old: ServiceSpec | None) -> None:
    """Make `clusterIPs` follow `clusterIP` for clients that know only the singular field, in place.

    - If `clusterIP` changed and `clusterIPs` did not, the change counts. If `clusterIP` was cleared, both are cleared.
    - If only `clusterIP` is given, `clusterIPs` follow from it, or stay if it did not change.
    """
    if old is not None:
        if not new.cluster_ips and old.cluster_ip == new.cluster_ip:
            new.cluster_ips = old.cluster_ips
        if old.cluster_ip != new.cluster_ip and _same(old.cluster_ips, new.cluster_ips):
            new.cluster_ips = None
    if new.cluster_ip and not new.cluster_ips:
        new.cluster_ips = [new.cluster_ip]


def plan_families(new: Service, old: Service | None, cluster: Cluster) -> tuple[FamilyPlan | None, list[Cause]]:
    """Compute policy, families and ClusterIPs from the new object, the stored object and the cluster.

    Returns:
        The plan and the causes. The plan is None if the fields do not change, or if there are causes.
    """
    spec, before = new.spec, old.spec if old is not None else None
    if spec.type == EXTERNAL_NAME or _stays_preferred(spec, before):
        return None, []
    policy = _policy(spec, before)
    causes = ip_field_causes(spec, before)
    if causes:
        return None, causes
    plan = _downgraded(FamilyPlan(policy, tuple(spec.ip_families or ()), tuple(spec.cluster_ips or ())), before)
    causes = [*_reduction_causes(plan, before), *_single_stack_causes(plan)]
    plan, inference_causes = _with_inferred_families(plan, cluster)
    causes += inference_causes
    if causes:
        return None, causes
    if is_free_of_the_cluster(spec):
        return _completed(plan, cluster, every_family=True), []
    causes = _cluster_causes(plan, cluster)
    return (None, causes) if causes else (_completed(plan, cluster, every_family=False), [])


def is_free_of_the_cluster(spec: ServiceSpec) -> bool:
    """Whether the cluster does not limit the families: those of a headless Service without selector."""
    return spec.cluster_ip == NONE and not spec.selector


def ip_field_causes(spec: ServiceSpec, old: ServiceSpec | None) -> list[Cause]:
    """What is wrong with the linked fields on any cluster. Stored values need not be strict."""
    if spec.type == EXTERNAL_NAME:
        return []
    return [*_singular_causes(spec), *_family_causes(spec), *_policy_causes(spec), *_cluster_ip_causes(spec, old)]


def _stays_preferred(spec: ServiceSpec, old: ServiceSpec | None) -> bool:
    """Whether PreferDualStack did not change. Then families do not change if those of the cluster did."""
    return (
        old is not None
        and is_proxied(spec)
        and old.type == spec.type
        and spec.ip_family_policy == PREFER_DUAL_STACK
        and old.ip_family_policy in (None, PREFER_DUAL_STACK)
        and _same(old.cluster_ips, spec.cluster_ips)
        and _same(old.ip_families, spec.ip_families)
    )


def _policy(spec: ServiceSpec, old: ServiceSpec | None) -> str:
    """The policy of the client, else the stored one, else the default."""
    if spec.ip_family_policy is not None:
        return spec.ip_family_policy
    if old is not None and old.ip_family_policy is not None:
        return old.ip_family_policy
    return REQUIRE_DUAL_STACK if is_free_of_the_cluster(spec) else SINGLE_STACK


def _downgraded(plan: FamilyPlan, old: ServiceSpec | None) -> FamilyPlan:
    """With SingleStack and unchanged lists, only the first value of each list is kept."""
    if old is None or plan.policy != SINGLE_STACK:
        return plan
    cluster_ips, families = plan.cluster_ips, plan.families
    if _same(old.cluster_ips, cluster_ips):
        cluster_ips = cluster_ips[:1]
    if _same(old.ip_families, families):
        families = families[:1]
    return FamilyPlan(plan.policy, families, cluster_ips)


def _reduction_causes(plan: FamilyPlan, old: ServiceSpec | None) -> list[Cause]:
    """A shorter list gives up the second family, which needs the policy SingleStack."""
    if old is None or plan.policy == SINGLE_STACK:
        return []
    shorter = [
        name
        for name, before, after in (
            ("clusterIPs", old.cluster_ips, plan.cluster_ips),
            ("ipFamilies", old.ip_families, plan.families),
        )
        if after and len(after) < len(before or [])
    ]
    return [
        invalid("spec.ipFamilyPolicy", plan.policy, f"must be {SINGLE_STACK} to remove the second of {name}")
        for name in shorter
    ]


def _single_stack_causes(plan: FamilyPlan) -> list[Cause]:
    if plan.policy != SINGLE_STACK:
        return []
    return [
        invalid(
            "spec.ipFamilyPolicy", plan.policy, f"must be {PREFER_DUAL_STACK} or {REQUIRE_DUAL_STACK} with two {name}"
        )
        for name, values in (("clusterIPs", plan.cluster_ips), ("ipFamilies", plan.families))
        if len(values) == _DUAL
    ]


def _with_inferred_families(plan: FamilyPlan, cluster: Cluster) -> tuple[FamilyPlan, list[Cause]]:
    """Add the families of ClusterIPs that have no entry in `ipFamilies`."""
    families, causes = list(plan.families), []
    for index, address in enumerate(plan.cluster_ips):
        if address == NONE:
            break
        if index < len(families):
            continue
        family = family_of(address)
        if family in cluster.families:
            families.append(family)
        else:
            causes.append(
                invalid(
                    f"spec.clusterIPs[{index}]",
                    address,
                    f"must be {_either(cluster.families)}: this cluster has no {family}",
                )
            )
    return FamilyPlan(plan.policy, tuple(families), plan.cluster_ips), causes


def _cluster_causes(plan: FamilyPlan, cluster: Cluster) -> list[Cause]:
    causes = []
    if plan.policy == REQUIRE_DUAL_STACK and len(cluster.families) < _DUAL:
        causes.append(
            invalid(
                "spec.ipFamilyPolicy",
                plan.policy,
                f"this cluster has only {cluster.families[0]}; use {SINGLE_STACK} or {PREFER_DUAL_STACK}",
            )
        )
    causes += [
        invalid(f"spec.ipFamilies[{index}]", family, f"this cluster has only {_either(cluster.families)}")
        for index, family in enumerate(plan.families)
        if family not in cluster.families
    ]
    return causes


def _completed(plan: FamilyPlan, cluster: Cluster, *, every_family: bool) -> FamilyPlan:
    """Add the primary family of the cluster if there is none, and the other one if the policy asks for two."""
    families = plan.families or cluster.families[:1]
    available = every_family or len(cluster.families) == _DUAL
    if plan.policy != SINGLE_STACK and len(families) == 1 and available:
        families = (*families, _OTHER[families[0]])
    return FamilyPlan(plan.policy, families, plan.cluster_ips)


def _singular_causes(spec: ServiceSpec) -> list[Cause]:
    if spec.cluster_ip and spec.cluster_ips and spec.cluster_ips[0] != spec.cluster_ip:
        return [
            invalid(
                "spec.clusterIPs",
                _shown(spec.cluster_ips),
                f"the first value must be {spec.cluster_ip}, as in spec.clusterIP",
            )
        ]
    if not spec.cluster_ip and spec.cluster_ips:
        return [
            invalid(
                "spec.clusterIPs",
                _shown(spec.cluster_ips),
                "spec.clusterIP must be set, too, to the first of spec.clusterIPs",
            )
        ]
    return []


def _family_causes(spec: ServiceSpec) -> list[Cause]:
    causes, seen = [], set()
    for index, family in enumerate(spec.ip_families or []):
        field = f"spec.ipFamilies[{index}]"
        if family not in FAMILIES:
            causes.append(not_supported(field, family, FAMILIES))
        if family in seen:
            causes.append(duplicate(field, family))
        seen.add(family)
    return causes


def _policy_causes(spec: ServiceSpec) -> list[Cause]:
    if spec.ip_family_policy is None or spec.ip_family_policy in POLICIES:
        return []
    return [not_supported("spec.ipFamilyPolicy", spec.ip_family_policy, POLICIES)]


def _cluster_ip_causes(spec: ServiceSpec, old: ServiceSpec | None) -> list[Cause]:
    """Each must be an address of the family at the same place in `ipFamilies`, at most one of each family."""
    cluster_ips = spec.cluster_ips or []
    causes = _spelling_causes(cluster_ips, frozenset((old.cluster_ips if old is not None else None) or ()))
    misspelt = bool(causes)
    if len(cluster_ips) > _DUAL:
        causes.append(invalid("spec.clusterIPs", _shown(cluster_ips), "must have at most two values"))
    if misspelt:
        return causes
    families = [family_of(address) for address in cluster_ips]
    if len(cluster_ips) > 1 and set(families) != set(FAMILIES):
        causes.append(invalid("spec.clusterIPs", _shown(cluster_ips), "must have one address of each IP family"))
    if not is_headless(spec):
        causes += [
            invalid(f"spec.clusterIPs[{index}]", address, f"must be {wanted}, as in spec.ipFamilies[{index}]")
            for index, (address, family, wanted) in enumerate(
                zip(cluster_ips, families, spec.ip_families or [], strict=False)
            )
            if wanted in FAMILIES and family != wanted
        ]
    return causes


def _spelling_causes(cluster_ips: Sequence[str], stored: frozenset[str]) -> list[Cause]:
    causes: list[Cause] = []
    for index, address in enumerate(cluster_ips):
        if index == 0 and address == NONE:
            if len(cluster_ips) > 1:
                causes.append(invalid("spec.clusterIPs", _shown(cluster_ips), f"{NONE} must be the only value"))
        else:
            causes += address_causes(f"spec.clusterIPs[{index}]", address, stored)
    return causes


def _same(one: Sequence[str] | None, other: Sequence[str] | None) -> bool:
    return list(one or []) == list(other or [])


def _either(families: Sequence[str]) -> str:
    return " or ".join(families)


def _shown(values: Sequence[str]) -> str:
    return ", ".join(values)
