"""Access reviews (authorization.k8s.io/v1): a client asks whether it, or somebody else, may do something."""

from msgspec import field

from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Wire
from app.domain.kinds.meta import FieldSelectorRequirement, LabelSelectorRequirement


class FieldSelectorAttributes(Wire):
    """The field selector of a list or watch, as text or already parsed.

    Attributes:
        raw_selector: The selector as text.
        requirements: The parsed selector; all requirements must hold.
    """

    raw_selector: str = ""
    requirements: list[FieldSelectorRequirement] | None = None


class LabelSelectorAttributes(Wire):
    """The label selector of a list or watch, as text or already parsed.

    Attributes:
        raw_selector: The selector as text.
        requirements: The parsed selector; all requirements must hold.
    """

    raw_selector: str = ""
    requirements: list[LabelSelectorRequirement] | None = None


class ResourceAttributes(Wire):
    """A request for a resource.

    Attributes:
        namespace: The namespace; empty means all.
        verb: get, list, watch, create, update, patch, delete or deletecollection; * means all.
        group: The API group; * means all.
        version: The API version; * means all.
        resource: The resource in the plural, such as services; * means all.
        subresource: The subresource, such as status.
        name: The name of one object; empty means all.
        field_selector: The field selector of a list, watch or deletecollection.
        label_selector: The label selector of a list, watch or deletecollection.
    """

    namespace: str = ""
    verb: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    field_selector: FieldSelectorAttributes | None = None
    label_selector: LabelSelectorAttributes | None = None


class NonResourceAttributes(Wire):
    """A request for a path that is no resource.

    Attributes:
        path: The path, such as /version.
        verb: The HTTP method in lower case.
    """

    path: str = ""
    verb: str = ""


class SelfSubjectAccessReviewSpec(Wire):
    """What the client would like to do. Exactly one of the two attributes must be given.

    Attributes:
        resource_attributes: A request for a resource.
        non_resource_attributes: A request for any other path.
    """

    resource_attributes: ResourceAttributes | None = None
    non_resource_attributes: NonResourceAttributes | None = None


class SubjectAccessReviewSpec(SelfSubjectAccessReviewSpec):
    """What somebody would like to do. Exactly one of the two attributes must be given, and a user or groups.

    Attributes:
        user: The name of the user. Without `groups`, it is asked about a user of this name in no group.
        groups: The groups that the user belongs to.
        extra: What else is known about the user. It gives no rights.
        uid: The uid of the user. It gives no rights.
    """

    user: str = ""
    groups: list[str] | None = None
    extra: dict[str, list[str]] | None = None
    uid: str = ""


class SubjectAccessReviewStatus(Wire):
    """The answer: whether the user may do it.

    Attributes:
        allowed: Whether the user may do it.
        denied: Whether a rule forbids it. False if merely no rule allows it.
        reason: Why, in words for people.
        evaluation_error: What went wrong while the answer was determined.
    """

    required = ("allowed",)

    allowed: bool = field(default_factory=bool)
    denied: bool = False
    reason: str = ""
    evaluation_error: str = ""


class SelfSubjectAccessReview(KubeObject):
    """May I do this? (authorization.k8s.io/v1)."""

    required = ("spec",)

    spec: SelfSubjectAccessReviewSpec = field(default_factory=SelfSubjectAccessReviewSpec)
    status: SubjectAccessReviewStatus = field(default_factory=SubjectAccessReviewStatus)


class SubjectAccessReview(KubeObject):
    """May this user do this? (authorization.k8s.io/v1)."""

    required = ("spec",)

    spec: SubjectAccessReviewSpec = field(default_factory=SubjectAccessReviewSpec)
    status: SubjectAccessReviewStatus = field(default_factory=SubjectAccessReviewStatus)


class LocalSubjectAccessReview(KubeObject):
    """May this user do this in my namespace? (authorization.k8s.io/v1)."""

    required = ("spec",)

    spec: SubjectAccessReviewSpec = field(default_factory=SubjectAccessReviewSpec)
    status: SubjectAccessReviewStatus = field(default_factory=SubjectAccessReviewStatus)
