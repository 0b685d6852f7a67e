"""SelfSubjectRulesReview (authorization.k8s.io/v1): a client asks what it may do in a namespace."""

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Wire


class SelfSubjectRulesReviewSpec(Wire):
    """The namespace that the client asks about.

    Attributes:
        namespace: The name of the namespace.
    """

    namespace: str = ""


class ResourceRule(Wire):
    """Verbs that are allowed on resources.

    Attributes:
        verbs: The verbs; * means all.
        api_groups: The API groups; * means all.
        resources: The resources in the plural; * means all.
        resource_names: The names of objects; empty means all.
    """

    required = ("verbs",)

    verbs: list[str] | None = None
    api_groups: list[str] | None = None
    resources: list[str] | None = None
    resource_names: list[str] | None = None


class NonResourceRule(Wire):
    """Verbs that are allowed on paths.

    Attributes:
        verbs: HTTP methods in lower case; * means all.
        non_resource_urls: The paths; * means all.
    """

    required = ("verbs",)

    verbs: list[str] | None = None
    non_resource_urls: list[str] | None = field(default=None, name="nonResourceURLs")


class SubjectRulesReviewStatus(Wire):
    """What the client may do.

    Attributes:
        resource_rules: What is allowed on resources.
        non_resource_rules: What is allowed on other paths.
        incomplete: Whether the client may be allowed more than is listed.
        evaluation_error: What went wrong while the rules were determined.
    """

    required = ("resource_rules", "non_resource_rules", "incomplete")

    resource_rules: list[ResourceRule] | None = None
    non_resource_rules: list[NonResourceRule] | None = None
    incomplete: bool = field(default_factory=bool)
    evaluation_error: str = ""


class SelfSubjectRulesReview(KubeObject):
    """What may I do in a namespace? (authorization.k8s.io/v1)."""

    required = ("spec",)

    spec: SelfSubjectRulesReviewSpec = field(default_factory=SelfSubjectRulesReviewSpec)
    status: SubjectRulesReviewStatus = field(default_factory=SubjectRulesReviewStatus)
