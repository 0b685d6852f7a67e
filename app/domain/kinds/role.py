"""Role and ClusterRole (rbac.authorization.k8s.io/v1): rights that bindings give to subjects."""

from typing import Annotated

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import ATOMIC, Wire, null
from app.domain.kinds.meta import LabelSelector


class PolicyRule(Wire):
    """Verbs that are allowed on resources, or on paths that are no resources.

    Attributes:
        verbs: The verbs that are allowed; * means all.
        api_groups: The API groups of the resources, "" for the core group; * means all.
        resources: The resources in the plural, with a subresource after a slash, such as services/status. * means all;
            before a slash, that subresource of all.
        resource_names: The names of the objects that are meant; all objects if it is empty. A request that names no
            object, such as a create, is never allowed by a rule with names.
        non_resource_urls: Paths that are no resources, such as /metrics; * at the end stands for any further text. Only
            a ClusterRole can have them, and only a ClusterRoleBinding gives them.
    """

    required = ("verbs",)

    verbs: Annotated[list[str], ATOMIC] | None = field(default_factory=null)
    api_groups: Annotated[list[str], ATOMIC] | None = None
    resources: Annotated[list[str], ATOMIC] | None = None
    resource_names: Annotated[list[str], ATOMIC] | None = None
    non_resource_urls: Annotated[list[str], ATOMIC] | None = field(default=None, name="nonResourceURLs")


class AggregationRule(Wire):
    """Where a ClusterRole takes its rules from.

    Attributes:
        cluster_role_selectors: Selects ClusterRoles by their labels. One that any of them selects gives its rules.
    """

    cluster_role_selectors: Annotated[list[LabelSelector], ATOMIC] | None = None


class Role(KubeObject):
    """Rights in one namespace. A RoleBinding gives them to subjects.

    Attributes:
        rules: The rights; they add up.
    """

    required = ("rules",)

    rules: Annotated[list[PolicyRule], ATOMIC] | None = field(default_factory=null)


class ClusterRole(KubeObject):
    """Rights that a ClusterRoleBinding gives everywhere, or a RoleBinding in its own namespace.

    Attributes:
        rules: The rights; they add up.
        aggregation_rule: Has the server take `rules` from other ClusterRoles; what is written there does not stay.
    """

    required = ("rules",)

    rules: Annotated[list[PolicyRule], ATOMIC] | None = field(default_factory=null)
    aggregation_rule: AggregationRule | None = None
