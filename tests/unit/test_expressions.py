"""Expressions: what Kubernetes' libraries can do, what is refused, and that nothing runs on and on."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.expressions.authorization import Deciding, authorizer_of
from app.domain.expressions.cel import ExpressionError, compiled
from app.domain.rules.access.requests import PathRequest, ResourceRequest
from app.domain.user import User

SERVICE = {
    "metadata": {"name": "web-1", "labels": {"team": "a"}},
    "spec": {"type": "ClusterIP", "ports": [{"port": 80, "protocol": "TCP"}]},
}


def value(text, result="any", **variables):
    variables = {"object": SERVICE, **variables}
    return compiled(text, variables, result).evaluate(variables)


@pytest.mark.parametrize(
    "text",
    [
        "has(object.metadata.labels) && 'team' in object.metadata.labels",
        "object.spec.?selector.orValue({}).size() == 0",
        "object.metadata.labels[?'none'].orValue('x') == 'x'",
        "object.spec.ports.all(p, p.port < 100 && p.protocol == 'TCP')",
        "[1, 2, 3].isSorted() && !['b', 'a'].isSorted()",
        "[1, 2].sum() == 3 && [1, 2].max() == 2 && [3, 2].min() == 2",
        "object.metadata.name.find('[0-9]+') == '1'",
        "'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'a1b22'.findAll('[0-9]+', 1) == ['1']",
        "quantity('1k').isGreaterThan(quantity('999')) && quantity('1Ki') == quantity('1024')",
        "quantity('1500m').sign() == 1 && !quantity('1500m').isInteger() && quantity('2k').asInteger() == 2000",
        "quantity('1').add(quantity('1')) == quantity('2') && quantity('3').sub(1).compareTo(quantity('2')) == 0",
        "isQuantity('1e3') && !isQuantity('one')",
        "ip('10.0.0.1').family() == 4 && ip('::1').isLoopback() && ip('10.0.0.1').isGlobalUnicast()",
        "isIP('::1') && !isIP('010.0.0.1') && !ip.isCanonical('::0:1')",
        "cidr('10.0.0.0/8').containsIP('10.1.2.3') && cidr('10.0.0.0/8').containsIP(ip('10.1.2.3'))",
        "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && cidr('10.1.2.3/8').masked() == cidr('10.0.0.0/8')",
        "cidr('10.1.2.3/8').ip() == ip('10.1.2.3') && cidr('10.0.0.0/8').prefixLength() == 8 && isCIDR('::/0')",
        "url('https://a.example:81/b').getHost() == 'a.example:81' && url('https://a.example:81/').getPort() == '81'",
        "url('https://a.example/b').getEscapedPath() == '/b' && url('https://a/?c=d').getQuery()['c'] == ['d']",
        "isURL('https://a.example/') && !isURL('a b')",
        "'A'.lowerAscii() == 'a' && 'a,b'.split(',').size() == 2",
        "'a,b,c'.split(',', 2) == ['a', 'b,c'] && 'ab'.split('') == ['a', 'b'] && 'a'.split(',', 0) == []",
        "'abc'.split('', 2) == ['a', 'bc'] && ''.split('') == [''] && 'a,b'.split(',', -1) == ['a', 'b']",
        "'aba'.replace('a', 'c') == 'cbc' && 'aba'.replace('a', 'c', 1) == 'cba' && 'ab'.replace('', '-') == '-a-b-'",
        "['a', 'b'].join('-') == 'a-b' && ['a', 'b'].join() == 'ab' && 'abc'.matches('b') && matches('abc', '^a')",
    ],
)
def test_an_expression_is_true(text):
    assert value(text, "bool") is True


@pytest.mark.parametrize(
    ("text", "result", "said"),
    [
        ("1 +", "any", "compilation failed"),
        ("nobody.knows", "any", "undeclared reference to 'nobody"),
        ("object.unknownFunction()", "any", "undeclared reference to 'unknownFunction'"),
        ("1", "bool", "must evaluate to bool, not to int"),
        ("1", "string", "must evaluate to string, not to int"),
        ("true " + "|| true " * 1000, "bool", "characters"),
    ],
)
def test_an_expression_is_refused_when_it_is_written(text, result, said):
    with pytest.raises(ExpressionError, match=said):
        compiled(text, {"object"}, result)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("object.metadata.labels.nothing == 'a'", "no such key: nothing"),
        ("object.metadata.annotations.nothing == 'a'", "no such key: annotations"),
        ("object.spec.type", "must evaluate to bool, not to string"),
        ("quantity('one').sign() == 1", "quantities must match"),
        ("ip('one').family() == 4", "parse error"),
        ("quantity('1').family() == 4", "no such overload"),
        ("[1, 'a'].isSorted()", "no such overload"),
        ("[].min() == 1", "min called on empty list"),
        ("'a'.find('(') == ''", "no regular expression"),
    ],
)
def test_an_expression_fails(text, said):
    with pytest.raises(ExpressionError, match=said):
        value(text, "bool")


def test_nested_loops_are_bounded():
    loops = "object.l.all(a, object.l.all(b, object.l.all(c, a + b + c >= 0)))"
    with pytest.raises(ExpressionError, match="budget"):
        value(loops, "bool", object={"l": list(range(1000))})


@given(st.text(alphabet=st.sampled_from("aob.jectsp()[]{}'\",:?!=<>&|+-*/%0123456789 \n\\"), max_size=80))
@settings(max_examples=400, deadline=None)
def test_whatever_is_written_ends_in_a_value_or_an_error(text):
    with suppress(ExpressionError):
        value(text)


def test_an_expression_asks_what_its_user_may_do():
    asked = []

    def decide(user, request):
        asked.append((user.name, request))
        return user.name == "ann"

    text = (
        "authorizer.group('apps').resource('pods').subresource('log').namespace('n').name('x').check('get').allowed()"
    )
    here = ResourceRequest("create", "", "services", namespace="n", name="web")
    with Deciding(User("ann"), decide):
        assert value(text, "bool", authorizer=authorizer_of(here)) is True
        assert value("authorizer.path('/metrics').check('get').allowed()", "bool", authorizer=authorizer_of()) is True
        account = "authorizer.serviceAccount('n', 'a').group('').resource('pods').check('list').allowed()"
        assert value(account, "bool", authorizer=authorizer_of()) is False
        own = "authorizer.requestResource.check('update').allowed()"
        assert value(own, "bool", authorizer=authorizer_of(here)) is True
    assert asked == [
        ("ann", ResourceRequest("get", "apps", "pods", subresource="log", namespace="n", name="x")),
        ("ann", PathRequest("get", "/metrics")),
        ("system:serviceaccount:n:a", ResourceRequest("list", "", "pods")),
        ("ann", ResourceRequest("update", "", "services", namespace="n", name="web")),
    ]
