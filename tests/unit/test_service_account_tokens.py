"""What tokens of ServiceAccounts say, and what may be asked for."""

import pytest

from app.domain.kinds.token_request import BoundObjectReference, TokenRequest, TokenRequestSpec
from app.domain.rules.service_account_tokens import (
    LEGACY_ISSUER,
    Binding,
    Reference,
    TokenClaims,
    bearer_of,
    legacy_claims,
    read_claims,
    untimely,
)
from app.domain.rules.token_request import (
    default_token_request,
    extended_lifetime,
    is_bindable,
    validate_token_request,
)

ACCOUNT = Reference("app", "uid-1")
SUBJECT = "system:serviceaccount:team:app"


def payload(**changes):
    bound = {"namespace": "team", "serviceaccount": {"name": "app", "uid": "uid-1"}}
    return {"iss": "https://i", "sub": SUBJECT, "aud": ["a"], "exp": 100, "kubernetes.io": bound} | changes


@pytest.mark.parametrize(
    "wrong",
    [
        {"sub": "system:serviceaccount:team:other"},
        {"sub": "admin"},
        {"kubernetes.io": {"namespace": "team", "serviceaccount": {"name": "app"}}},
        {"kubernetes.io": {"namespace": "other", "serviceaccount": {"name": "app", "uid": "uid-1"}}},
        {"kubernetes.io": "x"},
        {"kubernetes.io": {}},
        {"aud": "a"},
        {"exp": "tomorrow"},
        {"iss": LEGACY_ISSUER},
    ],
)
def test_claims_that_are_not_those_of_an_account_are_refused(wrong):
    assert read_claims(payload()).binding.serviceaccount == ACCOUNT
    with pytest.raises(ValueError, match=r"."):
        read_claims(payload(**wrong))


@pytest.mark.parametrize(
    ("claims", "now", "why"),
    [
        ({"exp": 1000}, 1000, ""),
        ({"exp": 1000}, 1060, ""),
        ({"exp": 1000}, 1061, "expired"),
        ({}, 1000, "without end"),
        ({"exp": 2000, "nbf": 1060}, 1000, ""),
        ({"exp": 2000, "nbf": 1061}, 1000, "not valid yet"),
        ({"exp": 2000, "iat": 1061}, 1000, "not valid yet"),
        ({"iss": LEGACY_ISSUER}, 1000, ""),
    ],
)
def test_a_token_has_its_time_and_clocks_may_differ_by_a_minute(claims, now, why):
    assert untimely(TokenClaims(**({"iss": "https://i"} | claims)), now) == why


def test_the_bearer_is_the_account_with_its_groups():
    bound = Binding("team", pod=Reference("web", "p"), node=Reference("n", "u"), serviceaccount=ACCOUNT)
    user = bearer_of(TokenClaims(iss="https://i", sub=SUBJECT, jti="42", binding=bound))
    assert (user.name, user.uid) == (SUBJECT, "uid-1")
    assert user.groups == ("system:serviceaccounts", "system:serviceaccounts:team", "system:authenticated")
    prefix = "authentication.kubernetes.io/"
    assert user.extra == {
        f"{prefix}pod-name": ("web",),
        f"{prefix}pod-uid": ("p",),
        f"{prefix}credential-id": ("JTI=42",),
        f"{prefix}node-name": ("n",),
        f"{prefix}node-uid": ("u",),
    }


def test_a_node_that_is_not_registered_has_only_a_name():
    bound = Binding("team", pod=Reference("web", "p"), node=Reference("n"), serviceaccount=ACCOUNT)
    assert "authentication.kubernetes.io/node-uid" not in bearer_of(TokenClaims(iss="i", binding=bound)).extra


def test_the_token_in_a_secret_says_what_kubernetes_says():
    claims = legacy_claims("team", ACCOUNT, "app-token")
    assert claims == {
        "iss": "kubernetes/serviceaccount",
        "kubernetes.io/serviceaccount/namespace": "team",
        "kubernetes.io/serviceaccount/secret.name": "app-token",
        "kubernetes.io/serviceaccount/service-account.name": "app",
        "kubernetes.io/serviceaccount/service-account.uid": "uid-1",
        "sub": SUBJECT,
    }
    read = read_claims(claims)
    assert read.binding == Binding("team", secret=Reference("app-token"), serviceaccount=ACCOUNT)
    assert bearer_of(read).extra == {}


@pytest.mark.parametrize(
    ("seconds", "fields"),
    [
        (None, []),
        (600, []),
        (2**32, []),
        (599, ["spec.expirationSeconds"]),
        (0, ["spec.expirationSeconds"]),
        (-1, ["spec.expirationSeconds"]),
        (2**32 + 1, ["spec.expirationSeconds"]),
    ],
)
def test_a_token_lives_for_ten_minutes_to_136_years(seconds, fields):
    request = TokenRequest(spec=TokenRequestSpec(expiration_seconds=seconds))
    default_token_request(request, ["api"])
    assert request.spec.audiences == ["api"]
    assert [cause.field for cause in validate_token_request(request, "team", "app")] == fields


def test_names_in_the_body_have_to_be_those_in_the_path():
    request = TokenRequest(spec=TokenRequestSpec(audiences=["x"], expiration_seconds=600))
    request.metadata.name, request.metadata.namespace = "other", "elsewhere"
    causes = validate_token_request(request, "team", "app")
    assert [cause.field for cause in causes] == ["metadata.name", "metadata.namespace"]
    request.metadata.name, request.metadata.namespace = "app", "team"
    assert validate_token_request(request, "team", "app") == []


@pytest.mark.parametrize(
    ("reference", "bindable"),
    [
        (BoundObjectReference("Pod", "v1", "x"), True),
        (BoundObjectReference("Secret", "v1", "x"), True),
        (BoundObjectReference("Node", "v1", "x"), True),
        (BoundObjectReference("ConfigMap", "v1", "x"), False),
        (BoundObjectReference("Pod", "apps/v1", "x"), False),
        (BoundObjectReference("", "", "x"), False),
    ],
)
def test_a_token_ends_with_a_pod_a_secret_or_a_node(reference, bindable):
    assert is_bindable(reference) is bindable


@pytest.mark.parametrize(
    ("seconds", "audiences", "for_pod", "lifetime"),
    [
        (3607, ["api"], True, (31_536_000, 3607)),
        (3607, ["api"], False, (3607, None)),
        (3607, ["api", "vault"], True, (3607, None)),
        (3600, ["api"], True, (3600, None)),
    ],
)
def test_only_what_a_kubelet_asks_for_is_extended(seconds, audiences, for_pod, lifetime):
    assert extended_lifetime(seconds, audiences, ["api"], for_pod=for_pod) == lifetime
