from copy import deepcopy

import pytest

from app.domain.declarations.event import EVENT
from app.domain.declarations.events_event import EVENTS_EVENT
from app.domain.documents.decoding import to_document
from tests.unit.rule_runner import NOW, cells, create, created, parse, update

AT = "2026-01-01T11:59:00.000000Z"
ABOUT = {"kind": "Service", "namespace": "shop", "name": "web"}
OLDER = {"involvedObject": ABOUT, "reason": "Why", "message": "what", "type": "Normal"}
NEWER = {
    "regarding": ABOUT,
    "reason": "Why",
    "note": "what",
    "type": "Normal",
    "eventTime": AT,
    "action": "Do",
    "reportingController": "example.com/c",
    "reportingInstance": "c-1",
}


def changed(base, **fields):
    document = deepcopy(base)
    for name, value in fields.items():
        document[name] = value
        if value is None:
            del document[name]
    return document


FULL = changed(OLDER, eventTime=AT, action="Do", reportingComponent="example.com/c", reportingInstance="c-1", source={})
NAMESPACED = ("involvedObject.namespace", "Invalid")


@pytest.mark.parametrize(
    ("given", "causes"),
    [
        (OLDER, set()),
        ({}, {NAMESPACED}),
        ({"metadata": {"namespace": "default"}}, set()),
        (changed(OLDER, involvedObject={"namespace": "other"}), {NAMESPACED}),
        (changed(OLDER, metadata={"name": "Any_Thing"}), set()),
        (FULL, set()),
        (changed(FULL, involvedObject={"kind": "Node", "name": "n"}), {NAMESPACED}),
        (changed(FULL, involvedObject={"kind": "Node"}, metadata={"namespace": "kube-system"}), set()),
        (changed(FULL, involvedObject={"namespace": "other"}), set()),
        (
            changed(FULL, reportingComponent=None),
            {("reportingComponent", "Required"), ("reportingComponent", "Invalid")},
        ),
        (changed(FULL, reportingComponent="a b"), {("reportingComponent", "Invalid")}),
        (changed(FULL, reportingInstance=None), {("reportingInstance", "Required")}),
        (changed(FULL, reportingInstance="x" * 129), {("reportingInstance", "Invalid")}),
        (changed(FULL, action=None), {("action", "Required")}),
        (changed(FULL, action="x" * 128), set()),
        (changed(FULL, reason=None), {("reason", "Required")}),
        (changed(FULL, reason="x" * 129), {("reason", "Invalid")}),
        (changed(FULL, message="x" * 1025), {("message", "Invalid")}),
        (changed(OLDER, message="x" * 1025), set()),
    ],
)
def test_core_events(given, causes):
    assert create(EVENT, given)[1] == causes


@pytest.mark.parametrize(
    ("given", "causes"),
    [
        (NEWER, set()),
        (changed(NEWER, eventTime=None), {("eventTime", "Required")}),
        (changed(NEWER, type="Odd"), {("type", "Invalid")}),
        (
            changed(NEWER, reportingController=""),
            {("reportingController", "Required"), ("reportingController", "Invalid")},
        ),
        (changed(NEWER, series={"count": 2, "lastObservedTime": AT}), set()),
        (
            changed(NEWER, series={"count": 1}),
            {("series.count", "Invalid"), ("series.lastObservedTime", "Required")},
        ),
        (
            changed(
                NEWER,
                deprecatedFirstTimestamp=NOW,
                deprecatedLastTimestamp=NOW,
                deprecatedCount=1,
                deprecatedSource={"host": "h"},
            ),
            {("firstTimestamp", "Invalid"), ("lastTimestamp", "Invalid"), ("count", "Invalid"), ("source", "Invalid")},
        ),
    ],
)
def test_newer_events(given, causes):
    assert create(EVENTS_EVENT, given)[1] == causes


@pytest.mark.parametrize(
    ("fields", "causes"),
    [
        ({}, set()),
        ({"series": {"count": 2, "lastObservedTime": AT}}, set()),
        ({"series": {"count": 1, "lastObservedTime": AT}}, {("series.count", "Invalid")}),
        ({"metadata": {"labels": {"a": "b"}}}, set()),
        ({"note": "else"}, {("message", "Invalid")}),
        ({"regarding": {**ABOUT, "name": "else"}}, {("involvedObject", "Invalid")}),
        ({"reason": "Else"}, {("reason", "Invalid")}),
        ({"type": "Warning"}, {("type", "Invalid")}),
        ({"action": "Else"}, {("action", "Invalid")}),
        ({"related": ABOUT}, {("related", "Invalid")}),
        ({"eventTime": NOW}, {("eventTime", "Invalid")}),
        ({"reportingController": "x.y/z"}, {("reportingController", "Invalid")}),
        ({"reportingInstance": "c-2"}, {("reportingInstance", "Invalid")}),
        ({"deprecatedCount": 3}, {("count", "Invalid")}),
        ({"deprecatedSource": {"host": "h"}}, {("source", "Invalid")}),
        ({"deprecatedFirstTimestamp": NOW}, {("firstTimestamp", "Invalid")}),
        ({"deprecatedLastTimestamp": NOW}, {("lastTimestamp", "Invalid")}),
    ],
)
def test_what_may_change_in_a_newer_event(fields, causes):
    old = created(EVENTS_EVENT, NEWER)
    assert update(EVENTS_EVENT, old, changed(NEWER, **fields))[1] == causes


