"""The rules of RoleBinding and ClusterRoleBinding (ValidateRoleBinding and ValidateClusterRoleBinding)."""

from collections.abc import Sequence
from typing import TypeVar

from app.domain.errors import Cause, invalid, invalid_for, not_supported, required
from app.domain.kinds.role_binding import ClusterRoleBinding, RoleBinding, RoleRef, Subject
from app.domain.rules.cluster import Cluster
from app.domain.rules.names import dns_subdomain_problems, path_segment_problems
from app.domain.rules.role import RBAC
from app.domain.rules.strategy import Strategy

USER, GROUP, ACCOUNT = "User", "Group", "ServiceAccount"
ROLE, CLUSTER_ROLE = "Role", "ClusterRole"

BindingT = TypeVar("BindingT", RoleBinding, ClusterRoleBinding)


class BindingStrategy(Strategy[BindingT]):
    """The subjects can change, the role cannot: whoever may change a binding has not thereby the right to another role.

    Args:
        namespaced: Whether it is about RoleBindings.
    """

    def __init__(self, *, namespaced: bool) -> None:
        self._namespaced = namespaced

    def default(self, new: BindingT) -> None:
        """Fill in the API group of the role, of users and of groups."""
        new.role_ref.api_group = new.role_ref.api_group or RBAC
        for subject in new.subjects or []:
            if subject.kind in (USER, GROUP):
                subject.api_group = subject.api_group or RBAC

    def asks_of_cluster(self, new: BindingT) -> bool:
        """The rights of whoever writes it are compared with the role, and have to be current."""
        del new
        return True

    def validate_create(self, new: BindingT, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        kinds = (ROLE, CLUSTER_ROLE) if self._namespaced else (CLUSTER_ROLE,)
        causes = _role_causes(new.role_ref, kinds)
        for index, subject in enumerate(new.subjects or []):
            causes += _subject_causes(f"subjects[{index}]", subject, self._namespaced)
        return causes

    def validate_update(self, new: BindingT, old: BindingT, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong, and the role if it is another one."""
        causes = self.validate_create(new, cluster)
        if new.role_ref != old.role_ref:
            shown = f"{new.role_ref.kind}/{new.role_ref.name}"
            causes.append(invalid("roleRef", shown, "cannot change roleRef; delete the binding and make another"))
        return causes


def _role_causes(role: RoleRef, kinds: Sequence[str]) -> list[Cause]:
    causes = []
    if role.api_group != RBAC:
        causes.append(not_supported("roleRef.apiGroup", role.api_group, [RBAC]))
    if role.kind not in kinds:
        causes.append(not_supported("roleRef.kind", role.kind, kinds))
    if not role.name:
        causes.append(required("roleRef.name", "name the role"))
    return [*causes, *invalid_for("roleRef.name", role.name, path_segment_problems(role.name))]


def _subject_causes(where: str, subject: Subject, namespaced: bool) -> list[Cause]:
    causes = []
    if not subject.name:
        causes.append(required(f"{where}.name", "name the subject"))
    if subject.kind == ACCOUNT:
        return [*causes, *_account_causes(where, subject, namespaced)]
    if subject.kind not in (USER, GROUP):
        causes.append(not_supported(f"{where}.kind", subject.kind, [ACCOUNT, GROUP, USER]))
    elif subject.api_group != RBAC:
        causes.append(not_supported(f"{where}.apiGroup", subject.api_group, [RBAC]))
    return causes


def _account_causes(where: str, subject: Subject, namespaced: bool) -> list[Cause]:
    problems = dns_subdomain_problems(subject.name) if subject.name else []
    causes = invalid_for(f"{where}.name", subject.name, problems)
    if subject.api_group:
        causes.append(not_supported(f"{where}.apiGroup", subject.api_group, [""]))
    if not namespaced and not subject.namespace:
        causes.append(required(f"{where}.namespace", "name the namespace of the ServiceAccount"))
    return causes
