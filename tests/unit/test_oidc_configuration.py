"""Which providers a file or flags name, and who the claims of a token say it is."""

import copy

import pytest
import trustme
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.domain.user import User
from app.oidc.configuration import ConfigurationError, read_configuration
from app.oidc.expressions import ClaimError, ExpressionError, Text, UserRule, claim_rule, text_of, user_rule
from app.oidc.flags import provider_of_flags
from app.oidc.users import user_of

URL = "https://login.example.com"
JWT = {
    "issuer": {"url": URL, "audiences": ["fairlead"]},
    "claimMappings": {"username": {"claim": "sub", "prefix": "corp:"}},
}
CLAIMS = {"iss": URL, "aud": "fairlead", "sub": "ann", "exp": 2000}


def write(tmp_path, jwt, **more):
    path = tmp_path / "authentication.yaml"
    document = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration", "jwt": jwt} | more
    path.write_text(yaml.safe_dump(document))
    path.chmod(0o600)
    return path


def changed(where, value):
    """The provider with one field set, or left out where the value is None."""
    jwt = copy.deepcopy(JWT)
    *path, last = where.split(".")
    part = jwt
    for step in path:
        part = part.setdefault(step, {})
    part[last] = value
    if value is None:
        del part[last]
    return jwt


def provider(tmp_path, where="issuer.url", value=URL):
    (found,) = read_configuration(write(tmp_path, [changed(where, value)])).providers
    return found


def test_a_provider_in_a_file(tmp_path):
    found = provider(tmp_path)
    assert (found.issuer, found.discovery_url) == (URL, f"{URL}/.well-known/openid-configuration")
    assert user_of(found, CLAIMS, 1000) == User("corp:ann", groups=("system:authenticated",))
    elsewhere = provider(tmp_path, "issuer.discoveryURL", "https://inside.example.com/d")
    assert elsewhere.discovery_url == "https://inside.example.com/d"


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("issuer.url", "ftp://x", "jwt[0].issuer.url: must be a URL that begins with https://"),
        ("issuer.url", "http://login.example.com", "jwt[0].issuer.url: must be a URL that begins with https://"),
        ("issuer.url", "https://a:b@x", "jwt[0].issuer.url: must have no user"),
        ("issuer.url", "https://[x", "jwt[0].issuer.url"),
        ("issuer.url", None, "url"),
        ("issuer.discoveryURL", "http://x", "jwt[0].issuer.discoveryURL"),
        ("issuer.audiences", [], "jwt[0].issuer.audiences: name at least one"),
        ("issuer.audiences", [""], "jwt[0].issuer.audiences"),
        ("issuer.audiences", ["a", "b"], "jwt[0].issuer.audienceMatchPolicy: must be MatchAny"),
        ("issuer.audienceMatchPolicy", "MatchAll", "MatchAll"),
        ("issuer.certificateAuthority", "x", "jwt[0].issuer.certificateAuthority: must hold certificates"),
        ("issuer.egressSelectorType", "cluster", "egressSelectorType"),
        ("claimMappings.username", {}, "jwt[0].claimMappings.username: give claim and prefix"),
        ("claimMappings.username", {"claim": "sub"}, 'username.prefix: must be given with claim; "" for none'),
        ("claimMappings.username", {"prefix": "x"}, "username.claim: must be given with prefix"),
        ("claimMappings.username", {"claim": "a", "prefix": "", "expression": "claims.a"}, "expression stands alone"),
        (
            "claimMappings.username",
            {"expression": "claims.a.lowerAscii()"},
            "username.expression: only the part of CEL",
        ),
        ("claimMappings.uid", {"claim": "sub", "prefix": "x"}, "uid.prefix: a uid has none"),
        ("claimMappings.extra", [{"key": "team", "valueExpression": "claims.a"}], "extra[0].key: must be a domain"),
        ("claimMappings.extra", [{"key": "k8s.io/a", "valueExpression": "claims.a"}], "Kubernetes' own"),
        ("claimMappings.extra", [{"key": "e.com/a", "valueExpression": "size(a)"}], "extra[0].valueExpression"),
        ("claimMappings.extra", [{"key": "e.com/a", "valueExpression": "claims.a"}] * 2, "the same key"),
        ("claimValidationRules", [{"requiredValue": "x"}], "claimValidationRules[0]: give either claim"),
        ("claimValidationRules", [{"expression": "claims.a in ['b']"}], "claimValidationRules[0].expression"),
        ("userValidationRules", [{"expression": "user.uid != ''"}], "userValidationRules[0].expression"),
        ("unknown", "x", "unknown"),
    ],
)
def test_what_is_wrong_with_a_provider_is_named(tmp_path, where, value, message):
    with pytest.raises(ConfigurationError) as refused:
        provider(tmp_path, where, value)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"apiVersion": "v1"}, "apiVersion: must be one of apiserver.config.k8s.io/v1"),
        ({"kind": "Config"}, "kind"),
        ({"jwt": [JWT, JWT]}, "jwt: two items have the same"),
        ({"jwt": [JWT] * 65}, "jwt: has more than 64 items"),
        ({"jwt": "x"}, "jwt"),
        ({"anonymous": {"enabled": False, "conditions": [{"path": "/x"}]}}, "anonymous.conditions"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path, more, message):
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(write(tmp_path, **({"jwt": []} | more)))
    assert message in str(refused.value)


