"""What the page of an object tells first: a few facts, in the order in which people ask for them."""

from collections.abc import Callable, Iterable, Iterator

from app.console.api_client import Document
from app.console.wording import moment

Fact = tuple[str, str]


def facts(document: Document) -> list[Fact]:
    """Term and value of each fact; those that are empty are left out."""
    metadata = document["metadata"]
    of_kind = _OF_KINDS.get(document["kind"], _nothing)
    labels = _pairs(metadata.get("labels") or {})
    found = [*of_kind(document), ("Labels", labels), ("Created", moment(metadata.get("creationTimestamp")))]
    return [(term, value) for term, value in found if value]


def _nothing(document: Document) -> Iterator[Fact]:
    del document
    yield from ()


def _service(document: Document) -> Iterator[Fact]:
    spec, balancer = document["spec"], (document.get("status") or {}).get("loadBalancer") or {}
    yield "Type", spec.get("type", "")
    yield "ClusterIP", _joined(spec.get("clusterIPs") or [spec.get("clusterIP", "")])
    yield "Load balancer", _joined(each.get("ip") or each.get("hostname", "") for each in balancer.get("ingress") or [])
    yield "External IPs", _joined(spec.get("externalIPs") or [])
    yield "External name", spec.get("externalName", "")
    yield "Ports", _joined(map(_port, spec.get("ports") or []))
    yield "Selector", _pairs(spec.get("selector") or {})


def _port(port: Document) -> str:
    name = f"{port['name']} " if port.get("name") else ""
    node_port = f", node port {port['nodePort']}" if port.get("nodePort") else ""
    return f"{name}{port['port']}/{port.get('protocol', 'TCP')} to {port.get('targetPort', port['port'])}{node_port}"


def _load_balancer(document: Document) -> Iterator[Fact]:
    spec, status = document["spec"], document.get("status") or {}
    members = status.get("members") or {}
    yield "Load balancer", spec.get("loadBalancer", "")
    yield "Addresses", _joined(each.get("address", "") for each in spec.get("frontends") or [])
    yield "Public names", _joined(each.get("fqdn", "") for each in spec.get("frontends") or [])
    yield "Ready members", f"{members.get('ready', 0)} of {members.get('total', 0)}"
    yield "Data planes", _joined(f"{each['name']}: {each['state']}" for each in status.get("dataPlanes") or [])


def _pod(document: Document) -> Iterator[Fact]:
    spec, status = document.get("spec") or {}, document.get("status") or {}
    yield "Phase", status.get("phase", "")
    yield "Addresses", _joined(each.get("ip", "") for each in status.get("podIPs") or [])
    yield "Node", spec.get("nodeName", "")


def _node(document: Document) -> Iterator[Fact]:
    status = document.get("status") or {}
    yield "Addresses", _joined(f"{each['address']} ({each['type']})" for each in status.get("addresses") or [])
    yield "Pod ranges", _joined((document.get("spec") or {}).get("podCIDRs") or [])


def _address_pool(document: Document) -> Iterator[Fact]:
    spec = document["spec"]
    yield "Scope", spec.get("scope", "")
    yield "Addresses", _joined(spec.get("addresses") or [])
    yield "Excluded", _joined(spec.get("exclude") or [])
    yield "Other names", _joined(spec.get("aliases") or [])
    for each in (document.get("status") or {}).get("families") or []:
        yield each["family"], f"{each['used']} used, {each['reserved']} reserved, {each['free']} free of {each['size']}"


def _data_plane(document: Document) -> Iterator[Fact]:
    spec, status = document["spec"], document.get("status") or {}
    yield "Program", status.get("version") or spec.get("type", "")
    yield "Serves", _joined(spec.get("pools") or spec.get("scopes") or [])
    yield "Node", spec.get("node", "")
    yield "Services", str(status.get("services", 0))
    yield "Revision", str(status.get("revision", ""))
    yield "Connected since", moment(status.get("connectedAt"))
    yield "Reported", moment(status.get("reportedAt"))


_OF_KINDS: dict[str, Callable[[Document], Iterator[Fact]]] = {
    "Service": _service,
    "LoadBalancer": _load_balancer,
    "Pod": _pod,
    "Node": _node,
    "AddressPool": _address_pool,
    "DataPlane": _data_plane,
}


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(text for text in texts if text)


def _pairs(pairs: Document) -> str:
    return _joined(f"{name}={value}" for name, value in sorted(pairs.items()))
