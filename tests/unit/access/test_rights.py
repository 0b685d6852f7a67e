import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Forbidden
from app.domain.kinds.role import PolicyRule
from app.domain.rules.access.covering import MAX_RIGHTS, missing, refusal_text
from app.domain.rules.access.requests import PathRequest, ResourceRequest, refused
from app.domain.rules.access.rights import EVERYTHING, Rights, compiled
from app.domain.user import User

GET = ResourceRequest("get", "", "services", namespace="shop", name="web")


def rule(verbs, groups, resources, names=None):
    split = [None if each is None else each.split(" ") for each in (verbs, groups, resources, names)]
    return PolicyRule(verbs=split[0], api_groups=split[1], resources=split[2], resource_names=split[3])


def paths(verbs, urls):
    return PolicyRule(verbs=verbs.split(" "), non_resource_urls=urls.split(" "))


def request(text):
    """`verb group resource[/subresource] [name]`; the core group is `-`."""
    verb, group, resource, *name = text.split(" ")
    resource, _, subresource = resource.partition("/")
    return ResourceRequest(verb, group.strip("-"), resource, subresource, "shop", *name)


@pytest.mark.parametrize(
    ("given_rule", "asked", "allowed"),
    [
        (rule("get", "", "services"), "get - services web", True),
        (rule("get", "", "services"), "list - services", False),
        (rule("get", "", "services"), "get apps services web", False),
        (rule("get", "", "services"), "get - services/status web", False),
        (rule("get", "", "services/status"), "get - services web", False),
        (rule("get", "", "services/*"), "get - services/status web", False),
        (rule("get", "", "*/status"), "get - services/status web", True),
        (rule("get", "", "*/status"), "get - services web", False),
        (rule("get", "", "*"), "get - services/status web", True),
        (rule("*", "*", "*"), "fly apps planes/wings", True),
        (rule("get", "*", "services"), "get any services web", True),
        (rule("get", "", "services", "web"), "get - services web", True),
        (rule("get", "", "services", "web"), "get - services other", False),
        (rule("list", "", "services", "web"), "list - services", False),
        (rule("list", "", "services", "web"), "list - services web", True),
        (rule("create", "", "services", "web"), "create - services", False),
        (rule("Get", "", "services"), "get - services web", False),
        (rule("get", "", "Services"), "get - services web", False),
        (PolicyRule(), "get - services web", False),
    ],
)
def test_what_a_rule_allows(given_rule, asked, allowed):
    assert Rights(compiled([given_rule])).allows(request(asked)) is allowed


@pytest.mark.parametrize(
    ("urls", "path", "allowed"),
    [
        ("/metrics", "/metrics", True),
        ("/metrics", "/metrics/", False),
        ("/a/*", "/a/b/c", True),
        ("/a/*", "/a/", True),
        ("/a/*", "/a", False),
        ("*", "/anything", True),
        ("/a*b", "/axb", False),
        ("/a*b", "/a*b", True),
        ("noslash", "/noslash", False),
    ],
)
def test_paths(urls, path, allowed):
    everywhere, bound = Rights(compiled([paths("get", urls)])), Rights((), {"shop": compiled([paths("get", urls)])})
    assert everywhere.allows(PathRequest("get", path)) is allowed
    assert not everywhere.allows(PathRequest("post", path))
    assert not bound.allows(PathRequest("get", path))


def test_rights_add_up_and_stay_in_their_namespace():
    named, other = compiled([rule("get", "", "services", "web")]), compiled([rule("get", "", "services", "api")])
    rights = Rights(named, {"shop": other, "bank": compiled(EVERYTHING)})
    asked = {
        (namespace, name): rights.allows(ResourceRequest("get", "", "services", "", namespace, name))
        for namespace in ("shop", "bank", "else", "")
        for name in ("web", "api", "")
    }
    assert {key for key, allowed in asked.items() if allowed} == {
        ("shop", "web"), ("shop", "api"), ("bank", "web"), ("bank", "api"), ("bank", ""), ("else", "web"), ("", "web"),
    }  # fmt: skip
    assert rights.rules("shop") == [named[0].rule, other[0].rule]
    assert rights.rules("") == [named[0].rule]


words = st.sampled_from(["get", "list", "*", "", "services", "services/status", "*/status", "web", "apps"])
lists = st.lists(words, max_size=3)
rules = st.builds(
    PolicyRule, verbs=lists, api_groups=lists, resources=lists, resource_names=st.one_of(st.none(), lists)
)
path_rules = st.builds(PolicyRule, verbs=lists, non_resource_urls=st.lists(st.sampled_from(["/a", "/a/*", "*"])))
requests = st.builds(
    ResourceRequest,
    verb=words, group=words, resource=st.sampled_from(["services", "web", ""]),
    subresource=st.sampled_from(["", "status"]), namespace=st.sampled_from(["", "shop"]), name=words,
)  # fmt: skip


def allowed_naively(rule_, asked):
    """The rule as the documentation of Kubernetes tells it, without sets or memory."""
    verb = any(each in ("*", asked.verb) for each in rule_.verbs)
    group = any(each in ("*", asked.group) for each in rule_.api_groups or [])
    of_all = f"*/{asked.subresource}" if asked.subresource else "*"
    resource = any(each in ("*", asked.path, of_all) for each in rule_.resources or [])
    name = not rule_.resource_names or asked.name in rule_.resource_names
    return verb and group and resource and name


