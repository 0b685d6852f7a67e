"""The answers to reviews. Every user who is admitted may do everything, so an answer follows from the user alone."""

from collections.abc import Callable
from typing import Any

import msgspec

from app.api.bodies import Bodies
from app.api.exchange import Exchange
from app.api.parameters import strictness
from app.api.rendering import Renderer
from app.domain.declarations.kind import Kind
from app.domain.declarations.reviews import ACCESS_REVIEW, AUTHORIZATION, RULES_REVIEW, SELF_REVIEW
from app.domain.documents.objects import ObjectMeta
from app.domain.errors import Invalid, invalid
from app.domain.kinds.access_review import SelfSubjectAccessReview, SubjectAccessReviewStatus
from app.domain.kinds.rules_review import (
    NonResourceRule,
    ResourceRule,
    SelfSubjectRulesReview,
    SubjectRulesReviewStatus,
)
from app.domain.kinds.self_review import SelfSubjectReview, SelfSubjectReviewStatus, UserInfo
from app.domain.user import User


def _allow(review: SelfSubjectAccessReview, _: User) -> None:
    asked = [
        each for each in (review.spec.resource_attributes, review.spec.non_resource_attributes) if each is not None
    ]
    if len(asked) != 1:
        cause = invalid(
            "spec.resourceAttributes", None, "exactly one of resourceAttributes and nonResourceAttributes must be given"
        )
        message = f'SelfSubjectAccessReview.{AUTHORIZATION} "" is invalid: {cause.field}: {cause.message}'
        raise Invalid(message, group=AUTHORIZATION, kind="SelfSubjectAccessReview", causes=[cause])
    review.status = SubjectAccessReviewStatus(allowed=True, reason="every user who is admitted may do everything")


def _list_rules(review: SelfSubjectRulesReview, _: User) -> None:
    everything = ["*"]
    review.status = SubjectRulesReviewStatus(
        resource_rules=[ResourceRule(verbs=everything, api_groups=everything, resources=everything)],
        non_resource_rules=[NonResourceRule(verbs=everything, non_resource_urls=everything)],
    )


def _introduce(review: SelfSubjectReview, user: User) -> None:
    extra = {key: list(values) for key, values in user.extra.items()}
    info = UserInfo(username=user.name, uid=user.uid, groups=list(user.groups), extra=extra or None)
    review.status = SelfSubjectReviewStatus(user_info=info)


_ANSWERS: dict[str, Callable[[Any, User], None]] = {
    SELF_REVIEW.key: _introduce,
    ACCESS_REVIEW.key: _allow,
    RULES_REVIEW.key: _list_rules,
}


def is_review(kind: Kind[Any]) -> bool:
    """Whether a kind is a review."""
    return kind.key in _ANSWERS


async def answer_review(exchange: Exchange, kind: Kind[Any], bodies: Bodies, renderer: Renderer) -> None:
    """Answer the POST of a review.

    Raises:
        ApiError: The body cannot be read, or does not say what the client would like to do.
    """
    review, exchange.warnings = await bodies.read_object(exchange, kind, strictness(exchange.query))
    review.api_version, review.kind = kind.api_version, kind.name
    review.metadata = ObjectMeta()  # nothing is stored, so the metadata that was sent has no meaning
    _ANSWERS[kind.key](review, exchange.user)
    await renderer.document(exchange, msgspec.json.encode(review), 201)
