"""The declarations of reviews: questions that clients ask about themselves.

Nothing is stored of a review: the answer to its POST is the object with its status filled in.
"""

from typing import Any

from app.domain.declarations.kind import Kind
from app.domain.kinds.access_review import SelfSubjectAccessReview
from app.domain.kinds.rules_review import SelfSubjectRulesReview
from app.domain.kinds.self_review import SelfSubjectReview

AUTHENTICATION, AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"


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
"""All of them, in the order discovery shows them."""
