import pytest

from app.domain.declarations.pod import POD
from app.domain.kinds.pod import Pod
from tests.unit.rule_runner import CLUSTER, cells, create, created, update, write_status

C0 = "spec.containers[0]"


def pod(*containers, status=None, **spec):
    listed = [dict(each) for each in containers] or [{"name": "main"}]
    return {"spec": {"containers": listed, **spec}, **({"status": status} if status else {})}


def port(number=80, **more):
    return {"name": "main", "ports": [{"containerPort": number, **more}]}


@pytest.mark.parametrize(
    ("given", "causes"),
    [
        (pod(), set()),
        ({"spec": {}}, {("spec.containers", "Required")}),
        (pod({}), {(f"{C0}.name", "Required")}),
        (pod({"name": "A"}), {(f"{C0}.name", "Invalid")}),
        (pod({"name": "a"}, {"name": "a"}), {("spec.containers[1].name", "Duplicate")}),
        (pod({"name": "a"}, initContainers=[{"name": "a"}]), {("spec.initContainers[0].name", "Duplicate")}),
        (pod(port(name="http")), set()),
        (pod(port(name="Http")), {(f"{C0}.ports[0].name", "Invalid")}),
        (pod(port(name="a-name-that-is-too-long")), {(f"{C0}.ports[0].name", "Invalid")}),
        (pod(port(0)), {(f"{C0}.ports[0].containerPort", "Required")}),
        (pod(port(65536)), {(f"{C0}.ports[0].containerPort", "Invalid")}),
        (pod(port(hostPort=-1)), {(f"{C0}.ports[0].hostPort", "Invalid")}),
        (pod(port(protocol="X")), {(f"{C0}.ports[0].protocol", "NotSupported")}),
        (
            pod({"name": "a", "ports": [{"name": "x", "containerPort": 1}, {"name": "x", "containerPort": 2}]}),
            {(f"{C0}.ports[1].name", "Duplicate")},
        ),
        (pod(nodeName="N"), {("spec.nodeName", "Invalid")}),
        (pod(hostname="a.b"), {("spec.hostname", "Invalid")}),
        (pod(subdomain="a.b"), {("spec.subdomain", "Invalid")}),
        (pod(restartPolicy="Sometimes"), {("spec.restartPolicy", "NotSupported")}),
        (pod(readinessGates=[{"conditionType": "a b"}]), {("spec.readinessGates[0].conditionType", "Invalid")}),
        (pod(readinessGates=[{"conditionType": "example.com/ok"}]), set()),
    ],
)
def test_what_is_refused(given, causes):
    assert create(POD, given)[1] == causes


def test_a_pod_of_a_real_cluster_is_taken_whole():
    container = {
        "name": "main",
        "image": "nginx:1",
        "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "resources": {"requests": {"cpu": 1, "memory": "64Mi"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}},
        "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        "securityContext": {"runAsNonRoot": True},
    }
    made = created(POD, pod(container, volumes=[{"name": "v", "emptyDir": {}}], affinity={"podAffinity": {}}))
    assert made.spec.containers[0].resources == {"requests": {"cpu": 1, "memory": "64Mi"}}


def test_a_pod_begins_pending_with_defaults():
    made = created(POD, pod(port(), status={"phase": "Running", "podIP": "10.0.0.1"}))
    assert (made.status.phase, made.status.pod_ip) == ("Pending", "")
    assert made.spec.restart_policy == "Always"
    assert made.spec.containers[0].ports[0].protocol == "TCP"
    assert made.metadata.generation == 1


