"""The declaration of Service: its columns, its selectable fields and its rules.

It stands beside the model (`service.py`) because the rules import the model and the declaration imports the rules.
"""

from app.domain.declarations.columns import AGE, NAME
from app.domain.declarations.kind import Column, Kind
from app.domain.kinds.service import Service, ServicePort
from app.domain.rules.service.needs import CLUSTER_IP, EXTERNAL_NAME, LOAD_BALANCER, NODE_PORT
from app.domain.rules.service.strategy import ServiceStrategy

_EMPTY, _PENDING = "<none>", "<pending>"


def _type(service: Service, _now: str) -> str:
    return service.spec.type


def _cluster_ip(service: Service, _now: str) -> str:
    """None is shown as Kubernetes does; what is still to be allocated is not there for want of a free address."""
    if service.spec.cluster_ips:
        return service.spec.cluster_ips[0]
    return _EMPTY if service.spec.type == EXTERNAL_NAME else _PENDING


def _external_ip(service: Service, _now: str) -> str:
    """Where traffic from outside arrives, as far as it is known."""
    spec = service.spec
    if spec.type == EXTERNAL_NAME:
        return spec.external_name
    shown = list(spec.external_ips or [])
    if spec.type == LOAD_BALANCER:
        points = [item.ip or item.hostname for item in service.status.load_balancer.ingress or []]
        shown = [point for point in points if point] + shown
        return ",".join(shown) or _PENDING
    if spec.type in (CLUSTER_IP, NODE_PORT):
        return ",".join(shown) or _EMPTY
    return "<unknown>"


def _ports(service: Service, _now: str) -> str:
    return ",".join(_port(port) for port in service.spec.ports or []) or _EMPTY


def _port(port: ServicePort) -> str:
    return f"{port.port}:{port.node_port}/{port.protocol}" if port.node_port else f"{port.port}/{port.protocol}"


def _selector(service: Service, _now: str) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((service.spec.selector or {}).items())) or _EMPTY


SERVICE: Kind[Service] = Kind(
    group="",
    version="v1",
    name="Service",
    plural="services",
    singular="service",
    namespaced=True,
    model=Service,
    schema="io.k8s.api.core.v1.Service",
    columns=(
        NAME,
        Column(
            "Type", _type, description="How the Service is reached: ClusterIP, NodePort, LoadBalancer, ExternalName."
        ),
        Column("Cluster-IP", _cluster_ip, description="The primary ClusterIP, or None for a headless Service."),
        Column("External-IP", _external_ip, description="Where traffic from outside the cluster arrives."),
        Column("Port(s)", _ports, description="port:nodePort/protocol of each port."),
        AGE,
        Column("Selector", _selector, description="Labels of the pods behind the Service.", priority=1),
    ),
    strategy=ServiceStrategy(),
    short_names=("svc",),
    categories=("all",),
    selectable={
        "spec.clusterIP": lambda service: service.spec.cluster_ip,
        "spec.type": lambda service: service.spec.type,
    },
    found_by=lambda service: service.spec.cluster_ips or (),
    has_status=True,
    create_on_update=True,
    delete_returns_object=True,
    name_rule="dns_label",
)
