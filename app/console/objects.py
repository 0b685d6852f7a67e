"""The page of one object; of a Service also the way of its traffic, its records and why it is pending."""

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from app.console.api_client import Document, Refused, Resource
from app.console.diagrams import Box, path
from app.console.facts import facts
from app.console.lists import object_url
from app.console.visit import Visit, as_yaml, listed

_BAD, _GOOD, _WAITING = "bad", "good", "waiting"


async def show(visit: Visit) -> Response:
    """The page of one object."""
    resource, namespace, name = await named(visit)
    document = await visit.api.get(resource.path(namespace, name))
    watched = urlencode({"namespace": namespace, "name": name})
    return await visit.page(
        "object.html",
        resource=resource,
        namespace=namespace,
        name=name,
        document=document,
        conditions=_conditions(document),
        pending=_pending(document),
        facts=facts(document),
        events=await _events(visit, resource, namespace, name),
        service=await _traffic(visit, resource, document),
        text=as_yaml(document),
        url=object_url(resource.key, namespace, name),
        stream=f"/console/changes/{resource.key}?{watched}",
    )


async def delete(visit: Visit) -> Response:
    """Delete an object, and show the list that it was in."""
    resource, namespace, name = await named(visit)
    await visit.api.write("DELETE", resource.path(namespace, name))
    return RedirectResponse(f"/console/list/{resource.key}?{urlencode({'namespace': namespace})}", HTTPStatus.SEE_OTHER)


async def named(visit: Visit) -> tuple[Resource, str, str]:
    """The kind, namespace and name that the path of a page names.

    Raises:
        Refused: The API serves no such kind.
    """
    parameters = visit.request.path_params
    resource = await visit.resource(parameters["resource"])
    namespace = "" if parameters["namespace"] == "-" else parameters["namespace"]
    return resource, namespace, parameters["name"]


def _conditions(document: Document) -> list[Document]:
    """Conditions, the one that changed last first."""
    found = (document.get("status") or {}).get("conditions") or []
    return sorted(found, key=lambda condition: condition.get("lastTransitionTime") or "", reverse=True)


def _pending(document: Document) -> list[str]:
    """Why something is still to be done, in the words of the conditions."""
    return [
        condition.get("message", "")
        for condition in _conditions(document)
        if condition.get("status") == "False" and condition.get("type") in {"Allocated", "Programmed", "Resolvable"}
    ]


async def _events(visit: Visit, resource: Resource, namespace: str, name: str) -> list[Document]:
    """What happened to an object, the latest first; nothing if the user may not see it."""
    selector = f"involvedObject.kind={resource.kind},involvedObject.name={name}"
    try:
        listed = await visit.api.get(f"/api/v1/namespaces/{namespace or 'default'}/events", fieldSelector=selector)
    except Refused:
        return []
    return sorted(listed["items"], key=lambda event: event.get("lastTimestamp") or "", reverse=True)


async def _traffic(visit: Visit, resource: Resource, document: Document) -> Document | None:
    """What belongs to a Service, or to that of a load balancer; None for other kinds."""
    if resource.key == "services":
        return await _service(visit, document)
    if resource.key != "loadbalancers":
        return None
    metadata = document["metadata"]
    named = await listed(
        visit,
        f"/api/v1/namespaces/{metadata['namespace']}/services",
        fieldSelector=f"metadata.name={(metadata.get('labels') or {}).get('kubernetes.io/service-name', '')}",
    )
    return await _service(visit, named[0]) if named else None


async def _service(visit: Visit, service: Document) -> Document:
    """What belongs to a Service."""
    metadata = service["metadata"]
    label = f"kubernetes.io/service-name={metadata['name']}"
    namespace = metadata["namespace"]
    slices = await _listed(visit, f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices", label)
    records = await _listed(visit, f"/apis/fairlead.io/v1/namespaces/{namespace}/dnsrecordsets", label)
    balancers = await _listed(visit, f"/apis/fairlead.io/v1/namespaces/{namespace}/loadbalancers", label)
    return {
        "picture": path(
            [
                ("Clients", [Box("Clients", _access(balancers))]),
                ("Addresses", _frontends(service, balancers)),
                ("Service", [_service_box(service)]),
                ("Members", [] if service["spec"].get("type") == "ExternalName" else _members(slices)),
            ]
        ),
        "records": [record["spec"] for record in records],
    }


async def _listed(visit: Visit, path: str, label: str) -> list[Document]:
    """Objects with a label; none if the user may not see them or the kind is not served."""
    try:
        return list((await visit.api.get(path, labelSelector=label))["items"])
    except Refused:
        return []


def _access(balancers: Iterable[Document]) -> str:
    sources = {source for each in balancers for rule in each["spec"].get("access") or [] for source in rule["sources"]}
    return ", ".join(sorted(sources))


def _frontends(service: Document, balancers: Iterable[Document]) -> list[Box]:
    ports = ", ".join(str(port["port"]) for port in service["spec"].get("ports") or [])
    found = [
        Box(frontend["address"], f"{frontend['scope']}, ports {ports}", _served(each))
        for each in balancers
        for frontend in each["spec"]["frontends"]
        if frontend.get("address")
    ]
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    found = found or [Box(each.get("ip", each.get("hostname", "")), f"ports {ports}", _GOOD) for each in ingress]
    if not found and service["spec"].get("type") == "LoadBalancer":
        found = [Box("no address yet", state=_WAITING)]
    if service["spec"].get("type") in {"NodePort", "LoadBalancer"}:
        node_ports = [str(port["nodePort"]) for port in service["spec"].get("ports") or [] if port.get("nodePort")]
        found += [Box("every node", f"node ports {', '.join(node_ports)}")] if node_ports else []
    return found


def _served(balancer: Document) -> str:
    """How the data planes stand to a load balancer; plain as long as there is none."""
    states = {each["state"] for each in (balancer.get("status") or {}).get("dataPlanes") or []}
    if "Rejected" in states:
        return _BAD
    return "plain" if not states else _GOOD if states == {"Served"} else _WAITING


def _service_box(service: Document) -> Box:
    spec = service["spec"]
    return Box(service["metadata"]["name"], spec.get("clusterIP") or spec.get("externalName") or "", "plain")


def _members(slices: Iterable[Document]) -> list[Box]:
    boxes = [
        Box(
            ", ".join(endpoint["addresses"]),
            (endpoint.get("targetRef") or {}).get("name", ""),
            _GOOD if (endpoint.get("conditions") or {}).get("ready", True) else _BAD,
        )
        for each in slices
        for endpoint in each.get("endpoints") or []
    ]
    return boxes or [Box("no member", "no ready Pod matches", _WAITING)]