@pytest.mark.parametrize(
    ("after", "causes", "generation"),
    [
        (pod({"name": "main", "image": "a"}), set(), 1),
        ({**pod({"name": "main", "image": "a"}), "metadata": {"labels": {"x": "y"}}}, set(), 1),
        (pod({"name": "main", "image": "b"}), set(), 2),
        (pod({"name": "main", "image": "a"}, activeDeadlineSeconds=5, tolerations=[{"key": "k"}]), set(), 2),
        (pod({"name": "main", "image": "a"}, nodeName="n"), {("spec", "Forbidden")}, 2),
        (pod({"name": "main", "image": "a", "ports": [{"containerPort": 1}]}), {("spec", "Forbidden")}, 2),
        (pod({"name": "main"}, {"name": "more"}), {("spec.containers", "Forbidden")}, 2),
        (pod({"name": "main"}, initContainers=[{"name": "more"}]), {("spec.initContainers", "Forbidden")}, 2),
    ],
)
def test_what_may_change(after, causes, generation):
    old = created(POD, pod({"name": "main", "image": "a"}))
    old.status.pod_ip = "10.0.0.1"
    changed, found = update(POD, old, after)
    assert found == causes
    assert changed.status == old.status
    assert changed.metadata.generation == generation


def test_the_status_subresource_leaves_the_spec():
    old = created(POD, pod(nodeName="n1"))
    changed, causes = write_status(POD, old, pod(nodeName="n2", status={"phase": "Running"}))
    assert causes == set()
    assert (changed.spec.node_name, changed.status.phase) == ("n1", "Running")


