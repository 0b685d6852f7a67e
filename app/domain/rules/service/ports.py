"""The ports of a Service: names, numbers, protocols, and which combinations are valid (spec.ports)."""

from collections.abc import Iterator

from app.domain.errors import Cause, duplicate, forbidden, invalid_for, not_supported, required
from app.domain.kinds.service import ServicePort, ServiceSpec
from app.domain.rules.names import port_name_problems, port_number_problems
from app.domain.rules.port_fields import PROTOCOLS, app_protocol_causes, port_label_causes, port_number_causes
from app.domain.rules.service.needs import CLUSTER_IP, EXTERNAL_NAME, allocates_node_ports, is_headless


def port_causes(spec: ServiceSpec, *, created: bool) -> list[Cause]:
    """Everything wrong with `spec.ports`.

    Args:
        spec: The spec, with defaults.
        created: Whether the Service is new. Then ports of one number without a nodePort will share one.
    """
    ports = spec.ports or []
    causes = list(_missing(spec))
    names: set[str] = set()
    for index, port in enumerate(ports):
        field = f"spec.ports[{index}]"
        causes += _name_causes(port, field, names, required_=len(ports) > 1)
        causes += _value_causes(port, field)
        if spec.type == CLUSTER_IP and port.node_port:
            causes.append(forbidden(f"{field}.nodePort", "a ClusterIP Service has no node ports; use type NodePort"))
    return [*causes, *_repeated_node_ports(spec, created=created), *_repeated_ports(ports)]


def _missing(spec: ServiceSpec) -> Iterator[Cause]:
    if not spec.ports and not is_headless(spec) and spec.type != EXTERNAL_NAME:
        yield required("spec.ports", "a Service needs at least one port, unless it is headless or of type ExternalName")


def _name_causes(port: ServicePort, field: str, names: set[str], *, required_: bool) -> Iterator[Cause]:
    """With several ports, each needs a name. Names are unique."""
    if not port.name:
        if required_:
            yield required(f"{field}.name", "each port of a Service with several ports needs a name")
        return
    yield from port_label_causes(f"{field}.name", port.name)
    if port.name in names:
        yield duplicate(f"{field}.name", port.name, "another port has this name")
    names.add(port.name)


def _value_causes(port: ServicePort, field: str) -> Iterator[Cause]:
    yield from port_number_causes(f"{field}.port", port.port)
    if port.protocol not in PROTOCOLS:
        yield not_supported(f"{field}.protocol", port.protocol, PROTOCOLS)
    target = port.target_port if port.target_port is not None else 0
    problems = port_name_problems(target) if isinstance(target, str) else port_number_problems(target)
    yield from invalid_for(f"{field}.targetPort", target, problems)
    yield from app_protocol_causes(f"{field}.appProtocol", port.app_protocol)


def _repeated_node_ports(spec: ServiceSpec, *, created: bool) -> Iterator[Cause]:
    """Ports with the same nodePort, or that will share one, must have different protocols."""
    seen = set()
    for index, port in enumerate(spec.ports or []):
        number: object = port.node_port
        if not port.node_port:
            if not (created and allocates_node_ports(spec)):
                continue
            number = ("shared by ports", port.port)
        if (port.protocol, number) in seen:
            shown = port.node_port or f"to be chosen for port {port.port}"
            yield duplicate(f"spec.ports[{index}].nodePort", shown, f"another {port.protocol} port has this nodePort")
        seen.add((port.protocol, number))


def _repeated_ports(ports: list[ServicePort]) -> Iterator[Cause]:
    seen = set()
    for index, port in enumerate(ports):
        key = (port.protocol, port.port)
        if key in seen:
            yield duplicate(
                f"spec.ports[{index}]", f"{port.port}/{port.protocol}", "another port has the same number and protocol"
            )
        seen.add(key)