def test_a_file_that_others_may_change_or_that_is_none_is_refused(tmp_path):
    path = write(tmp_path, [JWT])
    path.chmod(0o666)
    with pytest.raises(ConfigurationError, match="can be changed by others"):
        read_configuration(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_configuration(tmp_path / "none")
    path.chmod(0o600)
    path.write_text("{")
    with pytest.raises(ConfigurationError, match="is no YAML"):
        read_configuration(path)


@pytest.mark.parametrize(
    ("anonymous", "paths"),
    [
        (None, None),
        ({"enabled": True}, None),
        ({"enabled": False}, frozenset()),
        ({"enabled": True, "conditions": [{"path": "/livez"}]}, frozenset({"/livez"})),
    ],
)
def test_the_paths_that_need_no_credential(tmp_path, anonymous, paths):
    assert read_configuration(write(tmp_path, [JWT], anonymous=anonymous)).anonymous == paths


def test_everything_of_a_user_is_mapped(tmp_path):
    authority = trustme.CA().cert_pem.bytes().decode()
    jwt = copy.deepcopy(JWT)
    jwt["issuer"] |= {"certificateAuthority": authority, "audiences": ["a", "b"], "audienceMatchPolicy": "MatchAny"}
    jwt["claimMappings"] = {
        "username": {"expression": '"corp:" + claims.email'},
        "groups": {"claim": "roles", "prefix": "corp:"},
        "uid": {"claim": "sub"},
        "extra": [{"key": "example.com/team", "valueExpression": 'claims["x.team"].name'}],
    }
    jwt["claimValidationRules"] = [
        {"claim": "hd", "requiredValue": "example.com"},
        {"expression": "claims.email_verified == true", "message": "verify first"},
    ]
    jwt["userValidationRules"] = [
        {"expression": "!user.username.startsWith('system:')"},
        {"expression": "user.groups.all(group, !group.startsWith('system:'))"},
    ]
    (found,) = read_configuration(write(tmp_path, [jwt])).providers
    claims = {
        "aud": ["x", "b"], "exp": 2000, "sub": "17", "email": "ann@example.com", "email_verified": True,
        "hd": "example.com", "roles": ["dev", "ops", "dev"], "x.team": {"name": "core"},
    }  # fmt: skip
    assert user_of(found, claims, 1000) == User(
        "corp:ann@example.com",
        "17",
        ("corp:dev", "corp:ops", "system:authenticated"),
        {"example.com/team": ("core",)},
    )
    for wrong in (
        {"hd": "example.org"}, {"hd": None}, {"email_verified": False}, {"email_verified": "true"}, {"email": ""},
        {"email": None}, {"email": ["a"]}, {"roles": [1]}, {"roles": {"a": "b"}}, {"x.team": {}}, {"aud": ["x"]},
        {"aud": None}, {"sub": 17}, {"roles": ["a"] * 1001}, {"email": "a" * 2000},
    ):  # fmt: skip
        with pytest.raises(ClaimError):
            user_of(found, claims | wrong, 1000)


def test_nobody_becomes_one_of_the_system_where_a_rule_forbids_it(tmp_path):
    jwt = changed("claimMappings.groups", {"claim": "groups", "prefix": ""})
    jwt["userValidationRules"] = [{"expression": "user.groups.all(g, !g.startsWith('system:'))"}]
    (found,) = read_configuration(write(tmp_path, [jwt])).providers
    assert user_of(found, CLAIMS | {"groups": "dev"}, 1000).groups == ("dev", "system:authenticated")
    with pytest.raises(ClaimError):
        user_of(found, CLAIMS | {"groups": ["dev", "system:masters"]}, 1000)


@pytest.mark.parametrize(
    ("change", "now", "valid"),
    [
        ({}, 2000, True),
        ({}, 2060, True),
        ({}, 2061, False),
        ({"exp": None}, 1000, False),
        ({"exp": "2000"}, 1000, False),
        ({"exp": True}, 0, False),
        ({"nbf": 1060}, 1000, True),
        ({"nbf": 1061}, 1000, False),
        ({"aud": "other"}, 1000, False),
        ({"sub": ""}, 1000, False),
    ],
)
def test_a_token_has_its_time_and_its_audience(tmp_path, change, now, valid):
    found = provider(tmp_path)
    if valid:
        assert user_of(found, CLAIMS | change, now).name == "corp:ann"
    else:
        with pytest.raises(ClaimError):
            user_of(found, CLAIMS | change, now)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@pytest.mark.long
@given(st.dictionaries(st.sampled_from(["aud", "exp", "nbf", "sub"]), VALUES))
def test_any_claims_are_somebody_or_refused(claims):
    found = provider_of_flags(**FLAGS)
    try:
        user = user_of(found, claims, 1000)
    except ClaimError:
        return
    assert user.name.startswith(f"{URL}#")


FLAGS = {
    "issuer_url": URL, "client_id": "fairlead", "authority": "", "username_claim": "sub", "username_prefix": None,
    "groups_claim": "", "groups_prefix": "", "required_claims": {}, "algorithms": ["RS256"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ({}, f"{URL}#ann"),
        ({"username_prefix": "x:"}, "x:ann"),
        ({"username_prefix": "-"}, "ann"),
        ({"username_prefix": ""}, "ann"),
        ({"username_claim": "email"}, "ann@example.com"),
    ],
)
def test_flags_prefix_names_as_kube_apiserver_does(flags, name):
    claims = CLAIMS | {"email": "ann@example.com"}
    assert user_of(provider_of_flags(**(FLAGS | flags)), claims, 1000).name == name


@pytest.mark.parametrize("flags", [{"issuer_url": "http://x"}, {"algorithms": ["HS256"]}, {"algorithms": ["none"]}])
def test_flags_that_are_wrong_are_refused(flags):
    with pytest.raises(ConfigurationError):
        provider_of_flags(**(FLAGS | flags))


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("claims.sub", ["ann"]),
        (" claims.a.b ", ["deep"]),
        ("claims['x-y']", ["dashed"]),
        ('claims["a"].b + "!"', ["deep!"]),
        ("'p:' + claims.list", ["p:1", "p:2"]),
        ("'constant'", ["constant"]),
    ],
)
def test_texts_that_are_understood(expression, values):
    claims = {"sub": "ann", "a": {"b": "deep"}, "x-y": "dashed", "list": ["1", "2"]}
    assert text_of(expression).values(claims) == values


