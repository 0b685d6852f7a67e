"""How far data planes are with a Service, and its condition `Programmed`."""

import msgspec
import pytest

from app.domain.declarations.data_plane import DATA_PLANE
from app.domain.kinds.data_plane import DataPlane, DataPlaneRejection, DataPlaneStatus
from app.domain.kinds.service import Service
from app.domain.rules.data_plane import MOST_REJECTIONS, MOST_WORDS, described_plane, shown_rejections
from app.domain.rules.service.data_plane_limits import limits
from app.domain.wanted.programming import plane_states, programmed
from app.serving.xds.rejections import Rejection, culprits, explained

EXTERNAL = [("external", "external")]
PREFIX = "service.beta.kubernetes.io/"


def service(annotations=None, **spec):
    document = {"metadata": {"name": "web", "namespace": "shop", "annotations": annotations}, "spec": spec}
    return msgspec.convert(document, type=Service)


def plane(name="edge", revision=10, connected="True", current="Current", said="", rejected=(), **spec):
    spec = {"scopes": ["external", "internal"], **spec}
    conditions = [
        {"type": "Connected", "status": connected, "lastTransitionTime": None, "reason": "", "message": ""},
        {"type": "Current", "status": "False", "lastTransitionTime": None, "reason": current, "message": said},
    ]
    entries = [{"namespace": "shop", "name": found, "message": words} for found, words in rejected]
    status = {"revision": revision, "conditions": conditions, "rejected": entries}
    return described_plane(
        msgspec.convert({"metadata": {"name": name}, "spec": spec, "status": status}, type=DataPlane)
    )


@pytest.mark.parametrize(
    ("planes", "late", "expected"),
    [
        ([], False, ("Unknown", "NoDataPlane")),
        ([plane(scopes=["internal"])], False, ("Unknown", "NoDataPlane")),
        ([plane(pools=["other"])], False, ("Unknown", "NoDataPlane")),
        ([plane()], False, ("True", "Programmed")),
        ([plane(pools=["external"])], False, ("True", "Programmed")),
        ([plane(revision=6)], False, None),
        ([plane(revision=6)], True, ("False", "NotServed")),
        ([plane(), plane("other", revision=6)], False, None),
        ([plane(), plane("other", revision=6, scopes=["internal"])], False, ("True", "Programmed")),
        ([plane(), plane("other", revision=6, connected="False")], False, ("True", "Programmed")),
        ([plane(connected="False")], False, None),
        ([plane(connected="False")], True, None),
        ([plane(rejected=[("web", "no")])], False, ("False", "Rejected")),
        ([plane(rejected=[("else", "no")])], False, ("True", "Programmed")),
        ([plane(revision=6), plane("other", rejected=[("web", "no")])], False, ("False", "Rejected")),
    ],
)
def test_the_condition(planes, late, expected):
    found = programmed(service(), EXTERNAL, 7, planes, late=late)
    assert expected == (None if found is None else (found.status, found.reason))


def test_nothing_is_said_before_there_is_an_address():
    assert programmed(service(), [], 7, [plane()], late=True) is None


def test_what_is_left_out_of_a_long_list_counts_as_neither_served_nor_rejected():
    found = [
        DataPlaneRejection(namespace="shop", name=f"s-{n:05}", message="no room") for n in range(MOST_REJECTIONS + 1)
    ]
    shown = shown_rejections(found[::-1])
    status = DataPlaneStatus(revision=10, rejected=shown, rejected_count=len(found))
    edge = described_plane(DataPlane(status=status))
    services = {n: edge.state(("shop", f"s-{n:05}"), 10) for n in (0, MOST_WORDS, MOST_REJECTIONS)}
    assert services[0] == ("Rejected", "no room")
    assert services[MOST_WORDS][0] == "Rejected"
    assert services[MOST_WORDS][1].startswith("not served; ")
    assert services[MOST_REJECTIONS] == ("Pending", "")
    assert edge.state(("office", "web"), 10) == ("Served", "")
    assert len(msgspec.json.encode(shown)) < 2 * 2**20


def test_a_rejection_is_told_in_the_words_of_the_data_plane():
    found = programmed(service(), EXTERNAL, 7, [plane(rejected=[("web", "no"), ("web", "never")])], late=False)
    assert found.message == "edge: no; never"


