"""SelfSubjectAccessReview (authorization.k8s.io/v1): a client asks whether it may do something."""

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


class SubjectAccessReviewStatus(Wire):
    """The answer: whether the client may do it.

    Attributes:
        allowed: Whether the client may do it.
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
