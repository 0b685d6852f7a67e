"""The rules of an IPAddress."""

from app.domain.errors import Cause, immutable, invalid, invalid_for, required
from app.domain.kinds.ip_address import IPAddress, ParentReference
from app.domain.rules.addresses import address_causes, canonical
from app.domain.rules.claim import Claim
from app.domain.rules.cluster import Cluster
from app.domain.rules.names import dns_subdomain_problems, path_segment_problems
from app.domain.rules.strategy import Strategy


def claim_of(name: str) -> Claim | None:
    """The claim on the address that is the name of an IPAddress; None if the name is no address."""
    return Claim("cluster_ips", name) if not address_causes("", name) and canonical(name) == name else None


class IPAddressStrategy(Strategy[IPAddress]):
    """The name is an address in canonical form. The address has a parent, which cannot change."""

    def validate_create(self, new: IPAddress, cluster: Cluster) -> list[Cause]:
        """Name every field that is wrong."""
        del cluster
        name = new.metadata.name
        causes = address_causes("metadata.name", name)
        if not causes and canonical(name) != name:
            causes.append(invalid("metadata.name", name, f"must be in canonical form: {canonical(name)}"))
        return causes + _validate_parent(new.spec.parent_ref)

    def validate_update(self, new: IPAddress, old: IPAddress, cluster: Cluster) -> list[Cause]:
        """As on create, and the parent cannot change."""
        causes = self.validate_create(new, cluster)
        if new.spec.parent_ref != old.spec.parent_ref:
            causes.append(immutable("spec.parentRef", parent_text(new), parent_text(old)))
        return causes

    def claims(self, obj: IPAddress, cluster: Cluster) -> tuple[Claim, ...]:
        """The address. No Service gets it while the object exists."""
        del cluster
        return (Claim("cluster_ips", obj.metadata.name, "metadata.name"),)


def _validate_parent(parent: ParentReference | None) -> list[Cause]:
    if parent is None:
        return [required("spec.parentRef", "give the object that holds the address")]
    problems = dns_subdomain_problems(parent.group) if parent.group else []
    causes = invalid_for("spec.parentRef.group", parent.group, problems)
    for name, value in (("resource", parent.resource), ("name", parent.name)):
        if not value:
            causes.append(required(f"spec.parentRef.{name}", f"give the {name} of the parent"))
    for name, value in (("resource", parent.resource), ("name", parent.name), ("namespace", parent.namespace)):
        causes += invalid_for(f"spec.parentRef.{name}", value, path_segment_problems(value))
    return causes


def parent_text(address: IPAddress) -> str:
    """The parent as one word: `services/default/web`."""
    parent = address.spec.parent_ref
    if parent is None:
        return ""
    resource = f"{parent.resource}.{parent.group}" if parent.group else parent.resource
    return "/".join(part for part in (resource.lower(), parent.namespace, parent.name) if part)
