"""The declarations of RoleBinding and ClusterRoleBinding."""

from collections.abc import Iterator, Sequence
from typing import Any

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import OF_ADMINS, Column, Kind
from app.domain.kinds.role_binding import ClusterRoleBinding, RoleBinding
from app.domain.rules.role import RBAC
from app.domain.rules.role_binding import ACCOUNT, GROUP, USER, BindingStrategy

Binding = RoleBinding | ClusterRoleBinding


def _names(binding: Binding, kind: str) -> Iterator[str]:
    return (subject.name for subject in binding.subjects or () if subject.kind == kind)


def _accounts(binding: Binding) -> str:
    accounts = (subject for subject in binding.subjects or () if subject.kind == ACCOUNT)
    return ", ".join(f"{subject.namespace}/{subject.name}" for subject in accounts)


_COLUMNS: Sequence[Column[Any]] = (
    NAME,
    Column("Role", lambda found, _now: f"{found.role_ref.kind}/{found.role_ref.name}", description="The role."),
    AGE,
    Column("Users", lambda found, _now: ", ".join(_names(found, USER)), priority=1, description="The users."),
    Column("Groups", lambda found, _now: ", ".join(_names(found, GROUP)), priority=1, description="The groups."),
    Column("ServiceAccounts", lambda found, _now: _accounts(found), priority=1, description="The ServiceAccounts."),
)

ROLE_BINDING = Kind(
    group=RBAC,
    version="v1",
    name="RoleBinding",
    plural="rolebindings",
    singular="rolebinding",
    namespaced=True,
    model=RoleBinding,
    schema="io.k8s.api.rbac.v1.RoleBinding",
    columns=_COLUMNS,
    strategy=BindingStrategy[RoleBinding](namespaced=True),
    create_on_update=True,
    name_rule="any_path_segment",
    grants=OF_ADMINS,
)

CLUSTER_ROLE_BINDING = Kind(
    group=RBAC,
    version="v1",
    name="ClusterRoleBinding",
    plural="clusterrolebindings",
    singular="clusterrolebinding",
    namespaced=False,
    model=ClusterRoleBinding,
    schema="io.k8s.api.rbac.v1.ClusterRoleBinding",
    columns=_COLUMNS,
    strategy=BindingStrategy[ClusterRoleBinding](namespaced=False),
    create_on_update=True,
    name_rule="any_path_segment",
)
