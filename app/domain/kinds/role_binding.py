"""RoleBinding and ClusterRoleBinding (rbac.authorization.k8s.io/v1): who has the rights of a role."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Wire


class Subject(Wire):
    """Who has the rights: a user, a group of users, or a ServiceAccount.

    Attributes:
        kind: User, Group or ServiceAccount.
        api_group: rbac.authorization.k8s.io for a user or a group, empty for a ServiceAccount; either is the default.
        name: The name of the user, the group or the ServiceAccount.
        namespace: The namespace of the ServiceAccount; in a RoleBinding its own when left out.
    """

    required = ("kind", "name")

    atomic = True

    kind: str = field(default_factory=str)
    api_group: str = ""
    name: str = field(default_factory=str)
    namespace: str = ""


class RoleRef(Wire):
    """The role whose rights a binding gives. It may be created later than the binding.

    Attributes:
        api_group: rbac.authorization.k8s.io, which is also the default.
        kind: ClusterRole, or in a RoleBinding also Role.
        name: The name of the role.
    """

    required = ("api_group", "kind", "name")

    atomic = True

    api_group: str = field(default_factory=str)
    kind: str = field(default_factory=str)
    name: str = field(default_factory=str)


class RoleBinding(KubeObject):
    """Gives subjects the rights of a role in the namespace of the binding.

    Attributes:
        subjects: Who has the rights.
        role_ref: The role: a Role of the same namespace, or a ClusterRole. It cannot be changed.
    """

    required = ("role_ref",)

    subjects: Annotated[list[Subject], ATOMIC] | None = None
    role_ref: RoleRef = field(default_factory=RoleRef)


class ClusterRoleBinding(KubeObject):
    """Gives subjects the rights of a ClusterRole everywhere.

    Attributes:
        subjects: Who has the rights.
        role_ref: The ClusterRole. It cannot be changed.
    """

    required = ("role_ref",)

    subjects: Annotated[list[Subject], ATOMIC] | None = None
    role_ref: RoleRef = field(default_factory=RoleRef)
