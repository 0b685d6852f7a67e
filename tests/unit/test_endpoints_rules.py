import pytest

from app.domain.declarations.endpoints import ENDPOINTS
from tests.unit.rule_runner import CLUSTER, cells, create, created, parse, update

A0 = "subsets[0].addresses[0]"


def document(*subsets):
    return {"subsets": list(subsets)}


def subset(*ips, ports=({"port": 80},), **more):
    return {"addresses": [{"ip": each} for each in ips], "ports": [dict(each) for each in ports], **more}


@pytest.mark.parametrize(
    ("given", "causes"),
    [
        (document(), set()),
        (document(subset("10.0.0.1")), set()),
        (document(subset("10.0.0.1", ports=())), set()),
        (document({"notReadyAddresses": [{"ip": "10.0.0.1"}]}), set()),
        (document({}), {("subsets[0]", "Required")}),
        (document(subset("bad")), {(f"{A0}.ip", "Invalid")}),
        (document(subset("010.0.0.1")), {(f"{A0}.ip", "Invalid")}),
        (document(subset("127.0.0.1")), {(f"{A0}.ip", "Invalid")}),
        (document(subset("169.254.0.1")), {(f"{A0}.ip", "Invalid")}),
        (document(subset("224.0.0.1")), {(f"{A0}.ip", "Invalid")}),
        (document(subset("::")), {(f"{A0}.ip", "Invalid")}),
        (
            document({"notReadyAddresses": [{"ip": "::1"}]}),
            {("subsets[0].notReadyAddresses[0].ip", "Invalid")},
        ),
        (document({"addresses": [{"ip": "10.0.0.1", "hostname": "H_"}]}), {(f"{A0}.hostname", "Invalid")}),
        (document({"addresses": [{"ip": "10.0.0.1", "nodeName": "N"}]}), {(f"{A0}.nodeName", "Invalid")}),
        (
            document(subset("10.0.0.1", ports=[{"port": 80}, {"name": "b", "port": 81}])),
            {("subsets[0].ports[0].name", "Required")},
        ),
        (document(subset("10.0.0.1", ports=[{"name": "B", "port": 1}])), {("subsets[0].ports[0].name", "Invalid")}),
        (document(subset("10.0.0.1", ports=[{"port": 0}])), {("subsets[0].ports[0].port", "Invalid")}),
        (document(subset("10.0.0.1", ports=[{"port": 65536}])), {("subsets[0].ports[0].port", "Invalid")}),
        (
            document(subset("10.0.0.1", ports=[{"port": 1, "protocol": "X"}])),
            {("subsets[0].ports[0].protocol", "NotSupported")},
        ),
        (
            document(subset("10.0.0.1", ports=[{"port": 1, "appProtocol": "a b"}])),
            {("subsets[0].ports[0].appProtocol", "Invalid")},
        ),
    ],
)
def test_what_is_refused(given, causes):
    assert create(ENDPOINTS, given)[1] == causes


def test_subsets_are_kept_in_canonical_form():
    made = created(
        ENDPOINTS, document(subset("10.0.0.2"), subset("10.0.0.1"), subset("10.0.0.2", ports=[{"port": 81}]))
    )
    assert [([a.ip for a in each.addresses], [p.port for p in each.ports]) for each in made.subsets] == [
        (["10.0.0.1", "10.0.0.2"], [80]),
        (["10.0.0.2"], [81]),
    ]
    assert made.subsets[0].ports[0].protocol == "TCP"
    again, causes = update(
        ENDPOINTS, made, document(subset("10.0.0.2", "10.0.0.1"), subset("10.0.0.2", ports=[{"port": 81}]))
    )
    assert causes == set()
    assert again.subsets == made.subsets


def test_what_is_refused_is_named_as_it_was_written():
    assert create(ENDPOINTS, document(subset("10.0.0.9"), subset("10.0.0.1"), subset("bad")))[1] == {
        ("subsets[2].addresses[0].ip", "Invalid")
    }


def test_odd_spellings_are_warned_of():
    assert (
        len(ENDPOINTS.strategy.warnings(parse(ENDPOINTS, document(subset("FD00::1", "10.0.0.1"))), None, CLUSTER)) == 1
    )


@pytest.mark.parametrize(
    ("given", "cell"),
    [
        (document(), "<none>"),
        (document({"notReadyAddresses": [{"ip": "10.0.0.1"}]}), ""),
        (document(subset("10.0.0.1", "fd00::1", ports=())), "10.0.0.1,fd00::1"),
        (
            document(subset("10.0.0.1", "fd00::1", ports=[{"port": 80}, {"port": 81}])),
            "10.0.0.1:80,[fd00::1]:80,10.0.0.1:81 + 1 more...",
        ),
    ],
)
def test_columns(given, cell):
    assert cells(ENDPOINTS, given)["Endpoints"] == cell


def test_every_request_says_that_the_kind_is_deprecated():
    assert "EndpointSlice" in ENDPOINTS.deprecation
    assert ENDPOINTS.create_on_update
