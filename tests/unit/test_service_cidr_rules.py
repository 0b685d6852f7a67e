import pytest

from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.rules.service_cidr import allocates, would_orphan
from tests.unit.rule_runner import CLUSTER, cells, create, created, parse, update, write_status

V4, V6 = "10.96.0.0/16", "fd00:10:96::/112"


def ranges(*cidrs, **document):
    return {"spec": {"cidrs": list(cidrs)}, **document}


@pytest.mark.parametrize(
    ("cidrs", "causes"),
    [
        ([V4], set()),
        ([V6, V4], set()),
        ([], {("spec.cidrs", "Required")}),
        ([V4, V6, "10.0.0.0/24"], {("spec.cidrs", "Invalid")}),
        ([V4, "10.0.0.0/24"], {("spec.cidrs", "Invalid")}),
        (["10.96.0.1/16"], {("spec.cidrs[0]", "Invalid")}),
        ([V4, "nonsense"], {("spec.cidrs[1]", "Invalid")}),
        (["010.0.0.0/8"], {("spec.cidrs[0]", "Invalid")}),
    ],
)
def test_what_is_refused(cidrs, causes):
    assert create(SERVICE_CIDR, ranges(*cidrs))[1] == causes


@pytest.mark.parametrize(
    ("before", "after", "causes"),
    [
        ([V4], [V4], set()),
        ([V4], [V4, V6], set()),
        ([V4], [V6, V4], {("spec.cidrs[0]", "Invalid")}),
        ([V4], ["10.0.0.0/8"], {("spec.cidrs[0]", "Invalid")}),
        ([V4], [V4, "10.0.0.0/24"], {("spec.cidrs", "Invalid")}),
        ([V4, V6], [V4], {("spec.cidrs", "Invalid")}),
        ([V4, V6], [V4, "fd01::/112"], {("spec.cidrs[1]", "Invalid")}),
    ],
)
def test_what_may_change(before, after, causes):
    assert update(SERVICE_CIDR, created(SERVICE_CIDR, ranges(*before)), ranges(*after))[1] == causes


REFUSING = {"conditions": [{"type": "Ready", "status": "False"}]}


def test_the_status_is_written_apart():
    old = created(SERVICE_CIDR, ranges(V4, status=REFUSING))
    assert old.status.conditions is None
    assert update(SERVICE_CIDR, old, ranges(V4, status=REFUSING))[0].status.conditions is None
    new, causes = write_status(SERVICE_CIDR, old, ranges(V6, status=REFUSING))
    assert causes == set()
    assert new.spec.cidrs == [V4]
    assert new.status.conditions[0].status == "False"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (ranges(V4), True),
        (ranges(V4, status={"conditions": [{"type": "Ready", "status": "True"}]}), True),
        (ranges(V4, status={"conditions": [{"type": "Other", "status": "False"}]}), True),
        (ranges(V4, status=REFUSING), False),
        (ranges(V4, metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}), False),
    ],
)
def test_which_ranges_allocate(document, expected):
    assert allocates(parse(SERVICE_CIDR, document)) is expected


def test_addresses_that_a_range_takes_with_it():
    leaving = parse(SERVICE_CIDR, ranges("10.1.0.0/24", "fd00::/112", metadata={"name": "leaving"}))
    larger = parse(SERVICE_CIDR, ranges("10.1.0.0/16", metadata={"name": "larger"}))
    going = parse(
        SERVICE_CIDR, ranges("10.0.0.0/8", metadata={"name": "going", "deletionTimestamp": "2026-01-01T00:00:00Z"})
    )
    held = ["10.1.0.7", "10.2.0.7", "fd00::7"]
    assert would_orphan(leaving, [leaving], held) == ["10.1.0.7", "fd00::7"]
    assert would_orphan(leaving, [leaving, going], held) == ["10.1.0.7", "fd00::7"]
    assert would_orphan(leaving, [leaving, larger], held) == ["fd00::7"]
    assert would_orphan(leaving, [larger], ["10.1.0.7"]) == []


def test_warnings_and_columns():
    strategy = SERVICE_CIDR.strategy
    assert strategy.warnings(parse(SERVICE_CIDR, ranges(V4)), None, CLUSTER) == []
    assert len(strategy.warnings(parse(SERVICE_CIDR, ranges("FD00::/112")), None, CLUSTER)) == 1
    assert cells(SERVICE_CIDR, ranges(V4, V6))["CIDRs"] == f"{V4},{V6}"
