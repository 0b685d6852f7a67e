"""Services of all kinds, for the table of questions, and how they come into a world."""

import ipaddress
from dataclasses import replace

from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service import SERVICE
from app.domain.kinds.service import ServicePort, ServiceSpec
from tests.dns.table import DOMAIN, Endpoint, Subject

HTTP, DNS_UDP, DNS_TCP, UNNAMED = ("http", "TCP", 80), ("dns", "UDP", 53), ("dns-tcp", "TCP", 53), ("", "TCP", 99)
PORTS = ((HTTP,), (UNNAMED,), (DNS_UDP, DNS_TCP), (("x-1", "SCTP", 7), HTTP))
NAMESPACES = ("shop", "data")
FAMILIES = (["IPv4"], ["IPv6"], ["IPv4", "IPv6"], ["IPv6", "IPv4"])
TYPES = ("ClusterIP", "NodePort", "LoadBalancer")
_BASES_OF_A_ROUND = 40
"""Of the networks in which endpoints have their addresses; changed endpoints have theirs in number 200."""


def endpoints(family, *items, base):
    """Endpoints of a family: each item is a hostname, "" for none, or None for one that is not ready."""
    start = ipaddress.ip_address(f"10.20.{base}.1" if family == "IPv4" else f"fd00:20:{base}::1")
    return tuple(Endpoint(str(start + at), item or "", item is not None) for at, item in enumerate(items))


def wanted(rounds=1):
    """Documents of Services by their subjects, which do not have their addresses yet; more of them with more rounds."""
    for number in range(rounds):
        yield from _round(f"-{number}" if number else "", _BASES_OF_A_ROUND * number)


def _round(suffix, first_base):
    for number, families in enumerate(FAMILIES):
        for of_type in TYPES:
            namespace, ports = NAMESPACES[number % 2], PORTS[(number + len(of_type)) % len(PORTS)]
            name = f"{of_type.lower()}-{number}{suffix}"
            policy = "RequireDualStack" if len(families) > 1 else "SingleStack"
            spec = {"type": of_type, "ipFamilies": families, "ipFamilyPolicy": policy, "ports": _ports(ports)}
            yield Subject(name, namespace, ports=ports), spec
    groups = [("none",), ("one", "a"), ("some", "a", "", None), ("many", *(["", "b", None] * 8))]
    for base, (name, *items) in enumerate(groups):
        for families in FAMILIES[:3]:
            where = "".join(family[-1] for family in families)
            found = tuple(
                each
                for family in families
                for each in endpoints(family, *_distinct(items), base=first_base + 10 * base + len(where))
            )
            ports = PORTS[base % len(PORTS)]
            policy = "RequireDualStack" if len(families) > 1 else "SingleStack"
            spec = {"clusterIP": "None", "ipFamilies": families, "ipFamilyPolicy": policy, "ports": _ports(ports)}
            yield Subject(f"{name}-{where}{suffix}", "data", ports=ports, endpoints=found), spec
    targets = (
        "db.example.com.",
        f"clusterip-0.shop.svc.{DOMAIN}",
        f"one-4.data.svc.{DOMAIN}",
        f"nothing.shop.svc.{DOMAIN}",
        f"alias-1.shop.svc.{DOMAIN}",
        f"data.svc.{DOMAIN}",
    )
    for number, target in enumerate(targets):
        spec = {"type": "ExternalName", "externalName": target.rstrip(".")}
        yield Subject(f"alias-{number}{suffix}", "shop", target=target), spec


def _distinct(items):
    return [f"{item}-{at}" if item else item for at, item in enumerate(items)]


def _ports(ports):
    return [{"name": name, "protocol": protocol, "port": number} for name, protocol, number in ports]


async def create(world, subject, spec):
    """Create a Service and its slices; answers the subject with its addresses."""
    document = {"metadata": {"name": subject.name}, "spec": spec}
    made = await world.create(SERVICE, document, subject.namespace)
    for family in ("IPv4", "IPv6"):
        await create_slice(world, subject, family)
    addresses = tuple(each for each in made.spec.cluster_ips or [] if each != "None")
    return replace(subject, addresses=addresses)


