import pytest

from app.domain.declarations.node import NODE
from tests.unit.rule_runner import cells, create, created, update, write_status


def taint(key="k", effect="NoSchedule", value=""):
    return {"key": key, "effect": effect, "value": value}


@pytest.mark.parametrize(
    ("spec", "causes"),
    [
        ({}, set()),
        ({"podCIDR": "10.1.0.0/24"}, set()),
        ({"podCIDRs": ["10.1.0.0/24", "fd00::/64"]}, set()),
        ({"podCIDRs": ["10.1.0.1/24"]}, {("spec.podCIDRs[0]", "Invalid")}),
        ({"podCIDRs": ["x"]}, {("spec.podCIDRs[0]", "Invalid")}),
        ({"podCIDR": "10.2.0.0/24", "podCIDRs": ["10.1.0.0/24"]}, {("spec.podCIDR", "Invalid")}),
        ({"podCIDRs": ["10.1.0.0/24", "10.2.0.0/24"]}, {("spec.podCIDRs", "Invalid")}),
        (
            {"podCIDRs": ["10.1.0.0/24", "10.1.0.0/24"]},
            {("spec.podCIDRs", "Invalid"), ("spec.podCIDRs[1]", "Duplicate")},
        ),
        ({"taints": [taint(), taint(effect="NoExecute")]}, set()),
        ({"taints": [taint(), taint(value="v")]}, {("metadata.taints[1]", "Duplicate")}),
        ({"taints": [taint(key="")]}, {("metadata.taints[0].key", "Invalid")}),
        ({"taints": [taint(value="a b")]}, {("metadata.taints[0].value", "Invalid")}),
        ({"taints": [taint(effect="")]}, {("metadata.taints[0].effect", "Required")}),
        ({"taints": [taint(effect="Never")]}, {("metadata.taints[0].effect", "NotSupported")}),
    ],
)
def test_what_is_refused(spec, causes):
    assert create(NODE, {"spec": spec})[1] == causes


def test_the_single_and_the_plural_pod_range_agree():
    assert created(NODE, {"spec": {"podCIDR": "10.1.0.0/24"}}).spec.pod_cidrs == ["10.1.0.0/24"]
    assert created(NODE, {"spec": {"podCIDRs": ["10.1.0.0/24", "fd00::/64"]}}).spec.pod_cidr == "10.1.0.0/24"


def test_a_node_may_be_created_with_its_status_and_keeps_it():
    status = {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}
    node = created(NODE, {"status": status})
    changed, causes = update(NODE, node, {"status": {}, "spec": {"unschedulable": True}})
    assert causes == set()
    assert changed.status == node.status
    assert changed.spec.unschedulable


def test_the_status_subresource_leaves_the_spec():
    node = created(NODE, {"spec": {"providerID": "x://1"}})
    changed, causes = write_status(NODE, node, {"spec": {}, "status": {"phase": "Running"}})
    assert causes == set()
    assert (changed.spec.provider_id, changed.status.phase) == ("x://1", "Running")


@pytest.mark.parametrize("write", [write_status, lambda kind, _old, document: create(kind, document)])
def test_an_address_is_listed_once(write):
    twice = {"type": "InternalIP", "address": "192.0.2.1"}
    node = created(NODE, {})
    given = {"status": {"addresses": [twice, {"type": "Hostname", "address": "192.0.2.1"}, twice]}}
    assert write(NODE, node, given)[1] == {("status.addresses[2]", "Duplicate")}


@pytest.mark.parametrize(
    ("before", "after", "causes"),
    [
        ({}, {"podCIDR": "10.1.0.0/24", "providerID": "p"}, set()),
        ({"podCIDR": "10.1.0.0/24"}, {"podCIDR": "10.2.0.0/24"}, {("spec.podCIDRs", "Forbidden")}),
        ({"podCIDR": "10.1.0.0/24"}, {}, {("spec.podCIDRs", "Forbidden")}),
        ({"providerID": "p"}, {"providerID": "q"}, {("spec.providerID", "Forbidden")}),
        ({"externalID": "p"}, {}, {("spec.externalID", "Forbidden")}),
        ({"taints": [taint()]}, {"taints": [taint("other")]}, set()),
    ],
)
def test_what_may_change(before, after, causes):
    assert update(NODE, created(NODE, {"spec": before}), {"spec": after})[1] == causes


def node(ready=None, *, unschedulable=False, labels=None, status=None):
    conditions = [{"type": "MemoryPressure", "status": "False"}]
    if ready:
        conditions.append({"type": "Ready", "status": ready})
    return {
        "metadata": {"labels": labels or {}},
        "spec": {"unschedulable": unschedulable},
        "status": {"conditions": conditions, **(status or {})},
    }


@pytest.mark.parametrize(
    ("given", "status", "roles"),
    [
        (node(), "Unknown", "<none>"),
        (node("True"), "Ready", "<none>"),
        (node("False"), "NotReady", "<none>"),
        (node("Unknown", unschedulable=True), "NotReady,SchedulingDisabled", "<none>"),
        (
            node("True", labels={"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "control", "x": "y"}),
            "Ready",
            "control,worker",
        ),
        (node("True", labels={"node-role.kubernetes.io/": ""}), "Ready", "<none>"),
    ],
)
def test_status_and_roles_cells(given, status, roles):
    made = cells(NODE, given)
    assert (made["Status"], made["Roles"]) == (status, roles)


def test_wide_cells():
    bare = cells(NODE, node())
    assert [bare[name] for name in ("Version", "Internal-IP", "External-IP", "OS-Image", "Kernel-Version")] == [
        "", "<none>", "<none>", "<unknown>", "<unknown>",
    ]  # fmt: skip
    info = {
        "kubeletVersion": "v1.36.0",
        "osImage": "Debian",
        "kernelVersion": "6.1",
        "containerRuntimeVersion": "c://1",
    }
    addresses = [{"type": "ExternalIP", "address": "198.51.100.1"}, {"type": "InternalIP", "address": "192.0.2.1"}]
    full = cells(NODE, node(status={"nodeInfo": info, "addresses": addresses}))
    assert list(full.values())[4:] == ["v1.36.0", "192.0.2.1", "198.51.100.1", "Debian", "6.1", "c://1"]
    assert [column.priority for column in NODE.columns] == [0] * 5 + [1] * 5


def test_selectable_fields():
    select = NODE.selectable["spec.unschedulable"]
    assert select(created(NODE, node())) == "false"
    assert select(created(NODE, node(unschedulable=True))) == "true"
