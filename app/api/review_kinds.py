"""Questions a client asks about itself: may I do this, what may I do, who am I.

They are kinds of which nothing is stored: the answer to a POST is the object with its status filled in.
"""

from typing import Any

from msgspec import field

from app.domain.declarations.kind import Kind
from app.domain.documents.objects import KubeObject
from app.domain.documents.wire import Wire

AUTHORIZATION, AUTHENTICATION = "authorization.k8s.io", "authentication.k8s.io"


class FieldSelectorRequirement(Wire):
    """One requirement on a field (meta/v1).

    Attributes:
        key: The field.
        operator: In, NotIn, Exists or DoesNotExist.
        values: Of the field; none for Exists and DoesNotExist.
    """

    required = ("key", "operator")

    key: str = field(default_factory=str)
    operator: str = field(default_factory=str)
    values: list[str] | None = None


class LabelSelectorRequirement(Wire):
    """One requirement on a label (meta/v1).

    Attributes:
        key: The label.
        operator: In, NotIn, Exists or DoesNotExist.
        values: Of the label; none for Exists and DoesNotExist.
    """

    required = ("key", "operator")

    key: str = field(default_factory=str)
    operator: str = field(default_factory=str)
    values: list[str] | None = None


class FieldSelectorAttributes(Wire):
    """The field selector of a list or watch, parsed or as it was written.

    Attributes:
        raw_selector: As it was written.
        requirements: All of which must hold.
    """

    raw_selector: str = ""
    requirements: list[FieldSelectorRequirement] | None = None


class LabelSelectorAttributes(Wire):
    """The label selector of a list or watch, parsed or as it was written.

    Attributes:
        raw_selector: As it was written.
        requirements: All of which must hold.
    """

    raw_selector: str = ""
    requirements: list[LabelSelectorRequirement] | None = None


class ResourceAttributes(Wire):
    """A request for a resource.

    Attributes:
        namespace: Where; all when empty.
        verb: get, list, watch, create, update, patch, delete or deletecollection; * for all.
        group: API group; * for all.
        version: API version; * for all.
        resource: In the plural; * for all.
        subresource: Such as status.
        name: Of one object; all when empty.
        field_selector: Of a list, watch or deletecollection.
        label_selector: Of a list, watch or deletecollection.
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
        path: Such as /version.
        verb: An HTTP method in lower case.
    """

    path: str = ""
    verb: str = ""


class SelfSubjectAccessReviewSpec(Wire):
    """What the client would like to do: exactly one of the two.

    Attributes:
        resource_attributes: A request for a resource.
        non_resource_attributes: A request for any other path.
    """

    resource_attributes: ResourceAttributes | None = None
    non_resource_attributes: NonResourceAttributes | None = None


class SubjectAccessReviewStatus(Wire):
    """Whether it may.

    Attributes:
        allowed: Whether it may.
        denied: Whether something says no; else nothing says yes.
        reason: Why, for people.
        evaluation_error: What went wrong when that was found out.
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


class SelfSubjectRulesReviewSpec(Wire):
    """The namespace asked about.

    Attributes:
        namespace: Which one.
    """

    namespace: str = ""


class ResourceRule(Wire):
    """Verbs allowed on resources.

    Attributes:
        verbs: * for all.
        api_groups: * for all.
        resources: In the plural; * for all.
        resource_names: None for all.
    """

    required = ("verbs",)

    verbs: list[str] | None = None
    api_groups: list[str] | None = None
    resources: list[str] | None = None
    resource_names: list[str] | None = None


class NonResourceRule(Wire):
    """Verbs allowed on paths.

    Attributes:
        verbs: * for all.
        non_resource_urls: * for all.
    """

    required = ("verbs",)

    verbs: list[str] | None = None
    non_resource_urls: list[str] | None = field(default=None, name="nonResourceURLs")


class SubjectRulesReviewStatus(Wire):
    """What is allowed; `incomplete` when there may be more.

    Attributes:
        resource_rules: What is allowed on resources.
        non_resource_rules: What is allowed on other paths.
        incomplete: Whether there may be more.
        evaluation_error: What went wrong when that was found out.
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


class UserInfo(Wire):
    """A user.

    Attributes:
        username: The name.
        uid: Tells it from another user of the same name.
        groups: To which it belongs.
        extra: What else is known of it.
    """

    username: str = ""
    uid: str = ""
    groups: list[str] | None = None
    extra: dict[str, list[str]] | None = None


class SelfSubjectReviewStatus(Wire):
    """Who the client is.

    Attributes:
        user_info: The client, as the server sees it.
    """

    user_info: UserInfo = field(default_factory=UserInfo)


class SelfSubjectReview(KubeObject):
    """Who am I? (authentication.k8s.io/v1, KEP-3325)."""

    status: SelfSubjectReviewStatus = field(default_factory=SelfSubjectReviewStatus)


def _review(group: str, model: type[Any]) -> Kind[Any]:
    name = model.__name__
    return Kind(
        group=group,
        version="v1",
        name=name,
        plural=name.lower() + "s",
        singular=name.lower(),
        namespaced=False,
        model=model,
        schema=f"io.k8s.api.{group.partition('.')[0]}.v1.{name}",
        columns=(),
        verbs=("create",),
    )


SELF_REVIEW = _review(AUTHENTICATION, SelfSubjectReview)
ACCESS_REVIEW = _review(AUTHORIZATION, SelfSubjectAccessReview)
RULES_REVIEW = _review(AUTHORIZATION, SelfSubjectRulesReview)
REVIEWS = (SELF_REVIEW, ACCESS_REVIEW, RULES_REVIEW)
"""The kinds, for paths, discovery and OpenAPI."""
