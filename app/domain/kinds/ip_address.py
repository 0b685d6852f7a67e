"""IPAddress (networking.k8s.io/v1): one ClusterIP in use, or one that a client keeps for itself (KEP-1880).

Those of Services are computed from the Services; one that a client creates is stored and holds its address.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from msgspec import field

from app.domain.errors import Cause, invalid, required
from app.domain.kinds.columns import NAME
from app.domain.kinds.kind import Column, Derivation, Kind, Strategy
from app.domain.kinds.meta import Claim, Cluster, KubeObject, ObjectMeta, Wire
from app.domain.kinds.service import Service
from app.domain.rules.addresses import address_causes, canonical, family_of
from app.domain.rules.names import dns_subdomain_problem, path_segment_problem

FAMILY_LABEL = "ipaddress.kubernetes.io/ip-family"
MANAGED_BY_LABEL, ALLOCATOR = "ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io"


class ParentReference(Wire):
    """What an address belongs to.

    Attributes:
        group: API group of the parent; empty for the core group.
        resource: Of the parent, in the plural: services.
        namespace: Of the parent; empty for one without.
        name: Of the parent.
    """

    required = ("resource", "name")

    group: str = ""
    resource: str = field(default_factory=str)
    namespace: str = ""
    name: str = field(default_factory=str)


class IPAddressSpec(Wire):
    """What the address belongs to.

    Attributes:
        parent_ref: The object that holds the address; stays.
    """

    required = ("parent_ref",)

    parent_ref: ParentReference | None = None


class IPAddress(KubeObject):
    """An address, which is its name in canonical text."""

    spec: IPAddressSpec = field(default_factory=IPAddressSpec)


def addresses_of(service: Service, parts: Sequence[Any], cluster: Cluster) -> list[IPAddress]:
    """The addresses a Service holds, as objects with its revision and age."""
    del parts, cluster
    return [_held(service, address) for address in service.spec.cluster_ips or [] if address not in ("", "None")]


def _held(service: Service, address: str) -> IPAddress:
    meta = service.metadata
    return IPAddress(
        api_version="networking.k8s.io/v1",
        kind="IPAddress",
        metadata=ObjectMeta(
            name=address,
            uid=str(uuid5(UUID(meta.uid), address)) if meta.uid else None,
            resource_version=meta.resource_version,
            creation_timestamp=meta.creation_timestamp,
            labels={FAMILY_LABEL: family_of(address), MANAGED_BY_LABEL: ALLOCATOR},
        ),
        spec=IPAddressSpec(ParentReference(resource="services", namespace=meta.namespace or "", name=meta.name)),
    )


def claim_of(name: str) -> Claim | None:
    """What is held by whoever an address of this name belongs to; None when the name is no address."""
    return Claim("cluster_ips", name) if not address_causes("", name) and canonical(name) == name else None


class IPAddressStrategy(Strategy[IPAddress]):
    """An address is spelled canonically, has a parent, and belongs to it for ever."""

    def validate_create(self, new: IPAddress, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        name = new.metadata.name
        causes = address_causes("metadata.name", name)
        if not causes and canonical(name) != name:
            causes.append(invalid("metadata.name", name, f"must be in canonical form: {canonical(name)}"))
        return causes + _validate_parent(new.spec.parent_ref)

    def validate_update(self, new: IPAddress, old: IPAddress, cluster: Cluster) -> list[Cause]:
        """As on create; and the parent stays."""
        causes = self.validate_create(new, cluster)
        if new.spec.parent_ref != old.spec.parent_ref:
            causes.append(invalid("spec.parentRef", _parent(new, ""), "may not change"))
        return causes

    def claims(self, obj: IPAddress) -> tuple[Claim, ...]:
        """The address itself: no Service gets it while the object exists."""
        return (Claim("cluster_ips", obj.metadata.name, "metadata.name"),)


def _validate_parent(parent: ParentReference | None) -> list[Cause]:
    if parent is None:
        return [required("spec.parentRef", "what the address belongs to")]
    causes = []
    if parent.group and (problem := dns_subdomain_problem(parent.group)):
        causes.append(invalid("spec.parentRef.group", parent.group, problem))
    for name, value in (("resource", parent.resource), ("name", parent.name)):
        if not value:
            causes.append(required(f"spec.parentRef.{name}", f"the parent's {name}"))
    for name, value in (("resource", parent.resource), ("name", parent.name), ("namespace", parent.namespace)):
        if problem := path_segment_problem(value):
            causes.append(invalid(f"spec.parentRef.{name}", value, problem))
    return causes


def _parent(address: IPAddress, _now: str) -> str:
    parent = address.spec.parent_ref
    if parent is None:
        return ""
    resource = f"{parent.resource}.{parent.group}" if parent.group else parent.resource
    return "/".join(part for part in (resource.lower(), parent.namespace, parent.name) if part)


IP_ADDRESS = Kind(
    group="networking.k8s.io",
    version="v1",
    name="IPAddress",
    plural="ipaddresses",
    singular="ipaddress",
    namespaced=False,
    model=IPAddress,
    schema="io.k8s.api.networking.v1.IPAddress",
    columns=(NAME, Column("ParentRef", _parent, description="What the address belongs to.")),
    strategy=IPAddressStrategy(),
    short_names=("ip",),
    name_rule="any_path_segment",
    derivation=Derivation("services", addresses_of, claim=claim_of),
)
