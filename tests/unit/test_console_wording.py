"""How the console writes times, cells and facts."""

from datetime import UTC, datetime

import pytest

from app.console.facts import facts
from app.console.overviews import serials_behind
from app.console.wording import cell, moment, prose, several

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-03-01T11:59:30Z", "2026-03-01 11:59:30 UTC <small>30 s ago"),
        ("2026-03-01T11:58:00.123456Z", "2026-03-01 11:58:00 UTC <small>1 min ago"),
        ("2026-03-01T10:00:00+01:00", "2026-03-01 09:00:00 UTC <small>3 h ago"),
        ("2026-02-26T12:00:00Z", "<small>3 d ago"),
        ("2026-03-01T12:00:00.5Z", "<small>now"),
        ("2026-03-01T13:00:00Z", "<small>later"),
    ],
)
def test_times_are_for_people(text, written):
    assert written in moment(text, NOW)


@pytest.mark.parametrize(("text", "written"), [(None, ""), ("", ""), ("<b>", "&lt;b&gt;")])
def test_what_is_no_time_is_written_as_it_is(text, written):
    assert moment(text, NOW) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("80/TCP,443/TCP", "80/TCP,<wbr>443/TCP"),
        ("<script>,", "&lt;script&gt;,<wbr>"),
        ("<none>", '<span class="soft">&lt;none&gt;</span>'),
        ("<pending>", '<span class="pending">pending</span>'),
    ],
)
def test_cells_break_after_commas_and_are_escaped(text, written):
    assert cell(text) == written


@pytest.mark.parametrize(
    ("kind", "plural", "name"),
    [
        ("ConfigMap", "configmaps", "ConfigMaps"),
        ("StaticAddress", "staticaddresses", "StaticAddresses"),
        ("ValidatingAdmissionPolicy", "validatingadmissionpolicies", "ValidatingAdmissionPolicies"),
        ("AddressHistory", "addresshistory", "AddressHistory"),
        ("Endpoints", "endpoints", "Endpoints"),
    ],
)
def test_kinds_have_a_plural(kind, plural, name):
    assert several(kind, plural) == name


def test_the_facts_of_a_service_are_what_people_ask_for():
    spec = {
        "type": "NodePort",
        "clusterIPs": ["10.96.0.7", "fd00::7"],
        "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080, "nodePort": 30080}],
        "selector": {"app": "web"},
    }
    told = facts({"kind": "Service", "metadata": {"name": "web", "labels": {"b": "2", "a": "1"}}, "spec": spec})
    assert told == [
        ("Type", "NodePort"),
        ("ClusterIP", "10.96.0.7, fd00::7"),
        ("Ports", "http 80/TCP to 8080, node port 30080"),
        ("Selector", "app=web"),
        ("Labels", "a=1, b=2"),
    ]


@pytest.mark.parametrize("kind", ["LoadBalancer", "Pod", "Node", "AddressPool", "DataPlane", "ConfigMap"])
def test_an_object_that_is_still_empty_has_few_facts(kind):
    assert len(facts({"kind": kind, "metadata": {"name": "new"}, "spec": {}})) < 5


@pytest.mark.parametrize(
    ("serial", "server", "behind"),
    [
        (120, {"serial": 100, "state": "Behind"}, 20),
        (120, {"serial": 100, "state": "Unreachable"}, 20),
        (3, {"serial": 2**32 - 2, "state": "Behind"}, 5),
        (120, {"serial": 125, "state": "Behind"}, 0),
        (120, {"serial": 100, "state": "Current"}, 0),
        (120, {"serial": 0, "state": "Refused"}, 0),
        (120, {"state": "Unreachable"}, 0),
    ],
)
def test_how_far_a_secondary_is_behind(serial, server, behind):
    assert serials_behind({"status": {"serial": serial}}, server) == behind


def test_names_between_backticks_are_code():
    assert prose("of `spec` & <b>") == "of <code>spec</code> &amp; &lt;b&gt;"
