"""Questions a client asks about itself: may I do this, what may I do, who am I.

They are kinds of which nothing is stored: the answer to a POST is the object with its status filled in. Everybody who
is let in may do everything, so the answers follow from who asks.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import field

from app.api.bodies import read_object
from app.api.exchange import Exchange
from app.api.guard import groups_of
from app.api.parameters import strictness
from app.api.rendering import Renderer
from app.api.warnings import warning_headers
from app.domain.errors import Invalid, invalid
from app.domain.kinds.kind import Kind
from app.domain.kinds.meta import KubeObject, Wire
from app.tokens import Token

_AUTHORIZATION, _AUTHENTICATION = "authorization.k8s.io", "authentication.k8s.io"


class SelectorRequirement(Wire):
    """One requirement of a selector that limits a list or watch."""

    key: str = ""
    operator: str = ""
    values: list[str] | None = None


class SelectorAttributes(Wire):
    """A selector, parsed or as it was written."""

    raw_selector: str = ""
    requirements: list[SelectorRequirement] | None = None


class ResourceAttributes(Wire):
    """A request for a resource."""

    namespace: str = ""
    verb: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    field_selector: SelectorAttributes | None = None
    label_selector: SelectorAttributes | None = None


class NonResourceAttributes(Wire):
    """A request for a path that is no resource."""

    path: str = ""
    verb: str = ""


class SelfSubjectAccessReviewSpec(Wire):
    """What the client would like to do: exactly one of the two."""

    resource_attributes: ResourceAttributes | None = None
    non_resource_attributes: NonResourceAttributes | None = None


class SubjectAccessReviewStatus(Wire):
    """Whether it may."""

    allowed: bool = False
    denied: bool = False
    reason: str = ""
    evaluation_error: str = ""


class SelfSubjectAccessReview(KubeObject):
    """May I do this? (authorization.k8s.io/v1)."""

    spec: SelfSubjectAccessReviewSpec = field(default_factory=SelfSubjectAccessReviewSpec)
    status: SubjectAccessReviewStatus = field(default_factory=SubjectAccessReviewStatus)


class SelfSubjectRulesReviewSpec(Wire):
    """The namespace asked about."""

    namespace: str = ""


class ResourceRule(Wire):
    """Verbs allowed on resources."""

    verbs: list[str] | None = None
    api_groups: list[str] | None = None
    resources: list[str] | None = None
    resource_names: list[str] | None = None


class NonResourceRule(Wire):
    """Verbs allowed on paths."""

    verbs: list[str] | None = None
    non_resource_urls: list[str] | None = field(default=None, name="nonResourceURLs")


class SubjectRulesReviewStatus(Wire):
    """What is allowed; `incomplete` when there may be more."""

    resource_rules: list[ResourceRule] | None = None
    non_resource_rules: list[NonResourceRule] | None = None
    incomplete: bool = False
    evaluation_error: str = ""


class SelfSubjectRulesReview(KubeObject):
    """What may I do in a namespace? (authorization.k8s.io/v1)."""

    spec: SelfSubjectRulesReviewSpec = field(default_factory=SelfSubjectRulesReviewSpec)
    status: SubjectRulesReviewStatus = field(default_factory=SubjectRulesReviewStatus)


class UserInfo(Wire):
    """A user."""

    username: str = ""
    uid: str = ""
    groups: list[str] | None = None
    extra: dict[str, list[str]] | None = None


class SelfSubjectReviewStatus(Wire):
    """Who the client is."""

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


def _allow(review: SelfSubjectAccessReview, _: Token) -> None:
    asked = [
        each for each in (review.spec.resource_attributes, review.spec.non_resource_attributes) if each is not None
    ]
    if len(asked) != 1:
        cause = invalid(
            "spec.resourceAttributes", None, "exactly one of resourceAttributes and nonResourceAttributes must be given"
        )
        message = f'SelfSubjectAccessReview.{_AUTHORIZATION} "" is invalid: {cause.field}: {cause.message}'
        raise Invalid(message, group=_AUTHORIZATION, kind="SelfSubjectAccessReview", causes=[cause])
    review.status = SubjectAccessReviewStatus(allowed=True, reason="everybody who is admitted may do everything")


def _list_rules(review: SelfSubjectRulesReview, _: Token) -> None:
    everything = ["*"]
    review.status = SubjectRulesReviewStatus(
        resource_rules=[ResourceRule(verbs=everything, api_groups=everything, resources=everything)],
        non_resource_rules=[NonResourceRule(verbs=everything, non_resource_urls=everything)],
    )


def _introduce(review: SelfSubjectReview, user: Token) -> None:
    info = UserInfo(username=user.user, uid=user.uid, groups=list(groups_of(user)))
    review.status = SelfSubjectReviewStatus(user_info=info)


_REVIEWS: tuple[tuple[Kind[Any], Callable[[Any, Token], None]], ...] = (
    (_review(_AUTHENTICATION, SelfSubjectReview), _introduce),
    (_review(_AUTHORIZATION, SelfSubjectAccessReview), _allow),
    (_review(_AUTHORIZATION, SelfSubjectRulesReview), _list_rules),
)
_ANSWERS = {kind.key: answer for kind, answer in _REVIEWS}
REVIEWS = tuple(kind for kind, _ in _REVIEWS)
"""The kinds, for paths, discovery and OpenAPI."""


def is_review(kind: Kind[Any]) -> bool:
    """Whether a kind is one of these."""
    return kind.key in _ANSWERS


async def answer_review(exchange: Exchange, kind: Kind[Any], renderer: Renderer) -> None:
    """Answer the POST of a review.

    Raises:
        ApiError: The body cannot be read, or asks nothing that can be answered.
    """
    review, warnings = await read_object(exchange, kind, strictness(exchange.query))
    exchange.extra += warning_headers(warnings)
    review.api_version, review.kind = kind.api_version, kind.name
    _ANSWERS[kind.key](review, exchange.user)
    await renderer.document(exchange, msgspec.json.encode(review), 201)