@pytest.mark.parametrize("reason", ["Warming", "NotWritten", "NotReloaded"])
def test_why_a_plane_does_not_take_it_over_is_told(reason):
    found = programmed(service(), EXTERNAL, 7, [plane(revision=1, current=reason, said="no room")], late=True)
    assert (found.reason, found.message) == ("NotServed", "not taken over yet by edge (no room)")


def test_a_plane_that_has_not_answered_yet_has_no_trouble():
    found = programmed(service(), EXTERNAL, 7, [plane(revision=1, current="Pending", said="not yet")], late=True)
    assert found.message == "not taken over yet by edge"


def test_the_state_of_each_plane():
    planes = [plane("a"), plane("b", revision=3), plane("c", rejected=[("web", "no")]), plane("d", scopes=[])]
    states = plane_states(service(), EXTERNAL, 7, planes)
    assert [(each.name, each.state, each.message) for each in states] == [
        ("a", "Served", ""),
        ("b", "Pending", ""),
        ("c", "Rejected", "no"),
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (service(ports=[{"port": 80, "protocol": "TCP"}]), []),
        (service(ports=[{"port": 80, "protocol": "SCTP"}]), ["SCTP"]),
        (service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 10800}}), []),
        (service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 60}}), ["timeout"]),
        (service({PREFIX + "azure-load-balancer-disable-tcp-reset": "false"}), ["FIN"]),
        (service({PREFIX + "azure-load-balancer-disable-tcp-reset": "true"}), []),
        (service({"fairlead.io/proxy-protocol": "v1"}, ports=[{"port": 80, "protocol": "TCP"}]), []),
        (service({"fairlead.io/proxy-protocol": "v1"}, ports=[{"port": 80, "protocol": "UDP"}]), ["without it"]),
        (
            service(
                {
                    PREFIX + "azure-load-balancer-internal": "true",
                    PREFIX + "azure-load-balancer-enable-high-availability-ports": "true",
                }
            ),
            ["high-availability-ports"],
        ),
    ],
)
def test_what_a_data_plane_cannot_do(asked, said):
    found = list(limits(asked))
    assert len(found) == len(said)
    assert all(word in text for word, text in zip(said, found, strict=True))


NAMES = ("TCP/10.0.0.1/80", "TCP/10.0.0.1/8080", "shop/web/TCP/80")


@pytest.mark.parametrize(
    ("message", "names", "blamed"),
    [
        ("malformed", NAMES[:1], {NAMES[0]: "malformed"}),
        ("malformed", NAMES, {}),
        (f"Error adding/updating listener(s) {NAMES[0]}: cannot bind\n", NAMES, {NAMES[0]: "cannot bind"}),
        (f"Error adding/updating listener(s) {NAMES[1]}: cannot bind\n", NAMES, {NAMES[1]: "cannot bind"}),
        (
            f"Error adding/updating listener(s) {NAMES[1]}: cannot bind\n{NAMES[0]}: no, sorry\n",
            NAMES,
            {NAMES[1]: "cannot bind", NAMES[0]: "no, sorry"},
        ),
        (
            f"Error adding/updating cluster(s) {NAMES[2]}: bad policy, {NAMES[0]}: other",
            NAMES,
            {NAMES[2]: "bad policy", NAMES[0]: "other"},
        ),
        ("Error adding/updating cluster(s) unknown: bad", NAMES, {}),
        (f"Proto constraint validation failed ({NAMES[0]}: ...)", NAMES, {}),
    ],
)
def test_who_is_to_blame(message, names, blamed):
    assert culprits(message, names) == blamed


def test_retries_are_spaced_and_begin_anew_with_another_version():
    first = Rejection.after(None, "v1", "no", 100.0)
    later = first
    for _ in range(20):
        later = Rejection.after(later, "v1", "no", 100.0)
    assert (first.retry_at, later.retry_at) == (101.0, 160.0)
    assert Rejection.after(later, "v2", "no", 100.0).retry_at == 101.0


def test_a_missing_right_is_told_with_what_helps():
    told = explained("cannot bind '127.64.0.1:80': Permission denied")
    assert "sysctl net.ipv4.ip_unprivileged_port_start=80" in told


def test_the_columns_of_a_data_plane():
    shown = msgspec.convert({"metadata": {"name": "edge"}, "spec": {"type": "Envoy"}}, type=DataPlane)
    cells = {column.name: column.cell(shown, "2026-01-01T00:00:00Z") for column in DATA_PLANE.columns}
    assert (cells["Type"], cells["Node"], cells["Connected"], cells["Rejected"]) == ("Envoy", "<none>", "Unknown", 0)
