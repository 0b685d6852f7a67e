import pytest

from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.rules.endpoint_slice import MAX_ADDRESSES, MAX_ENDPOINTS, MAX_HINTS, MAX_PORTS
from tests.unit.rule_runner import CLUSTER, cells, create, created, parse, update

ONE = {"addresses": ["10.1.2.3"]}


def document(*endpoints, kind="IPv4", ports=(), **metadata):
    return {
        "addressType": kind,
        "endpoints": list(endpoints),
        "ports": [dict(each) for each in ports],
        "metadata": metadata,
    }


E0 = "endpoints[0]"


@pytest.mark.parametrize(
    ("given", "causes"),
    [
        (document(), set()),
        (document(ONE), set()),
        (document(ONE, kind=""), {("addressType", "Required")}),
        (document(ONE, kind="IP"), {("addressType", "NotSupported")}),
        (document({}), {(f"{E0}.addresses", "Required")}),
        (document({"addresses": ["10.1.2.3"] * MAX_ADDRESSES}), set()),
        (document({"addresses": ["10.1.2.3"] * (MAX_ADDRESSES + 1)}), {(f"{E0}.addresses", "TooMany")}),
        (document(*[ONE] * (MAX_ENDPOINTS + 1)), {("endpoints", "TooMany")}),
        (document({"addresses": ["10.1.2.3", "bad"]}), {(f"{E0}.addresses[1]", "Invalid")}),
        (document({"addresses": ["010.1.2.3"]}), {(f"{E0}.addresses[0]", "Invalid")}),
        (document({"addresses": ["fd00::1"]}), {(f"{E0}.addresses", "Invalid")}),
        (document({"addresses": ["10.1.2.3"]}, kind="IPv6"), {(f"{E0}.addresses", "Invalid")}),
        (document({"addresses": ["::ffff:1.2.3.4"]}, kind="IPv6"), {(f"{E0}.addresses[0]", "Invalid")}),
        (document({"addresses": ["FD00:0::1"]}, kind="IPv6"), set()),
        *[
            (document({"addresses": [bad]}), {(f"{E0}.addresses[0]", "Invalid")})
            for bad in ("0.0.0.0", "127.0.0.1", "169.254.1.1", "224.0.0.5")  # noqa: S104 - an address to refuse
        ],
        *[
            (document({"addresses": [bad]}, kind="IPv6"), {(f"{E0}.addresses[0]", "Invalid")})
            for bad in ("::", "::1", "fe80::1", "ff02::1")
        ],
        (document({"addresses": ["host.example.com"]}, kind="FQDN"), set()),
        (document({"addresses": ["host.example.com."]}, kind="FQDN"), set()),
        (document({"addresses": ["host"]}, kind="FQDN"), {(f"{E0}.addresses[0]", "Invalid")}),
        (document({"addresses": ["a b.c"]}, kind="FQDN"), {(f"{E0}.addresses[0]", "Invalid")}),
        (document({"addresses": [""]}, kind="FQDN"), {(f"{E0}.addresses[0]", "Required")}),
        (document({**ONE, "hostname": "Bad_Host"}), {(f"{E0}.hostname", "Invalid")}),
        (document({**ONE, "hostname": ""}), {(f"{E0}.hostname", "Invalid")}),
        (document({**ONE, "nodeName": "n/1"}), {(f"{E0}.nodeName", "Invalid")}),
        (document({**ONE, "hints": {"forZones": [{"name": "a"}], "forNodes": [{"name": "n"}]}}), set()),
        (
            document({**ONE, "hints": {"forZones": [{"name": "a"}, {"name": "a"}, {"name": "-"}]}}),
            {(f"{E0}.hints.forZones[1].name", "Duplicate"), (f"{E0}.hints.forZones[2].name", "Invalid")},
        ),
        (
            document({**ONE, "hints": {"forNodes": [{"name": "N"}]}}),
            {(f"{E0}.hints.forNodes[0].name", "Invalid")},
        ),
        (
            document({**ONE, "hints": {"forZones": [{"name": f"z{i}"} for i in range(MAX_HINTS + 1)]}}),
            {(f"{E0}.hints.forZones", "TooMany")},
        ),
        (document(ports=[{"port": 80}]), set()),
        (document(ports=[{"name": "x", "port": 0}]), set()),
        (document(ports=[{"port": 80}, {"port": 81}]), {("ports[1].name", "Duplicate")}),
        (document(ports=[{"name": "a"}, {"name": "a"}]), {("ports[1].name", "Duplicate")}),
        (document(ports=[{"name": "Bad"}]), {("ports[0].name", "Invalid")}),
        (document(ports=[{"protocol": "ICMP"}]), {("ports[0].protocol", "NotSupported")}),
        (document(ports=[{"protocol": "SCTP"}]), set()),
        (document(ports=[{"appProtocol": "bad!"}]), {("ports[0].appProtocol", "Invalid")}),
        (document(ports=[{"appProtocol": "kubernetes.io/h2c"}]), set()),
        (document(ports=[{"name": "x"}] * (MAX_PORTS + 1)), {("ports", "TooMany")}),
    ],
)
def test_what_is_refused(given, causes):
    assert create(ENDPOINT_SLICE, given)[1] == causes


