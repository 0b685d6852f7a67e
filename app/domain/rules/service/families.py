"""IP families and ClusterIPs: what a Service's four linked fields mean together (KEP-563).

`clusterIP` and `clusterIPs[0]` are one value; `clusterIPs`, `ipFamilies` and `ipFamilyPolicy` say the same thing in
three ways, of which a client may give any part.
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
    """What the linked fields come to.

    Attributes:
        policy: `ipFamilyPolicy`.
        families: `ipFamilies`, primary first.
        cluster_ips: `clusterIPs` as far as they are known already.
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

    - A client that changes `clusterIP` and sends `clusterIPs` as they were means the change; one that clears
      `clusterIP` so clears both.
    - `clusterIP` alone is also `clusterIPs`, or what they were if it did not change.
    """
    if old is not None:
        if not new.cluster_ips and old.cluster_ip == new.cluster_ip:
            new.cluster_ips = old.cluster_ips
        if old.cluster_ip != new.cluster_ip and _same(old.cluster_ips, new.cluster_ips):
            new.cluster_ips = None
    if new.cluster_ip and not new.cluster_ips:
        new.cluster_ips = [new.cluster_ip]


def plan_families(new: Service, old: Service | None, cluster: Cluster) -> tuple[FamilyPlan | None, list[Cause]]:
    """Work out policy, families and ClusterIPs from what the client gave, what is stored and what the cluster has.

    Returns:
        The plan, or None when the fields stay as they are, and every field that is wrong; a cause means no plan.
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
    """Whether the families are only a statement about endpoints: headless without selector, on any cluster."""
    return spec.cluster_ip == NONE and not spec.selector


def ip_field_causes(spec: ServiceSpec, old: ServiceSpec | None) -> list[Cause]:
    """What is wrong with the linked fields whatever the cluster; values already stored need not be strict."""
    if spec.type == EXTERNAL_NAME:
        return []
    return [*_singular_causes(spec), *_family_causes(spec), *_policy_causes(spec), *_cluster_ip_causes(spec, old)]


def _stays_preferred(spec: ServiceSpec, old: ServiceSpec | None) -> bool:
    """PreferDualStack sent as it is stored: no second family is added or taken when the cluster's stack changed."""
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
    """The client's policy, the stored one, or the default: both families for what is free of the cluster, else one."""
    if spec.ip_family_policy is not None:
        return spec.ip_family_policy
    if old is not None and old.ip_family_policy is not None:
        return old.ip_family_policy
    return REQUIRE_DUAL_STACK if is_free_of_the_cluster(spec) else SINGLE_STACK


def _downgraded(plan: FamilyPlan, old: ServiceSpec | None) -> FamilyPlan:
    """SingleStack over unchanged lists means: keep the primary of each."""
    if old is None or plan.policy != SINGLE_STACK:
        return plan
    cluster_ips, families = plan.cluster_ips, plan.families
    if _same(old.cluster_ips, cluster_ips):
        cluster_ips = cluster_ips[:1]
    if _same(old.ip_families, families):
        families = families[:1]
    return FamilyPlan(plan.policy, families, cluster_ips)


def _reduction_causes(plan: FamilyPlan, old: ServiceSpec | None) -> list[Cause]:
    """A list made shorter gives up the second family, which only SingleStack may do."""
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
    """Each ClusterIP without an entry in `ipFamilies` gives one."""
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
    """The cluster's primary family where none is named, and the other one where the policy wants two."""
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
    """Each must be an address, at most one of a family, of the family that `ipFamilies` names at its place."""
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
