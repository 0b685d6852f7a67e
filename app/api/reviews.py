"""The answers to reviews: everybody who is let in may do everything, so they follow from who asks."""

from collections.abc import Callable
from typing import Any

import msgspec

from app.api.bodies import Bodies
from app.api.exchange import Exchange
from app.api.guard import groups_of
from app.api.parameters import strictness
from app.api.rendering import Renderer
from app.api.review_kinds import (
    ACCESS_REVIEW,
    AUTHORIZATION,
    RULES_REVIEW,
    SELF_REVIEW,
    NonResourceRule,
    ResourceRule,
    SelfSubjectAccessReview,
    SelfSubjectReview,
    SelfSubjectReviewStatus,
    SelfSubjectRulesReview,
    SubjectAccessReviewStatus,
    SubjectRulesReviewStatus,
    UserInfo,
)
from app.domain.declarations.kind import Kind
from app.domain.documents.objects import ObjectMeta
from app.domain.errors import Invalid, invalid
from app.tokens import Token


def _allow(review: SelfSubjectAccessReview, _: Token) -> None:
    asked = [
        each for each in (review.spec.resource_attributes, review.spec.non_resource_attributes) if each is not None
    ]
    if len(asked) != 1:
        cause = invalid(
            "spec.resourceAttributes", None, "exactly one of resourceAttributes and nonResourceAttributes must be given"
        )
        message = f'SelfSubjectAccessReview.{AUTHORIZATION} "" is invalid: {cause.field}: {cause.message}'
        raise Invalid(message, group=AUTHORIZATION, kind="SelfSubjectAccessReview", causes=[cause])
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


_ANSWERS: dict[str, Callable[[Any, Token], None]] = {
    SELF_REVIEW.key: _introduce,
    ACCESS_REVIEW.key: _allow,
    RULES_REVIEW.key: _list_rules,
}


def is_review(kind: Kind[Any]) -> bool:
    """Whether a kind is one of these."""
    return kind.key in _ANSWERS


async def answer_review(exchange: Exchange, kind: Kind[Any], bodies: Bodies, renderer: Renderer) -> None:
    """Answer the POST of a review.

    Raises:
        ApiError: The body cannot be read, or asks nothing that can be answered.
    """
    review, exchange.warnings = await bodies.read_object(exchange, kind, strictness(exchange.query))
    review.api_version, review.kind = kind.api_version, kind.name
    review.metadata = ObjectMeta()  # nothing is kept, so nothing is said of it, and nothing of it is checked
    _ANSWERS[kind.key](review, exchange.user)
    await renderer.document(exchange, msgspec.json.encode(review), 201)
