"""What a LoadBalancer Service asks of our own load balancer controller, read from its annotations and spec."""

from dataclasses import dataclass

from app.domain.kinds.service import Service
from app.domain.rules.addresses import strict_address
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.needs import LOAD_BALANCER

PREFIX = "service.beta.kubernetes.io/"
INTERNAL = PREFIX + "azure-load-balancer-internal"
INTERNAL_SUBNET = PREFIX + "azure-load-balancer-internal-subnet"
HIGH_AVAILABILITY_PORTS = PREFIX + "azure-load-balancer-enable-high-availability-ports"
ADDITIONAL_ADDRESSES = PREFIX + "azure-additional-public-ips"
ADDRESS_KEYS = {"IPv4": PREFIX + "azure-load-balancer-ipv4", "IPv6": PREFIX + "azure-load-balancer-ipv6"}
NAME_KEYS = {"IPv4": PREFIX + "azure-pip-name", "IPv6": PREFIX + "azure-pip-name-ipv6"}


@dataclass(frozen=True, slots=True)
class StaticAddress:
    """An address that a Service asks for by itself or by name.

    Attributes:
        address: Canonical text, or "" while only the name is known.
        name: Name of a static address of the Service's namespace, or "".
        field: Where the client asks for it.
    """

    address: str
    name: str
    field: str


def is_ours(service: Service, cluster: Cluster) -> bool:
    """Whether our own controller serves it: a LoadBalancer without `loadBalancerClass` (KEP-1959)."""
    return (
        cluster.manages_load_balancers and service.spec.type == LOAD_BALANCER and not service.spec.load_balancer_class
    )


def is_internal(service: Service) -> bool:
    """Whether its frontends are private (`azure-load-balancer-internal: "true"`)."""
    return annotation(service, INTERNAL) == "true"


def subnet(service: Service) -> str:
    """The subnet that a private frontend is to come from, "" for the default one."""
    return annotation(service, INTERNAL_SUBNET) if is_internal(service) else ""


def static_address(service: Service, family: str) -> StaticAddress | None:
    """The address asked for in a family: by address name, by IP annotation, by `loadBalancerIP`, in this order."""
    if family not in ADDRESS_KEYS:
        return None
    name_key, address_key = NAME_KEYS[family], ADDRESS_KEYS[family]
    if name := annotation(service, name_key):
        return StaticAddress("", name, annotation_field(name_key))
    if address := canonical_address(annotation(service, address_key), family):
        return StaticAddress(address, "", annotation_field(address_key))
    if address := canonical_address(service.spec.load_balancer_ip, family):
        return StaticAddress(address, "", "spec.loadBalancerIP")
    return None


def annotation(service: Service, key: str) -> str:
    """An annotation's value, "" when absent."""
    return (service.metadata.annotations or {}).get(key, "")


def annotation_field(key: str) -> str:
    """The field path of one annotation."""
    return f"metadata.annotations[{key}]"


def canonical_address(text: str, family: str) -> str:
    """An address in canonical text; "" when it is none of that family."""
    address = strict_address(text) if text else None
    return str(address) if address is not None and f"IPv{address.version}" == family else ""


def additional_addresses(service: Service) -> list[str]:
    """Addresses to be shown in status beside the frontends (`azure-additional-public-ips`), canonical, each once.

    One that is asked for as a frontend, too, is that frontend.
    """
    parts = [part.strip() for part in annotation(service, ADDITIONAL_ADDRESSES).split(",")]
    found = [strict_address(part) for part in parts if part]
    asked = (static_address(service, family) for family in service.spec.ip_families or [])
    frontends = {each.address for each in asked if each is not None}
    listed = dict.fromkeys(str(address) for address in found if address is not None)
    return [address for address in listed if address not in frontends]