@pytest.mark.parametrize(
    ("status", "ips"),
    [
        ({}, []),
        ({"podIP": "10.0.0.1"}, ["10.0.0.1"]),
        ({"podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]}, ["10.0.0.1", "fd00::1"]),
        ({"podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]}, ["10.0.0.1", "fd00::1"]),
        ({"podIP": "10.0.0.2", "podIPs": [{"ip": "10.0.0.9"}]}, ["10.0.0.2"]),
        ({"podIP": "10.0.0.9", "podIPs": [{"ip": "10.0.0.3"}]}, ["10.0.0.3"]),
    ],
)
def test_the_single_and_the_plural_addresses_agree(status, ips):
    old = created(POD, pod())
    old.status.pod_ip = "10.0.0.9"
    changed, causes = write_status(POD, old, pod(status=status))
    assert causes == set()
    assert [each.ip for each in changed.status.pod_ips or []] == ips
    assert changed.status.pod_ip == (ips[0] if ips else "")


@pytest.mark.parametrize(
    ("status", "causes"),
    [
        ({"podIP": "10.0.0.01"}, {("status.podIPs[0]", "Invalid")}),
        ({"hostIP": "x"}, {("status.hostIPs[0]", "Invalid")}),
        ({"hostIPs": [{"ip": "192.0.2.1"}, {"ip": "fd00::1"}]}, set()),
        ({"podIPs": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}]}, {("status.podIPs", "Invalid")}),
        (
            {"podIPs": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.1"}]},
            {("status.podIPs", "Invalid"), ("status.podIPs[1]", "Duplicate")},
        ),
        ({"nominatedNodeName": "N"}, {("status.nominatedNodeName", "Invalid")}),
        ({"conditions": [{"type": "Ready", "status": "True"}, {"type": "example.com/gate", "status": "True"}]}, set()),
        ({"conditions": [{"type": "not a name", "status": "True"}]}, {("status.conditions[0].Type", "Invalid")}),
    ],
)
def test_what_is_refused_in_a_status(status, causes):
    assert write_status(POD, created(POD, pod()), pod(status=status))[1] == causes


def state(**one):
    return {"name": "main", "ready": "running" in one, "restartCount": 0, "state": one, "image": "", "imageID": ""}


READY = {"type": "Ready", "status": "True"}
WAITING = {"waiting": {"reason": "CrashLoopBackOff"}}


@pytest.mark.parametrize(
    ("status", "ready", "shown"),
    [
        ({"phase": "Pending"}, "0/1", "Pending"),
        ({"phase": "Running", "conditions": [READY]}, "1/1", "Running"),
        ({"phase": "Running", "reason": "Evicted"}, "0/1", "Evicted"),
        ({"phase": "Running", "containerStatuses": [state(running={})]}, "1/1", "Running"),
        ({"phase": "Running", "containerStatuses": [state(**WAITING)]}, "0/1", "CrashLoopBackOff"),
        ({"phase": "Failed", "containerStatuses": [state(terminated={"reason": "Error"})]}, "0/1", "Error"),
        ({"phase": "Failed", "containerStatuses": [state(terminated={"signal": 9})]}, "0/1", "Signal:9"),
        ({"phase": "Failed", "containerStatuses": [state(terminated={"exitCode": 3})]}, "0/1", "ExitCode:3"),
        (
            {
                "phase": "Running",
                "conditions": [READY],
                "containerStatuses": [state(terminated={"reason": "Completed"}), state(running={})],
            },
            "1/1",
            "Running",
        ),
        (
            {"containerStatuses": [state(terminated={"reason": "Completed"}), state(running={})]},
            "1/1",
            "NotReady",
        ),
        ({"phase": "Pending", "initContainerStatuses": [state(running={})]}, "0/1", "Init:0/0"),
        ({"initContainerStatuses": [state(terminated={}), state(**WAITING)]}, "0/1", "Init:CrashLoopBackOff"),
        ({"initContainerStatuses": [state(terminated={"exitCode": 1})]}, "0/1", "Init:ExitCode:1"),
        ({"initContainerStatuses": [state(waiting={"reason": "PodInitializing"})]}, "0/1", "Init:0/0"),
        (
            {
                "phase": "Running",
                "conditions": [{"type": "Initialized", "status": "True"}],
                "initContainerStatuses": [state(running={})],
            },
            "0/1",
            "Running",
        ),
    ],
)
def test_ready_and_status_cells(status, ready, shown):
    made = cells(POD, pod(status=status))
    assert (made["Ready"], made["Status"]) == (ready, shown)


@pytest.mark.parametrize(
    ("status", "shown"),
    [({"phase": "Running"}, "Terminating"), ({"phase": "Failed"}, "Failed"), ({"reason": "NodeLost"}, "Unknown")],
)
def test_a_pod_being_deleted_says_so(status, shown):
    document = {**pod(status=status), "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert cells(POD, document)["Status"] == shown


def test_other_cells():
    made = cells(POD, pod())
    assert list(made.values())[3:] == ["0", "<unknown>", "<none>", "<none>", "<none>", "<none>"]
    ended = {
        **state(running={}),
        "restartCount": 2,
        "lastState": {"terminated": {"finishedAt": "2026-01-01T11:00:00Z"}},
    }
    status = {
        "podIP": "10.0.0.1",
        "nominatedNodeName": "n2",
        "containerStatuses": [ended],
        "conditions": [{"type": "a", "status": "True"}],
    }
    gates = [{"conditionType": "a"}, {"conditionType": "b"}]
    made = cells(POD, pod(nodeName="n1", readinessGates=gates, status=status))
    assert list(made.values())[3:] == ["2 (60m ago)", "<unknown>", "10.0.0.1", "n1", "n2", "1/2"]


def test_selectable_fields():
    made = created(POD, pod(nodeName="n1", hostNetwork=True, serviceAccountName="s"))
    made, _ = write_status(
        POD, made, pod(status={"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]})
    )
    assert {name: read(made) for name, read in POD.selectable.items()} == {
        "spec.hostNetwork": "true",
        "spec.nodeName": "n1",
        "spec.restartPolicy": "Always",
        "spec.schedulerName": "",
        "spec.serviceAccountName": "s",
        "status.nominatedNodeName": "",
        "status.phase": "Running",
        "status.podIP": "10.0.0.1",
        "status.podIPs": "10.0.0.1,fd00::1",
    }


def test_who_creates_a_pod_is_told_that_nothing_runs():
    strategy, pod = POD.strategy, Pod()
    assert [text.partition(":")[0] for text in strategy.warnings(pod, None, CLUSTER)] == ["nothing is run here"]
    assert strategy.warnings(pod, Pod(), CLUSTER) == []
    pod.metadata.annotations = {"fairlead.io/renew-time": "1"}
    assert strategy.warnings(pod, None, CLUSTER) == []