def test_defaults():
    given = document({**ONE, "deprecatedTopology": {"kubernetes.io/hostname": "n"}}, ports=[{"port": 80}])
    made = created(ENDPOINT_SLICE, given)
    assert (made.ports[0].name, made.ports[0].protocol) == ("", "TCP")
    assert made.endpoints[0].deprecated_topology is None
    assert made.metadata.generation == 1
    empty = created(ENDPOINT_SLICE, document())
    assert (empty.endpoints, empty.ports) == (None, None)


@pytest.mark.parametrize(
    ("given", "generation"),
    [
        (document(ONE, labels={"a": "b"}), 4),
        (document(ONE, labels={"a": "b"}, annotations={"c": "d"}), 4),
        (document(ONE, labels={"a": "c"}), 5),
        (document(ONE), 5),
        (document({"addresses": ["10.1.2.4"]}, labels={"a": "b"}), 5),
        (document(ONE, ports=[{"port": 1}], labels={"a": "b"}), 5),
    ],
)
def test_the_generation_counts_changes_of_content_and_labels(given, generation):
    old = created(ENDPOINT_SLICE, document(ONE, labels={"a": "b"}))
    old.metadata.generation = 4
    made, causes = update(ENDPOINT_SLICE, old, given)
    assert causes == set()
    assert made.metadata.generation == generation


def test_no_list_and_an_empty_one_are_the_same_content():
    old = created(ENDPOINT_SLICE, document())
    old.endpoints, old.ports = [], []
    made, _ = update(ENDPOINT_SLICE, old, document(annotations={"c": "d"}))
    assert made.metadata.generation == 1


def test_the_address_type_stays():
    old = created(ENDPOINT_SLICE, document(ONE))
    assert update(ENDPOINT_SLICE, old, document({"addresses": ["fd00::1"]}, kind="IPv6"))[1] == {
        ("addressType", "Invalid")
    }
    assert update(ENDPOINT_SLICE, old, document(kind=""))[1] == {
        ("addressType", "Required"),
        ("addressType", "Invalid"),
    }


@pytest.mark.parametrize(
    ("given", "old", "count"),
    [
        (document(ONE), None, 0),
        (document({"addresses": ["FD00::1"]}, kind="IPv6"), None, 1),
        (document({"addresses": ["a.b"]}, kind="FQDN"), None, 1),
        (document({"addresses": ["a.b"]}, kind="FQDN"), document({"addresses": ["a.b"]}, kind="FQDN"), 0),
        (
            document(
                {"addresses": ["FD00::1"]},
                kind="IPv6",
                labels={"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"},
            ),
            None,
            0,
        ),
    ],
)
def test_warnings(given, old, count):
    before = parse(ENDPOINT_SLICE, old) if old else None
    assert len(ENDPOINT_SLICE.strategy.warnings(parse(ENDPOINT_SLICE, given), before, CLUSTER)) == count


def test_columns():
    ends = [{"addresses": [f"10.0.0.{i}"]} for i in range(1, 6)]
    made = cells(ENDPOINT_SLICE, document(*ends, ports=[{"port": 80}, {"name": "any"}, {}]))
    assert made == {
        "Name": "it",
        "AddressType": "IPv4",
        "Ports": "80,any,*",
        "Endpoints": "10.0.0.1,10.0.0.2,10.0.0.3 + 2 more...",
        "Age": "<unknown>",
    }
    empty = cells(ENDPOINT_SLICE, document())
    assert (empty["Ports"], empty["Endpoints"]) == ("<unset>", "<unset>")
