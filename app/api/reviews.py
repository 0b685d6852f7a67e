"""The answers to reviews of access: who a client is, what it may do, and what others may do. Nothing is stored."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from app.api.access.user_info import user_info
from app.api.bodies import Bodies
from app.api.exchange import Exchange
from app.api.parameters import strictness
from app.api.rendering import Renderer
from app.cluster.authorizer import Authorizer
from app.domain.declarations.reviews import (
    ACCESS_REVIEW,
    AUTHORIZATION,
    LOCAL_ACCESS_REVIEW,
    RULES_REVIEW,
    SELF_ACCESS_REVIEW,
    SELF_REVIEW,
)
from app.domain.documents.objects import ObjectMeta
from app.domain.errors import BadRequest, Cause, Invalid, causes_text
from app.domain.kinds.access_review import (
    LocalSubjectAccessReview,
    SelfSubjectAccessReview,
    SubjectAccessReview,
    SubjectAccessReviewStatus,
)
from app.domain.kinds.role import PolicyRule
from app.domain.kinds.rules_review import (
    NonResourceRule,
    ResourceRule,
    SelfSubjectRulesReview,
    SubjectRulesReviewStatus,
)
from app.domain.kinds.self_review import SelfSubjectReview, SelfSubjectReviewStatus
from app.domain.rules.access.reviews import asked, local_causes, spec_causes, subject
from app.domain.user import User
from app.registry.target import Target

Answerer = Callable[[Exchange, Target], Awaitable[None]]


class Reviews:
    """Answers reviews.

    Args:
        bodies: Reads bodies.
        renderer: Writes answers.
        authorizer: Decides who may do what, as for every request.

    Attributes:
        answers: What answers each kind of review, by the key of the kind.
    """

    def __init__(self, bodies: Bodies, renderer: Renderer, authorizer: Authorizer) -> None:
        self._bodies = bodies
        self._renderer = renderer
        self._authorizer = authorizer
        self._fill: Mapping[str, Callable[[Any, User, str], Awaitable[None]]] = {
            SELF_REVIEW.key: self._introduce,
            SELF_ACCESS_REVIEW.key: self._review_self,
            ACCESS_REVIEW.key: self._review,
            LOCAL_ACCESS_REVIEW.key: self._review_locally,
            RULES_REVIEW.key: self._list_rules,
        }
        self.answers: Mapping[str, Answerer] = dict.fromkeys(self._fill, self._answer)

    async def _answer(self, exchange: Exchange, target: Target) -> None:
        """POST of a review.

        Raises:
            ApiError: The body cannot be read, or does not say what is asked.
        """
        kind, namespace = target.kind, target.scope
        review, exchange.warnings = await self._bodies.read_object(exchange, kind, strictness(exchange.query))
        sent = review.metadata.namespace
        if sent and sent != namespace:
            raise BadRequest(f"the namespace of the review ({sent}) does not match that on the URL ({namespace})")
        review.api_version, review.kind = kind.api_version, kind.name
        # Nothing is stored, so the metadata that was sent has no meaning.
        review.metadata = ObjectMeta(namespace=namespace or None)
        await self._fill[kind.key](review, exchange.user, namespace)
        await self._renderer.document(exchange, msgspec.json.encode(review), 201)

    async def _introduce(self, review: SelfSubjectReview, user: User, _namespace: str) -> None:
        review.status = SelfSubjectReviewStatus(user_info=user_info(user))

    async def _review_self(self, review: SelfSubjectAccessReview, user: User, _namespace: str) -> None:
        _check(spec_causes(review.spec))
        review.status = await self._verdict(user, review)

    async def _review(self, review: SubjectAccessReview, _user: User, _namespace: str) -> None:
        _check(spec_causes(review.spec))
        review.status = await self._verdict(subject(review.spec), review)

    async def _review_locally(self, review: LocalSubjectAccessReview, _user: User, namespace: str) -> None:
        _check(local_causes(review, namespace))
        review.status = await self._verdict(subject(review.spec), review)

    async def _verdict(
        self, user: User, review: SelfSubjectAccessReview | SubjectAccessReview | LocalSubjectAccessReview
    ) -> SubjectAccessReviewStatus:
        request = asked(review.spec)
        allowed = await self._authorizer.decides(user, request)
        return SubjectAccessReviewStatus(allowed=allowed, reason=self._authorizer.reason(user, request))

    async def _list_rules(self, review: SelfSubjectRulesReview, user: User, _namespace: str) -> None:
        namespace = review.spec.namespace
        if not namespace:
            raise BadRequest("no namespace on request: set spec.namespace to the namespace that is asked about")
        review.status = _as_answer(await self._authorizer.rules(user, namespace))


def _check(causes: list[Cause]) -> None:
    """Raise the error for a review that asks nothing that can be answered. Kubernetes names no kind in it."""
    if causes:
        message = f'.{AUTHORIZATION} "" is invalid: {causes_text(causes)}'
        raise Invalid(message, group=AUTHORIZATION, causes=causes)


def _as_answer(rules: list[PolicyRule]) -> SubjectRulesReviewStatus:
    resources = [
        ResourceRule(
            verbs=rule.verbs, api_groups=rule.api_groups, resources=rule.resources, resource_names=rule.resource_names
        )
        for rule in rules
        if rule.resources
    ]
    paths = [
        NonResourceRule(verbs=rule.verbs, non_resource_urls=rule.non_resource_urls)
        for rule in rules
        if rule.non_resource_urls
    ]
    return SubjectRulesReviewStatus(resource_rules=resources, non_resource_rules=paths)
