"""The declaration of Pod: its columns, its selectable fields and its rules."""

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import Column, Kind
from app.domain.kinds.container import ContainerStatus
from app.domain.kinds.pod import READY, Pod
from app.domain.rules.pod import ENDED, PodStrategy
from app.domain.timestamps import age

_NONE = "<none>"


def _is_true(pod: Pod, condition: str) -> bool:
    return any(each.type == condition and each.status == "True" for each in pod.status.conditions or [])


def _is_running(status: ContainerStatus) -> bool:
    return status.ready and status.state.running is not None


def _ready(pod: Pod, _now: str) -> str:
    """Ready containers; where only the pod as a whole was reported on, all of them or none."""
    total = len(pod.spec.containers or [])
    reported = pod.status.container_statuses
    if not reported:
        return f"{total if _is_true(pod, READY) else 0}/{total}"
    return f"{sum(_is_running(each) for each in reported)}/{total}"


def _status(pod: Pod, _now: str) -> str:
    """What the pod is about: its phase, or what keeps one of its containers."""
    shown = pod.status.reason or pod.status.phase
    waiting = _initializing(pod)
    if waiting:
        shown = waiting
    else:
        for each in reversed(pod.status.container_statuses or []):
            shown = _trouble(each) or shown
        running = any(_is_running(each) for each in pod.status.container_statuses or [])
        if shown == "Completed" and running:
            shown = "Running" if _is_true(pod, READY) else "NotReady"
    if pod.metadata.deletion_timestamp and pod.status.phase not in ENDED:
        shown = "Unknown" if pod.status.reason == "NodeLost" else "Terminating"
    return shown


def _initializing(pod: Pod) -> str:
    """What the first unfinished init container is at; "" when all are done."""
    if _is_true(pod, "Initialized"):
        return ""
    always = {each.name for each in pod.spec.init_containers or [] if each.restart_policy == "Always"}
    for i, each in enumerate(pod.status.init_container_statuses or []):
        ended = each.state.terminated
        if (ended and not ended.exit_code) or (each.name in always and each.started):
            continue
        trouble = _trouble(each)
        if trouble and trouble != "PodInitializing":
            return f"Init:{trouble}"
        return f"Init:{i}/{len(pod.spec.init_containers or [])}"
    return ""


def _trouble(status: ContainerStatus) -> str:
    """Why a container waits or ended; "" when it does neither."""
    if status.state.waiting and status.state.waiting.reason:
        return status.state.waiting.reason
    ended = status.state.terminated
    if not ended:
        return ""
    return ended.reason or (f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exit_code}")


def _restarts(pod: Pod, now: str) -> str:
    statuses = pod.status.container_statuses or []
    count = sum(each.restart_count for each in statuses)
    ends = [each.last_state.terminated.finished_at for each in statuses if each.last_state.terminated]
    last = max(filter(None, ends), default=None)
    return f"{count} ({age(last, now)} ago)" if count and last else str(count)


def _readiness_gates(pod: Pod, _now: str) -> str:
    gates = pod.spec.readiness_gates or []
    return f"{sum(_is_true(pod, gate.condition_type) for gate in gates)}/{len(gates)}" if gates else _NONE


def _ip(pod: Pod, _now: str) -> str:
    return pod.status.pod_ip or _NONE


POD = Kind(
    group="",
    version="v1",
    name="Pod",
    plural="pods",
    singular="pod",
    namespaced=True,
    model=Pod,
    schema="io.k8s.api.core.v1.Pod",
    columns=(
        NAME,
        Column("Ready", _ready, description="Containers that are ready, of all."),
        Column("Status", _status, description="What the pod is about."),
        Column("Restarts", _restarts, description="How often its containers were started anew."),
        AGE,
        Column("IP", _ip, priority=1, description="Its primary address."),
        Column("Node", lambda pod, _now: pod.spec.node_name or _NONE, priority=1, description="Where it runs."),
        Column(
            "Nominated Node",
            lambda pod, _now: pod.status.nominated_node_name or _NONE,
            priority=1,
            description="Where it may run once there is room.",
        ),
        Column(
            "Readiness Gates", _readiness_gates, priority=1, description="Further conditions that are True, of all."
        ),
    ),
    strategy=PodStrategy(),
    short_names=("po",),
    categories=("all",),
    selectable={
        "spec.hostNetwork": lambda pod: "true" if pod.spec.host_network else "false",
        "spec.nodeName": lambda pod: pod.spec.node_name,
        "spec.restartPolicy": lambda pod: pod.spec.restart_policy,
        "spec.schedulerName": lambda pod: pod.spec.scheduler_name,
        "spec.serviceAccountName": lambda pod: pod.spec.service_account_name,
        "status.nominatedNodeName": lambda pod: pod.status.nominated_node_name,
        "status.phase": lambda pod: pod.status.phase,
        "status.podIP": lambda pod: pod.status.pod_ip,
        "status.podIPs": lambda pod: ",".join(each.ip for each in pod.status.pod_ips or []),
    },
    has_status=True,
    delete_returns_object=True,
)
