"""The rules of a ClusterRole that takes them from others, as Kubernetes' clusterrole-aggregation controller does."""

from collections.abc import Iterable

import msgspec

from app.domain.kinds.role import ClusterRole, PolicyRule
from app.domain.rules.label_selectors import matcher_of


def aggregated_rules(role: ClusterRole, others: Iterable[ClusterRole]) -> list[PolicyRule]:
    """The rules of all ClusterRoles that its aggregation rule selects, each once: by selector, then by name."""
    by_name = sorted(others, key=lambda other: other.metadata.name)
    selectors = () if role.aggregation_rule is None else role.aggregation_rule.cluster_role_selectors or ()
    rules: dict[bytes, PolicyRule] = {}
    for matcher in map(matcher_of, selectors):
        for other in by_name:
            if other.metadata.name != role.metadata.name and matcher.matches(other.metadata.labels or {}):
                for rule in other.rules or ():
                    rules.setdefault(msgspec.json.encode(rule), rule)
    return list(rules.values())
