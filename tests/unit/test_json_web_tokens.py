"""Tokens are read with bounds, and trusted only with the right signature of the right algorithm."""

import base64
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from app.credentials.json_web_tokens import LONGEST_TOKEN, Unverified, WrongTokenError, unverified, verified
from app.credentials.token_signing import SigningKey, Verification

RSA = RSAKey.generate_key(2048)
OTHER = RSAKey.generate_key(2048)
CLAIMS = {"iss": "https://i", "sub": "ann"}


def part(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def test_what_a_token_claims_to_be():
    token = jwt.encode({"alg": "RS256", "kid": "1"}, CLAIMS, RSA)
    assert unverified(token) == Unverified("1", "RS256", "https://i")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "..",
        f"{part({'alg': 'RS256'})}.{part({'sub': 'x'})}.x",
        f"{part({'alg': 'RS256'})}.{part([])}.x",
        f"{part({'alg': 5})}.{part(CLAIMS)}.x",
        f"{part({'alg': 'RS256'})}.{part({'iss': 1})}.x",
        f"{part(b'[' * 5000)}.{part(CLAIMS)}.x",
        f"{part({'alg': 'RS256', 'x': 'y' * LONGEST_TOKEN})}.{part(CLAIMS)}.x",
    ],
)
def test_what_is_no_token_is_nobodys(token):
    assert unverified(token) is None


@given(st.text(alphabet="abcdefgXYZ0189-_.=+/ \x00é", max_size=200))
def test_any_text_can_be_looked_at(text):
    assert unverified(text) is None


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=40))
def test_any_three_parts_can_be_looked_at_and_are_not_trusted(head, body, signature):
    token = f"{part(head)}.{part(body)}.{part(signature)}"
    unverified(token)
    with pytest.raises(WrongTokenError):
        verified(token, RSA, ["RS256"])


def test_only_the_right_key_and_algorithm_are_trusted():
    good = jwt.encode({"alg": "RS256"}, CLAIMS, RSA)
    assert verified(good, RSA, ["RS256"]) == CLAIMS
    head, body, signature = good.split(".")
    public = RSA.as_pem(private=False)
    confused = f"{part({'alg': 'HS256'})}.{body}"
    tampered = part(CLAIMS | {"sub": "root"})
    wrong = [
        jwt.encode({"alg": "RS256"}, CLAIMS, OTHER),
        jwt.encode({"alg": "RS512"}, CLAIMS, RSA, algorithms=["RS512"]),
        # The public key taken for the secret of another algorithm, and no signature at all.
        f"{confused}.{part(hmac.digest(public, confused.encode(), 'sha256'))}",
        f"{part({'alg': 'none'})}.{body}.",
        f"{part({'alg': 'None'})}.{body}.{signature}",
        f"{head}.{tampered}.{signature}",
        f"{head}.{body}.{signature}AA",
        f"{head}.{body}.",
        jwt.encode({"alg": "ES256"}, CLAIMS, ECKey.generate_key("P-256")),
    ]
    for token in wrong:
        with pytest.raises(WrongTokenError) as refused:
            verified(token, RSA, ["RS256"])
        assert token not in str(refused.value)


def test_a_key_that_is_no_longer_known_verifies_nothing():
    one, two = SigningKey.generate(), SigningKey.generate()
    keys = Verification()
    keys.replace([one])
    token = one.sign(CLAIMS)
    assert keys.verified(token, one.id) == keys.verified(token, one.id) == CLAIMS
    keys.replace([one, two])
    assert keys.verified(token, one.id) == CLAIMS
    keys.replace([two])
    with pytest.raises(WrongTokenError):
        keys.verified(token, one.id)
    with pytest.raises(WrongTokenError):
        keys.verified(token, two.id)


def test_the_public_keys_hold_no_secret():
    key = SigningKey.generate()
    keys = Verification()
    keys.replace([key])
    (public,) = json.loads(keys.key_set())["keys"]
    assert set(public) == {"use", "kid", "alg", "n", "e", "kty"}
    assert verified(key.sign(CLAIMS), RSAKey.import_key(public), ["RS256"]) == CLAIMS
