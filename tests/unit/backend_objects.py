"""Services, pods and nodes for tests of what is behind a Service."""

from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.container import Container, ContainerPort
from app.domain.kinds.endpoint_slice import EndpointSlice
from app.domain.kinds.node import ZONE_LABEL, Node
from app.domain.kinds.pod import Pod, PodCondition, PodIP, PodSpec, PodStatus
from app.domain.kinds.service import Service, ServicePort, ServiceSpec
from app.domain.wanted.slice_packing import SlicePlan

UID = "11111111-1111-4111-8111-111111111111"


def make_service(name="web", *, labels=None, annotations=None, deleted=False, **spec):
    spec = {
        "selector": {"app": "web"},
        "type": "ClusterIP",
        "cluster_ip": "10.96.0.10",
        "cluster_ips": ["10.96.0.10"],
        "ip_families": ["IPv4"],
        "ports": [ServicePort(name="http", protocol="TCP", port=80, target_port=8080)],
        **spec,
    }
    meta = ObjectMeta(name=name, namespace="shop", uid=UID, labels=labels, annotations=annotations)
    if deleted:
        meta.deletion_timestamp = "2026-01-01T00:00:00Z"
    return Service(api_version="v1", kind="Service", metadata=meta, spec=ServiceSpec(**spec))


def make_pod(
    name, *ips, ready=True, node="n1", labels=None, ports=None, phase="Running", terminating=False, hostname="",
    subdomain="",
):  # fmt: skip
    container = Container(
        name="main",
        ports=[ContainerPort(name=key, container_port=number, protocol="TCP") for key, number in (ports or {}).items()],
    )
    return Pod(
        api_version="v1",
        kind="Pod",
        metadata=ObjectMeta(
            name=name,
            namespace="shop",
            uid=f"uid-of-{name}",
            labels={"app": "web", **(labels or {})},
            deletion_timestamp="2026-01-01T00:00:00Z" if terminating else None,
        ),
        spec=PodSpec(containers=[container], node_name=node, hostname=hostname, subdomain=subdomain),
        status=PodStatus(
            phase=phase,
            conditions=[PodCondition(type="Ready", status="True" if ready else "False")],
            pod_ip=ips[0] if ips else "",
            pod_ips=[PodIP(ip=each) for each in ips],
        ),
    )


def make_node(name="n1", zone="a"):
    labels = {ZONE_LABEL: zone} if zone else None
    return Node(api_version="v1", kind="Node", metadata=ObjectMeta(name=name, uid=f"uid-of-{name}", labels=labels))


class Store:
    """Slices as a server would keep them, for applying one plan after the other."""

    def __init__(self) -> None:
        self.slices: dict[str, EndpointSlice] = {}
        self.made = 0

    def apply(self, plan: SlicePlan) -> int:
        """Carry out a plan; answers how many slices it touched."""
        for each in plan.create:
            self.made += 1
            assert not each.metadata.name
            each.metadata.name = f"{each.metadata.generate_name}{self.made:05d}"
            self.slices[each.metadata.name] = each
        for each in plan.update:
            assert each.metadata.name in self.slices
            self.slices[each.metadata.name] = each
        for each in plan.delete:
            del self.slices[each.metadata.name]
        return len(plan.create) + len(plan.update) + len(plan.delete)

    def all(self) -> list[EndpointSlice]:
        return list(self.slices.values())