def test_a_core_event_may_change():
    assert update(EVENT, created(EVENT, OLDER), changed(OLDER, message="else", count=7))[1] == set()


@pytest.mark.parametrize(
    "given",
    [
        NEWER,
        changed(
            NEWER,
            metadata={"labels": {"a": "b"}, "annotations": {"c": "d"}},
            series={"count": 2, "lastObservedTime": AT},
            related={"kind": "Pod"},
            deprecatedFirstTimestamp=NOW,
            deprecatedLastTimestamp=NOW,
            deprecatedCount=3,
            deprecatedSource={"component": "c", "host": "h"},
        ),
    ],
)
def test_both_shapes_say_the_same(given):
    view = EVENTS_EVENT.view
    event = parse(EVENTS_EVENT, given)
    stored = view.write(event)
    assert (stored.api_version, stored.kind) == ("v1", "Event")
    assert to_document(view.read(stored)) == to_document(event)
    assert stored.message == "what"
    assert stored.involved_object.name == "web"
    assert stored.reporting_component == "example.com/c"
    assert view.stored == EVENT.key


def test_the_wire_shows_what_is_never_left_out():
    document = to_document(parse(EVENT, {}))
    assert {name: document[name] for name in ("firstTimestamp", "lastTimestamp", "eventTime")} == {
        "firstTimestamp": None,
        "lastTimestamp": None,
        "eventTime": None,
    }
    assert (document["source"], document["reportingComponent"], document["reportingInstance"]) == ({}, "", "")


HOUR_AGO, MINUTE_AGO = "2026-01-01T11:00:00Z", "2026-01-01T11:59:00Z"


@pytest.mark.parametrize(
    ("given", "last", "first", "count"),
    [
        ({}, "<unknown>", "<unknown>", 1),
        ({"firstTimestamp": HOUR_AGO, "lastTimestamp": MINUTE_AGO, "count": 4}, "60s", "60m", 4),
        ({"firstTimestamp": HOUR_AGO}, "60m", "60m", 1),
        ({"eventTime": AT}, "60s", "60s", 1),
        ({"firstTimestamp": HOUR_AGO, "series": {"count": 9, "lastObservedTime": AT}}, "60s", "60m", 9),
    ],
)
def test_when_cells(given, last, first, count):
    made = cells(EVENT, given)
    assert (made["Last Seen"], made["First Seen"], made["Count"]) == (last, first, count)


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ({"source": {"component": "c"}}, "c"),
        ({"source": {"component": "c", "host": "h"}}, "c, h"),
        ({"reportingComponent": "r", "reportingInstance": "i"}, "r, i"),
        ({"reportingComponent": "r", "source": {"component": "c"}}, "c"),
    ],
)
def test_source_cells(given, source):
    made = parse(EVENT, given)
    assert cells(EVENT, given)["Source"] == source
    assert EVENT.selectable["source"](made) == source.split(",")[0]


def test_other_cells():
    made = cells(EVENT, changed(OLDER, message=" what \n", involvedObject={**ABOUT, "fieldPath": "spec.ports"}))
    assert (made["Object"], made["Subobject"], made["Message"]) == ("service/web", "spec.ports", "what")
    assert cells(EVENT, {"involvedObject": {"kind": "Node"}})["Object"] == "node"
    assert cells(EVENTS_EVENT, NEWER) == cells(EVENT, FULL)
    assert [column.name for column in EVENT.columns if not column.priority] == [
        "Last Seen", "Type", "Reason", "Object", "Message",
    ]  # fmt: skip


def test_the_same_fields_are_selectable_under_both_names():
    newer, older = parse(EVENTS_EVENT, NEWER), parse(EVENT, FULL)
    names = {"regarding.": "involvedObject.", "reportingController": "reportingComponent"}
    for name, read in EVENTS_EVENT.selectable.items():
        counterpart = name
        for here, there in names.items():
            counterpart = counterpart.replace(here, there)
        assert read(newer) == EVENT.selectable[counterpart](older)