@given(everywhere=st.lists(rules, max_size=3), bound=st.lists(rules, max_size=3), asked=st.lists(requests, max_size=8))
def test_answers_are_those_of_the_rules_however_often_they_are_asked(everywhere, bound, asked):
    rights = Rights(compiled(everywhere), {"shop": compiled(bound)})
    for each in asked + asked:
        applying = everywhere + (bound if each.namespace == "shop" else [])
        assert rights.allows(each) is any(allowed_naively(one, each) for one in applying)


@given(held=st.lists(st.one_of(rules, path_rules), max_size=3), wanted=st.lists(rules, max_size=2), asked=requests)
def test_who_holds_what_a_role_gives_can_do_all_that_it_gives(held, wanted, asked):
    if missing(compiled(held), wanted):
        return
    if Rights(compiled(wanted)).allows(asked):
        assert Rights(compiled(held)).allows(asked)


@given(st.lists(st.one_of(rules, path_rules), max_size=4))
def test_everybody_holds_what_they_hold_and_masters_hold_all(wanted):
    assert missing(compiled(wanted), wanted) == []
    assert missing(compiled(EVERYTHING), wanted) == []


@pytest.mark.parametrize(
    ("held", "wanted", "lacking"),
    [
        ([rule("get list", "", "services")], rule("get", "", "services"), []),
        ([rule("get", "", "services"), rule("list", "", "services")], rule("get list", "", "services"), []),
        ([rule("get", "", "services")], rule("get list watch", "", "services"), ["list watch - services"]),
        ([rule("get", "", "services", "a")], rule("get", "", "services"), ["get - services"]),
        ([rule("get", "", "services", "a b")], rule("get", "", "services", "a"), []),
        ([rule("get", "", "services")], rule("get", "", "services", "a"), []),
        ([rule("get", "", "*/status")], rule("get", "", "services/status"), []),
        ([rule("get", "", "services/*")], rule("get", "", "services/status"), ["get - services/status"]),
        ([rule("get", "", "services")], rule("get", "*", "services"), ["get * services"]),
        ([rule("*", "", "*")], rule("*", "", "*"), []),
        ([rule("get", "", "services")], rule("*", "", "services"), ["* - services"]),
        ([], rule("get", "", "services secrets"), ["get - services", "get - secrets"]),
        ([], PolicyRule(verbs=["get"]), []),
    ],
)
def test_what_is_missing(held, wanted, lacking):
    found = missing(compiled(held), [wanted])
    assert [f"{' '.join(each.verbs)} {each.api_groups[0] or '-'} {each.resources[0]}" for each in found] == lacking


def test_missing_paths():
    held = compiled([paths("get", "/a/*")])
    assert missing(held, [paths("get", "/a/b /a/*")]) == []
    assert missing(held, [paths("get post", "/a/b")]) == [paths("post", "/a/b")]
    assert missing(held, [paths("get", "*")]) == [paths("get", "*")]


def test_a_role_too_large_to_be_compared_counts_as_missing():
    names = " ".join(f"n{number}" for number in range(MAX_RIGHTS))
    huge = rule("get list", "", "services", names)
    assert missing(compiled([rule("get", "", "services"), rule("list", "", "services")]), [huge]) == [huge]
    assert missing(compiled([rule("get list", "", "services")]), [huge]) == []


def test_the_words_of_refusals():
    cases = {
        GET: 'services "web" is forbidden: User "al" cannot get resource "services" in API group "" '
        'in the namespace "shop"',
        ResourceRequest("list", "", "nodes"): 'nodes is forbidden: User "al" cannot list resource "nodes" in API '
        'group "" at the cluster scope',
        ResourceRequest("update", "apps", "planes", "wings", "shop", "x"): 'planes.apps "x" is forbidden: User "al" '
        'cannot update resource "planes/wings" in API group "apps" in the namespace "shop"',
        PathRequest("get", "/metrics"): 'forbidden: User "al" cannot get path "/metrics"',
        PathRequest("get", '/<b>"\n'): 'forbidden: User "al" cannot get path "/&lt;b&gt;\\"\\u000a"',
    }
    for asked, text in cases.items():
        error = refused("al", asked)
        assert isinstance(error, Forbidden)
        assert error.message == text
    details = refused("al", ResourceRequest("update", "apps", "planes", "wings", "shop", "x"))
    assert (details.group, details.kind, details.name) == ("apps", "planes", "x")


def test_the_words_of_an_escalation():
    text = refusal_text(User("al", groups=("dev", "ops")), missing((), [rule("get list", "", "b a", "x")]))
    assert text.splitlines() == [
        'user "al" (groups=["dev" "ops"]) is attempting to grant RBAC permissions not currently held:',
        '{APIGroups:[""], Resources:["a"], ResourceNames:["x"], Verbs:["get" "list"]}',
        '{APIGroups:[""], Resources:["b"], ResourceNames:["x"], Verbs:["get" "list"]}',
    ]
