"""The rules of Role and ClusterRole (ValidateRole and ValidateClusterRole of the API server)."""

from app.domain.errors import Cause, invalid, required
from app.domain.kinds.role import ClusterRole, PolicyRule, Role
from app.domain.rules.cluster import Cluster
from app.domain.rules.label_selectors import selector_causes
from app.domain.rules.strategy import Strategy

RBAC = "rbac.authorization.k8s.io"
"""The API group of roles and bindings, and of the users and groups that they name."""


class RoleStrategy(Strategy[Role]):
    """Rules are checked. Any change of them is allowed to those who have the rights themselves."""

    def asks_of_cluster(self, new: Role) -> bool:
        """The rights of whoever writes it are compared with it, and have to be current."""
        del new
        return True

    def validate_create(self, new: Role, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        return _rule_causes(new.rules, namespaced=True)


class ClusterRoleStrategy(Strategy[ClusterRole]):
    """Rules may be about paths, too, and may come from other ClusterRoles."""

    def asks_of_cluster(self, new: ClusterRole) -> bool:
        """The rights of whoever writes it are compared with it, and have to be current."""
        del new
        return True

    def validate_create(self, new: ClusterRole, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        return [*_rule_causes(new.rules, namespaced=False), *_aggregation_causes(new)]


def _rule_causes(rules: list[PolicyRule] | None, *, namespaced: bool) -> list[Cause]:
    causes: list[Cause] = []
    for index, rule in enumerate(rules or []):
        where = f"rules[{index}]"
        if not rule.verbs:
            causes.append(required(f"{where}.verbs", "a rule needs at least one verb"))
        causes += _path_causes(where, rule, namespaced) if rule.non_resource_urls else _resource_causes(where, rule)
    return causes


def _path_causes(where: str, rule: PolicyRule, namespaced: bool) -> list[Cause]:
    field, causes = f"{where}.nonResourceURLs", []
    if namespaced:
        message = "a Role gives no rights on paths; use a ClusterRole and a ClusterRoleBinding"
        causes.append(invalid(field, rule.non_resource_urls, message))
    if rule.api_groups or rule.resources or rule.resource_names:
        message = "a rule is about resources or about paths, not about both; make it two rules"
        causes.append(invalid(field, rule.non_resource_urls, message))
    return causes


def _resource_causes(where: str, rule: PolicyRule) -> list[Cause]:
    causes = []
    if not rule.api_groups:
        causes.append(required(f"{where}.apiGroups", 'give at least one API group, such as "" for the core group'))
    if not rule.resources:
        causes.append(required(f"{where}.resources", "give at least one resource, such as services"))
    return causes


def _aggregation_causes(role: ClusterRole) -> list[Cause]:
    if role.aggregation_rule is None:
        return []
    field = "aggregationRule.clusterRoleSelectors"
    selectors = role.aggregation_rule.cluster_role_selectors
    if not selectors:
        return [required(field, "an aggregation rule needs at least one selector")]
    return [cause for index, each in enumerate(selectors) for cause in selector_causes(f"{field}[{index}]", each)]
