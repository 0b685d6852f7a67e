"""The pure parts of the edge, given anything."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.exchange import Exchange
from app.api.headers import warning_headers
from app.api.limits import BodyBudget
from app.api.negotiation import PLAIN, Form, negotiate
from app.api.parameters import flag, whole_number
from app.api.paths import ResourcePaths
from app.domain.declarations.catalog import Kinds
from app.domain.errors import BadRequest, NotAcceptable, NotFound

PATHS = ResourcePaths(Kinds())
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def exchange(query=b"", path="/", headers=()):
    scope = {"method": "GET", "path": path, "query_string": query, "headers": list(headers)}
    return Exchange(scope, None, None, 1000, BodyBudget(1000))


@pytest.mark.parametrize(
    ("path", "plural", "namespace", "name", "subresource", "watch"),
    [
        ("/api/v1/services", "services", None, "", "", False),
        ("/api/v1/namespaces", "namespaces", "", "", "", False),
        ("/api/v1/namespaces/a", "namespaces", "", "a", "", False),
        ("/api/v1/namespaces/a/status", "namespaces", "", "a", "status", False),
        ("/api/v1/namespaces/a/finalize", "namespaces", "", "a", "finalize", False),
        ("/api/v1/namespaces/a/services", "services", "a", "", "", False),
        ("/api/v1/namespaces/a/services/b", "services", "a", "b", "", False),
        ("/api/v1/namespaces/a/services/b/status", "services", "a", "b", "status", False),
        ("/api/v1/namespaces/status/services", "services", "status", "", "", False),
        ("/apis/discovery.k8s.io/v1/endpointslices", "endpointslices", None, "", "", False),
        ("/apis/discovery.k8s.io/v1/namespaces/a/endpointslices/b", "endpointslices", "a", "b", "", False),
        ("/api/v1/watch/services", "services", None, "", "", True),
        ("/api/v1/watch/namespaces/a/services/b", "services", "a", "b", "", True),
        ("/api/v1/watch/namespaces/a", "namespaces", "", "a", "", True),
    ],
)
def test_paths_name_what_kubernetes_names_by_them(path, plural, namespace, name, subresource, watch):
    target, streams = PATHS.resolve(path)
    assert (target.kind.plural, target.namespace, target.name) == (plural, namespace, name)
    assert (target.subresource, streams) == (subresource, watch)


SEGMENTS = st.sampled_from(
    ["api", "apis", "v1", "namespaces", "services", "status", "watch", "a", "", "discovery.k8s.io"]
)


@given(st.lists(SEGMENTS | st.text(max_size=5), max_size=9))
def test_any_path_is_read_or_not_found(segments):
    for root in ("/api/", "/apis/"):
        try:
            target, _ = PATHS.resolve(root + "/".join(segments))
        except NotFound:
            continue
        assert target.kind.plural in segments


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", PLAIN),
        ("*/*", PLAIN),
        ("application/json", PLAIN),
        ("application/json; charset=utf-8", PLAIN),
        ("text/html,application/xhtml+xml,*/*;q=0.8", PLAIN),
        ("application/vnd.kubernetes.protobuf, */*", PLAIN),
        ("application/vnd.kubernetes.protobuf,application/json", PLAIN),
        ("application/json;stream=watch", PLAIN),
        ("application/yaml", Form("yaml")),
        ("application/json;q=0.5,application/yaml", Form("yaml")),
        (TABLE, Form("json", "table", "v1")),
        (f"{TABLE.replace('v=v1', 'v=v1beta1')},application/json", Form("json", "table", "v1beta1")),
        (f"{TABLE.replace('v=v1', 'v=v9')},application/json", PLAIN),
        (f"{TABLE.replace('Table', 'Chair')},application/json", PLAIN),
        (TABLE.replace("Table", "PartialObjectMetadataList"), Form("json", "partial", "v1")),
    ],
)
def test_the_best_form_is_chosen(accept, form):
    assert negotiate(accept.encode()) == form


@given(st.binary(max_size=60) | st.text(string.ascii_letters + "/;=,*q. 0.1", max_size=60).map(str.encode))
def test_any_accept_header_is_met_or_not_acceptable(accept):
    try:
        assert isinstance(negotiate(accept), Form)
    except NotAcceptable:
        return


@given(st.binary(max_size=60))
def test_any_query_is_read_or_a_bad_request(raw):
    try:
        assert isinstance(exchange(raw).query, dict)
    except BadRequest:
        return


def test_of_a_repeated_parameter_the_first_counts():
    assert exchange(b"limit=1&limit=2&watch").query == {"limit": "1", "watch": ""}


@pytest.mark.parametrize(("value", "meant"), [("", True), ("1", True), ("true", True), ("0", False), ("False", False)])
def test_flags_are_read_as_kubernetes_reads_them(value, meant):
    assert flag({"watch": value}, "watch") is meant
    assert flag({}, "watch") is False


@given(st.text(max_size=30))
def test_any_number_is_read_or_a_bad_request(text):
    try:
        assert whole_number({"limit": text}, "limit") == int(text or "0")
    except BadRequest:
        return


@given(st.lists(st.text(max_size=200), max_size=60))
def test_warnings_are_valid_header_values(texts):
    headers = warning_headers(texts)
    for name, value in headers:
        assert name == b"warning"
        assert re.fullmatch(r'299 - "(?:[^"\\\x00-\x1f\x7f]|\\["\\])*"', value.decode())
    assert sum(len(value) for _, value in headers) <= 4096


def test_the_same_is_warned_of_once():
    assert len(warning_headers(["a", "b", "a"])) == 2
