"""The rules of a TokenRequest (ValidateTokenRequest of the API server, KEP-1205)."""

from collections.abc import Sequence

from app.domain.errors import Cause, invalid
from app.domain.kinds.token_request import BoundObjectReference, TokenRequest

DEFAULT_SECONDS = 3600
SHORTEST_SECONDS = 600
LONGEST_SECONDS = 2**32
WARN_AFTER_SECONDS = 3607
"""What a kubelet asks for on behalf of a Pod that may not read its token again (KEP-2799)."""
EXTENDED_SECONDS = 365 * 86_400
"""How long such a token is valid: a program that does not read it again goes on for a year, and is told of."""

BINDABLE = ("Node", "Pod", "Secret")
"""Kinds of the core group with whose objects a token may end."""


def default_token_request(request: TokenRequest, audiences: Sequence[str]) -> None:
    """Fill in what the client left out; `audiences` are those of the API."""
    request.spec.audiences = request.spec.audiences or list(audiences)
    if request.spec.expiration_seconds is None:
        request.spec.expiration_seconds = DEFAULT_SECONDS


def validate_token_request(request: TokenRequest, namespace: str, name: str) -> list[Cause]:
    """Name every field that is wrong; `namespace` and `name` are those of the ServiceAccount in the path."""
    causes = []
    if request.metadata.name not in ("", name):
        causes.append(invalid("metadata.name", request.metadata.name, f"must be {name}, as in the path, if given"))
    if request.metadata.namespace not in (None, "", namespace):
        causes.append(
            invalid("metadata.namespace", request.metadata.namespace, f"must be {namespace}, as in the path, if given")
        )
    seconds = request.spec.expiration_seconds or 0
    if seconds < SHORTEST_SECONDS:
        causes.append(
            invalid("spec.expirationSeconds", seconds, f"a token is valid for {SHORTEST_SECONDS} seconds at least")
        )
    if seconds > LONGEST_SECONDS:
        causes.append(
            invalid("spec.expirationSeconds", seconds, f"a token is valid for {LONGEST_SECONDS} seconds at most")
        )
    return causes


def is_bindable(reference: BoundObjectReference) -> bool:
    """Whether a token may end with an object of this kind."""
    return reference.api_version == "v1" and reference.kind in BINDABLE


def extended_lifetime(
    spec_seconds: int, audiences: Sequence[str], own_audiences: Sequence[str], *, for_pod: bool
) -> tuple[int, int | None]:
    """For how long a token is valid, and after how long its use is reported (KEP-2799); seconds, None for never.

    Only what a kubelet asks for is extended, and only for the API: others cannot report a use.
    """
    if for_pod and spec_seconds == WARN_AFTER_SECONDS and set(audiences) <= set(own_audiences):
        return EXTENDED_SECONDS, spec_seconds
    return spec_seconds, None
