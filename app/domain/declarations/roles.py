"""The declarations of Role and ClusterRole."""

from app.domain.declarations.columns import NAME
from app.domain.declarations.kind import OF_ADMINS, Column, Kind
from app.domain.kinds.role import ClusterRole, Role
from app.domain.rules.role import RBAC, ClusterRoleStrategy, RoleStrategy

_CREATED: Column[Role | ClusterRole] = Column(
    "Created At",
    lambda role, _now: role.metadata.creation_timestamp or "",
    description="When the role was created.",
)

ROLE = Kind(
    group=RBAC,
    version="v1",
    name="Role",
    plural="roles",
    singular="role",
    namespaced=True,
    model=Role,
    schema="io.k8s.api.rbac.v1.Role",
    columns=(NAME, _CREATED),
    strategy=RoleStrategy(),
    create_on_update=True,
    name_rule="any_path_segment",
    grants=OF_ADMINS,
)

CLUSTER_ROLE = Kind(
    group=RBAC,
    version="v1",
    name="ClusterRole",
    plural="clusterroles",
    singular="clusterrole",
    namespaced=False,
    model=ClusterRole,
    schema="io.k8s.api.rbac.v1.ClusterRole",
    columns=(NAME, _CREATED),
    strategy=ClusterRoleStrategy(),
    create_on_update=True,
    name_rule="any_path_segment",
)
