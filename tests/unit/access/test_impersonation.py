import pytest

from app.api.access.impersonation import impersonated
from app.domain.errors import BadRequest
from app.domain.user import User, account_of, account_user

USER, GROUP, UID = b"impersonate-user", b"impersonate-group", b"impersonate-uid"
AUTHENTICATED = "system:authenticated"


@pytest.mark.parametrize(
    ("headers", "user"),
    [
        ([(USER, b"bob")], User("bob", groups=(AUTHENTICATED,))),
        ([(USER, b"bob"), (GROUP, b"a"), (GROUP, b"b, c")], User("bob", groups=("a", "b, c", AUTHENTICATED))),
        ([(USER, b"bob"), (GROUP, b"system:authenticated")], User("bob", groups=(AUTHENTICATED,))),
        ([(USER, b"bob"), (GROUP, b"system:unauthenticated")], User("bob", groups=("system:unauthenticated",))),
        ([(USER, b"system:anonymous")], User("system:anonymous", groups=("system:unauthenticated",))),
        ([(USER, b"b\xc3\xb6b"), (UID, b"7")], User("böb", "7", (AUTHENTICATED,))),
        (
            [(USER, b"bob"), (b"impersonate-extra-scopes", b"a"), (b"impersonate-extra-scopes", b"b"),
             (b"impersonate-extra-example.com%2fkey", b"v")],
            User("bob", groups=(AUTHENTICATED,), extra={"scopes": ("a", "b"), "example.com/key": ("v",)}),
        ),
        (
            [(USER, b"system:serviceaccount:shop:app")],
            User("system:serviceaccount:shop:app",
                 groups=("system:serviceaccounts", "system:serviceaccounts:shop", AUTHENTICATED)),
        ),
        (
            [(USER, b"system:serviceaccount:shop:app"), (GROUP, b"g")],
            User("system:serviceaccount:shop:app", groups=("g", AUTHENTICATED)),
        ),
    ],
)  # fmt: skip
def test_whom_a_request_acts_as(headers, user):
    assert impersonated(headers).user == user


def test_what_acting_as_another_needs():
    headers = [(USER, b"bob"), (GROUP, b"g"), (UID, b"7"), (b"impersonate-extra-scopes", b"a"), (b"accept", b"x")]
    wanted = [(each.path, each.group, each.namespace, each.name) for each in impersonated(headers).requests]
    assert wanted == [
        ("users", "", "", "bob"),
        ("groups", "", "", "g"),
        ("userextras/scopes", "authentication.k8s.io", "", "a"),
        ("uids", "authentication.k8s.io", "", "7"),
    ]
    (account,) = impersonated([(USER, b"system:serviceaccount:shop:app")]).requests
    assert (account.path, account.namespace, account.name) == ("serviceaccounts", "shop", "app")


@pytest.mark.parametrize("headers", [[], [(USER, b"")], [(b"x-impersonate-user", b"bob")]])
def test_nobody_else(headers):
    assert impersonated(headers) is None


@pytest.mark.parametrize("header", [GROUP, UID, b"impersonate-extra-scopes"])
def test_a_user_is_needed(header):
    with pytest.raises(BadRequest, match="without impersonating a user"):
        impersonated([(USER, b""), (header, b"x")])


def test_names_of_accounts():
    assert account_of(account_user("shop", "app").name) == ("shop", "app")
    for other in (
        "bob",
        "system:serviceaccount:",
        "system:serviceaccount:shop",
        "system:serviceaccount:a:b:c",
        "shop:app",
    ):
        assert account_of(other) is None
