"""Every kind that is declared, and how to find one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.declarations.address_history import ADDRESS_HISTORY
from app.domain.declarations.address_pool import ADDRESS_POOL
from app.domain.declarations.admission_policies import VALIDATING_ADMISSION_POLICY, VALIDATING_ADMISSION_POLICY_BINDING
from app.domain.declarations.config_map import CONFIG_MAP
from app.domain.declarations.data_plane import DATA_PLANE
from app.domain.declarations.dns_record_set import DNS_RECORD_SET
from app.domain.declarations.dns_zone import DNS_ZONE
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.endpoints import ENDPOINTS
from app.domain.declarations.event import EVENT
from app.domain.declarations.events_event import EVENTS_EVENT
from app.domain.declarations.ip_address import IP_ADDRESS
from app.domain.declarations.kind import Kind
from app.domain.declarations.lease import LEASE
from app.domain.declarations.load_balancer import LOAD_BALANCER
from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.node import NODE
from app.domain.declarations.pod import POD
from app.domain.declarations.resource_quota import RESOURCE_QUOTA
from app.domain.declarations.role_bindings import CLUSTER_ROLE_BINDING, ROLE_BINDING
from app.domain.declarations.roles import CLUSTER_ROLE, ROLE
from app.domain.declarations.secret import SECRET
from app.domain.declarations.service import SERVICE
from app.domain.declarations.service_account import SERVICE_ACCOUNT
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.declarations.static_address import STATIC_ADDRESS

ALL: tuple[Kind[Any], ...] = (
    NAMESPACE,
    SERVICE,
    EVENT,
    ENDPOINTS,
    NODE,
    POD,
    CONFIG_MAP,
    SECRET,
    SERVICE_ACCOUNT,
    RESOURCE_QUOTA,
    ENDPOINT_SLICE,
    SERVICE_CIDR,
    IP_ADDRESS,
    LEASE,
    EVENTS_EVENT,
    VALIDATING_ADMISSION_POLICY,
    VALIDATING_ADMISSION_POLICY_BINDING,
    CLUSTER_ROLE_BINDING,
    CLUSTER_ROLE,
    ROLE_BINDING,
    ROLE,
    DNS_RECORD_SET,
    ADDRESS_POOL,
    DATA_PLANE,
    DNS_ZONE,
    LOAD_BALANCER,
    STATIC_ADDRESS,
    ADDRESS_HISTORY,
)
"""In the order discovery shows them."""


@dataclass(frozen=True, slots=True)
class Group:
    """An API group.

    Attributes:
        name: `discovery.k8s.io`, or "" for core.
        versions: The versions served, preferred first.
    """

    name: str
    versions: tuple[str, ...]


class Kinds:
    """An index of declared kinds; each lookup takes the same time however many there are.

    Attributes:
        all: The kinds, in the order discovery shows them.
        by_key: The kind stored, or shown, under a key, e.g. `endpointslices.discovery.k8s.io`.
    """

    def __init__(self, kinds: Iterable[Kind[Any]] = ALL) -> None:
        self.all = tuple(kinds)
        self._by_path = {(kind.group, kind.version, kind.plural): kind for kind in self.all}
        self.by_key: Mapping[str, Kind[Any]] = {kind.key: kind for kind in self.all}
        self._by_kind = {(kind.api_version, kind.name): kind for kind in self.all}
        if not len(self.all) == len(self._by_path) == len(self.by_key) == len(self._by_kind):
            raise ValueError("two kinds share a path, a key or a name")

    def __iter__(self) -> Iterator[Kind[Any]]:
        return iter(self.all)

    def by_path(self, group: str, version: str, plural: str) -> Kind[Any] | None:
        """The kind served under a path, e.g. ("discovery.k8s.io", "v1", "endpointslices")."""
        return self._by_path.get((group, version, plural))

    def by_kind(self, api_version: str, name: str) -> Kind[Any] | None:
        """The kind a document names, e.g. ("discovery.k8s.io/v1", "EndpointSlice")."""
        return self._by_kind.get((api_version, name))

    def groups(self) -> tuple[Group, ...]:
        """The API groups, core included, in the order of their first kind."""
        versions: dict[str, dict[str, None]] = {}
        for kind in self.all:
            versions.setdefault(kind.group, {})[kind.version] = None
        return tuple(Group(name, tuple(found)) for name, found in versions.items())

    def of(self, group: str, version: str) -> tuple[Kind[Any], ...]:
        """The kinds of one version of a group."""
        return tuple(kind for kind in self.all if (kind.group, kind.version) == (group, version))