async def create_slice(world, subject, family):
    """The slice of a headless Service's endpoints of one family, if there are any."""
    found = [each for each in subject.endpoints if (":" in each.address) is (family == "IPv6")]
    if not found:
        return
    document = {
        "metadata": {"name": slice_name(subject, family), "labels": {"kubernetes.io/service-name": subject.name}},
        "addressType": family,
        "endpoints": [
            {"addresses": [each.address], "conditions": {"ready": each.ready}}
            | ({"hostname": each.hostname} if each.hostname else {})
            for each in found
        ],
        "ports": [{"name": name, "protocol": protocol, "port": 8080} for name, protocol, _ in subject.ports],
    }
    await world.create(ENDPOINT_SLICE, document, subject.namespace)


def slice_name(subject, family):
    return f"{subject.name}-{family.lower()}"


async def create_namespaces(world):
    for name in NAMESPACES:
        await world.create(NAMESPACE, {"metadata": {"name": name}}, "")


async def change(world, subject, number):
    """Change a Service in one of the ways that there are; answers what it is now."""
    if subject.target:
        return await _change_alias(world, subject, number)
    if subject.addresses:
        return await _change_ports(world, subject, number)
    return await _change_endpoints(world, subject, number)


async def _change_alias(world, subject, number):
    """Another target, or a Service with addresses."""
    if number % 2:
        target = "elsewhere.example.com."

        def alter(service):
            service.spec.external_name = target.rstrip(".")

        await world.change(SERVICE, subject.name, alter, subject.namespace)
        return replace(subject, target=target)

    def become(service):
        service.spec.type, service.spec.external_name = "ClusterIP", ""
        service.spec.ports = [ServicePort(name="http", port=80)]

    await world.change(SERVICE, subject.name, become, subject.namespace)
    made = await world.becomes(SERVICE, subject.name, lambda service: service.spec.cluster_ips, subject.namespace)
    return replace(subject, target="", addresses=tuple(made.spec.cluster_ips), ports=(HTTP,))


async def _change_ports(world, subject, number):
    """Other ports, one family less, or an alias."""
    if number % 3 == 0:

        def alias(service):
            service.spec = ServiceSpec(type="ExternalName", external_name="moved.example.com")

        await world.change(SERVICE, subject.name, alias, subject.namespace)
        return replace(subject, target="moved.example.com.", addresses=(), ports=())

    ports = PORTS[number % len(PORTS)]
    fewer = number % 3 == 1 and len(subject.addresses) > 1

    def alter(service):
        service.spec.ports = [ServicePort(name=name, protocol=protocol, port=port) for name, protocol, port in ports]
        if fewer:
            service.spec.ip_family_policy = "SingleStack"
            del service.spec.cluster_ips[1:], service.spec.ip_families[1:]

    made = await world.change(SERVICE, subject.name, alter, subject.namespace)
    return replace(subject, ports=ports, addresses=tuple(made.spec.cluster_ips))


async def _change_endpoints(world, subject, number):
    """Endpoints that become ready or cease to be, are called otherwise, go or come."""
    changed = [replace(each, ready=not each.ready) for each in subject.endpoints[::3]]
    changed += [replace(each, hostname=f"other-{at}") for at, each in enumerate(subject.endpoints[1::3])]
    new = (Endpoint(f"10.20.200.{number + 1}", "new"), Endpoint(f"fd00:20:200::{number + 1}", "new"))
    after = replace(subject, endpoints=(*changed, *new))
    for family in ("IPv4", "IPv6"):
        if any((":" in each.address) is (family == "IPv6") for each in subject.endpoints):
            await world.delete(ENDPOINT_SLICE, slice_name(subject, family), subject.namespace)
        await create_slice(world, after, family)
    return after
