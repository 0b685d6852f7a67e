"""The declarations of reviews: questions that clients ask about themselves and others.

Nothing is stored of a review: the answer to its POST is the object with its status filled in.
"""

from typing import Any

from app.domain.declarations.kind import OF_ADMINS, OF_THE_CLUSTER, Kind
from app.domain.kinds.access_review import LocalSubjectAccessReview, SelfSubjectAccessReview, SubjectAccessReview
from app.domain.kinds.rules_review import SelfSubjectRulesReview
from app.domain.kinds.self_review import SelfSubjectReview
from app.domain.kinds.token_request import TokenRequest
from app.domain.kinds.token_review import TokenReview

AUTHENTICATION, AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"


def _review(group: str, model: type[Any], *, namespaced: bool = False, confidential: bool = False) -> Kind[Any]:
    name = model.__name__
    return Kind(
        group=group,
        version="v1",
        name=name,
        plural=name.lower() + "s",
        singular=name.lower(),
        namespaced=namespaced,
        model=model,
        schema=f"io.k8s.api.{group.partition('.')[0]}.v1.{name}",
        columns=(),
        verbs=("create",),
        confidential=confidential,
        grants=OF_ADMINS if namespaced else OF_THE_CLUSTER,
    )


SELF_REVIEW = _review(AUTHENTICATION, SelfSubjectReview)
SELF_ACCESS_REVIEW = _review(AUTHORIZATION, SelfSubjectAccessReview)
RULES_REVIEW = _review(AUTHORIZATION, SelfSubjectRulesReview)
ACCESS_REVIEW = _review(AUTHORIZATION, SubjectAccessReview)
LOCAL_ACCESS_REVIEW = _review(AUTHORIZATION, LocalSubjectAccessReview, namespaced=True)
TOKEN_REVIEW = _review(AUTHENTICATION, TokenReview, confidential=True)
TOKEN_REQUEST = _review(AUTHENTICATION, TokenRequest, confidential=True)
"""It has no path of its own: it is sent to a subresource of ServiceAccounts."""
REVIEWS = (TOKEN_REVIEW, SELF_REVIEW, LOCAL_ACCESS_REVIEW, SELF_ACCESS_REVIEW, RULES_REVIEW, ACCESS_REVIEW)
"""All of them, in the order discovery shows them."""
