"""What of a request the policy of the audit log names; and which policies are none."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.audit.policy_file import DEFAULT_POLICY, PolicyError, read_policy
from app.domain.rules.access.requests import PathRequest, ResourceRequest
from app.domain.rules.audit_policy import AuditPolicy, AuditRule, Decision, Level, ResourceSelection
from app.domain.user import User

ANN = User("ann", groups=("dev", "system:authenticated"))
GET = ResourceRequest("get", "", "pods", namespace="shop", name="web")


def fits(rule, request=GET, user=ANN):
    return AuditRule(Decision(Level.METADATA), **rule).fits(user, request)


@pytest.mark.parametrize(
    ("rule", "request_", "fitting"),
    [
        ({}, GET, True),
        ({}, PathRequest("get", "/metrics"), True),
        ({"users": {"ann"}}, GET, True),
        ({"users": {"bob"}}, GET, False),
        ({"groups": {"dev", "ops"}}, GET, True),
        ({"groups": {"ops"}}, GET, False),
        ({"verbs": {"get"}}, GET, True),
        ({"verbs": {"list"}}, GET, False),
        ({"namespaces": {"shop"}}, GET, True),
        ({"namespaces": {"other"}}, GET, False),
        ({"namespaces": {""}}, ResourceRequest("get", "", "nodes"), True),
        ({"namespaces": {""}}, GET, False),
        ({"namespaces": {"shop"}}, PathRequest("get", "/metrics"), False),
        ({"paths": ("/metrics",)}, PathRequest("get", "/metrics"), True),
        ({"paths": ("/healthz*",)}, PathRequest("get", "/healthz/ping"), True),
        ({"paths": ("*",)}, PathRequest("get", "/x"), True),
        ({"paths": ("/metrics",)}, PathRequest("get", "/metrics/x"), False),
        ({"paths": ("/metrics",)}, GET, False),
    ],
)
def test_a_rule_fits_where_all_that_it_names_holds(rule, request_, fitting):
    assert fits(rule, request_) is fitting


STATUS = ResourceRequest("get", "apps", "deployments", "status", "shop", "web")


@pytest.mark.parametrize(
    ("selection", "request_", "fitting"),
    [
        (ResourceSelection(""), GET, True),
        (ResourceSelection("apps"), GET, False),
        (ResourceSelection("", ("pods",)), GET, True),
        (ResourceSelection("", ("pods",), frozenset({"web"})), GET, True),
        (ResourceSelection("", ("pods",), frozenset({"db"})), GET, False),
        (ResourceSelection("", ("services", "*")), GET, True),
        (ResourceSelection("apps", ("deployments",)), STATUS, False),
        (ResourceSelection("apps", ("deployments/status",)), STATUS, True),
        (ResourceSelection("apps", ("deployments/*",)), STATUS, True),
        (ResourceSelection("apps", ("*/status",)), STATUS, True),
        (ResourceSelection("apps", ("*/scale",)), STATUS, False),
        (ResourceSelection("apps", ("*",)), STATUS, True),
        (ResourceSelection("", ("pods/*",)), GET, True),
    ],
)
def test_resources_are_named_as_in_kubernetes(selection, request_, fitting):
    assert fits({"selections": (selection,)}, request_) is fitting


def test_the_first_rule_that_fits_decides_and_without_one_nothing_is_written():
    quiet = AuditRule(Decision(Level.NONE), verbs=frozenset({"get"}))
    loud = AuditRule(Decision(Level.REQUEST_RESPONSE), users=frozenset({"ann"}))
    assert AuditPolicy((quiet, loud)).decide(ANN, GET).level is Level.NONE
    assert AuditPolicy((loud, quiet)).decide(ANN, GET).level is Level.REQUEST_RESPONSE
    assert AuditPolicy((loud,)).decide(User("bob"), GET).level is Level.NONE
    assert DEFAULT_POLICY.decide(ANN, GET) == Decision(Level.METADATA, frozenset({"RequestReceived"}))


NAMES = st.sampled_from(["", "a", "b", "*"])


@given(st.builds(AuditRule, st.just(Decision()), users=st.frozensets(NAMES), verbs=st.frozensets(NAMES)), NAMES, NAMES)
def test_an_empty_list_fits_any(rule, name, verb):
    expected = (not rule.users or name in rule.users) and (not rule.verbs or verb in rule.verbs)
    assert rule.fits(User(name), PathRequest(verb, "/")) is expected


def write(tmp_path, **policy):
    path = tmp_path / "policy.yaml"
    path.write_text(yaml.safe_dump({"apiVersion": "audit.k8s.io/v1", "kind": "Policy"} | policy))
    path.chmod(0o600)
    return path


def test_a_policy_in_a_file(tmp_path):
    rules = [
        {"level": "None", "nonResourceURLs": ["/healthz*"]},
        {
            "level": "Request", "verbs": ["patch"], "omitManagedFields": False, "omitStages": ["ResponseStarted"],
            "resources": [{"group": "", "resources": ["pods"], "resourceNames": ["web"]}], "namespaces": ["shop"],
            "users": ["ann"], "userGroups": ["dev"],
        },
        {"level": "Metadata"},
    ]  # fmt: skip
    policy = read_policy(write(tmp_path, rules=rules, omitStages=["RequestReceived"], omitManagedFields=True))
    assert policy.decide(ANN, PathRequest("get", "/healthz")).level is Level.NONE
    patch = ResourceRequest("patch", "", "pods", namespace="shop", name="web")
    both = frozenset({"RequestReceived", "ResponseStarted"})
    assert policy.decide(ANN, patch) == Decision(Level.REQUEST, both, omits_managed_fields=False)
    received = frozenset({"RequestReceived"})
    assert policy.decide(ANN, GET) == Decision(Level.METADATA, received, omits_managed_fields=True)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"rules": []}, "rules: must have at least one"),
        ({"rules": [{"level": "Everything"}]}, "rules[0].level: must be one of None, Metadata"),
        ({"rules": [{}]}, "level"),
        ({"rules": [{"level": "None", "omitStages": ["Later"]}]}, "rules[0].omitStages[0]: must be one of Request"),
        ({"rules": [{"level": "None"}], "omitStages": ["x"]}, "omitStages[0]"),
        ({"rules": [{"level": "None", "nonResourceURLs": ["x"]}]}, "rules[0].nonResourceURLs[0]: must be *"),
        ({"rules": [{"level": "None", "nonResourceURLs": ["/a*b"]}]}, "rules[0].nonResourceURLs[0]"),
        ({"rules": [{"level": "None", "nonResourceURLs": ["/a"], "namespaces": ["b"]}]}, "cannot be given with"),
        ({"rules": [{"level": "None", "resources": [{"resourceNames": ["a"]}]}]}, "resourceNames: needs resources"),
        ({"rules": [{"level": "None", "resources": [{"group": "apps/v1"}]}]}, "rules[0].resources[0].group"),
        ({"rules": [{"level": "None", "unknown": 1}]}, "unknown"),
        ({"rules": [{"level": "None"}], "apiVersion": "audit.k8s.io/v1beta1"}, "apiVersion"),
        ({"rules": [{"level": "None"}], "kind": "Event"}, "kind"),
    ],
)
def test_what_is_wrong_with_a_policy_is_named(tmp_path, policy, message):
    with pytest.raises(PolicyError) as refused:
        read_policy(write(tmp_path, **policy))
    assert message in str(refused.value)


def test_a_policy_that_others_may_change_is_refused(tmp_path):
    path = write(tmp_path, rules=[{"level": "None"}])
    path.chmod(0o666)
    with pytest.raises(PolicyError, match="can be changed by others"):
        read_policy(path)
    with pytest.raises(PolicyError, match="cannot be read"):
        read_policy(tmp_path / "none")