@pytest.mark.parametrize(
    "expression",
    ["", "claims", "claims.", "sub", "claims.a +", "+ claims.a", "claims.a claims.b", "claims.a ? 'x' : 'y'", "'a"],
)
def test_texts_that_are_not_understood(expression):
    with pytest.raises(ExpressionError):
        text_of(expression)


def test_two_lists_make_no_text():
    with pytest.raises(ClaimError):
        Text((("a",), ("a",))).values({"a": ["1", "2"]})


@pytest.mark.parametrize(
    ("expression", "claims", "holds"),
    [
        ("claims.a == 'x'", {"a": "x"}, True),
        ("claims.a == 'x'", {"a": "y"}, False),
        ("claims.a == 'x'", {}, False),
        ("claims.a == true", {"a": True}, True),
        ("claims.a == true", {"a": 1}, False),
        ("claims.a == 1", {"a": 1}, True),
        ("claims.a == 1", {"a": True}, False),
    ],
)
def test_comparisons(expression, claims, holds):
    assert claim_rule(expression).holds(claims) is holds


def test_rules_about_users():
    assert user_rule('!user.username.startsWith("a")') == UserRule(False, "a")
    assert not user_rule('!user.username.startsWith("a")').holds("ann", [])
    assert user_rule("user.groups.all(g, !g.startsWith('a'))").holds("ann", ["b"])
    with pytest.raises(ExpressionError):
        user_rule("user.groups.all(g, !h.startsWith('a'))")
