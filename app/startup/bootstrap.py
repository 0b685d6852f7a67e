"""The initial objects: the namespaces of every cluster, its service ranges, and the Service of the API itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network

import structlog

from app.domain.declarations.namespace import NAMESPACE
from app.domain.declarations.service import SERVICE
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.documents.encoding import decode_object
from app.domain.documents.objects import KubeObject, ObjectMeta
from app.domain.errors import AlreadyExists, Conflict, Invalid, NotFound
from app.domain.kinds.namespace import Namespace
from app.domain.kinds.service_cidr import ServiceCIDR, ServiceCIDRSpec
from app.domain.rules.service_cidr import DEFAULT_NAME
from app.domain.user import ITSELF
from app.domain.wanted.api_endpoints import API_NAMESPACE, API_SERVICE, PORT_NAME, api_service
from app.registry.options import WriteOptions
from app.registry.registry import Registry
from app.registry.target import Target

_BY_US = WriteOptions(field_manager="fairlead", user=ITSELF)
_API = Target(SERVICE, API_NAMESPACE, API_SERVICE)
_DEFAULT_RANGES = Target(SERVICE_CIDR, name=DEFAULT_NAME)

INITIAL_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")

_log = structlog.stdlib.get_logger(__name__)


async def bootstrap(registry: Registry) -> None:
    """Create the initial namespaces that are missing; any number of processes may do so at once.

    Raises:
        ApiError: The store cannot be reached.
    """
    for name in INITIAL_NAMESPACES:
        await _ensure(registry, Target(NAMESPACE), Namespace(metadata=ObjectMeta(name=name)))


@dataclass(frozen=True, slots=True)
class InitialObjects:
    """The initial objects that depend on the settings.

    Attributes:
        cidrs: The ranges of ClusterIPs, primary family first.
        port: The port that the API listens on.
    """

    cidrs: Sequence[str]
    port: int

    async def ensure(self, registry: Registry) -> None:
        """Create the initial objects that are missing; any number of processes may do so at once, and repeatedly.

        Raises:
            ApiError: The store cannot be reached.
        """
        await bootstrap(registry)
        spec = ServiceCIDRSpec(cidrs=list(self.cidrs))
        await _ensure(registry, Target(SERVICE_CIDR), ServiceCIDR(metadata=ObjectMeta(name=DEFAULT_NAME), spec=spec))
        try:
            await _ensure(registry, _API, api_service(str(ip_network(self.cidrs[0])[1]), self.port))
        except Invalid as error:
            # Another object holds the address, or no range has it. Or another process has just created the Service:
            # then the store refuses the address before the name.
            if not await _is_there(registry, _API, as_of=""):
                _log.warning("the API has no Service", name=API_SERVICE, why=error.message)

    async def adapt(self, registry: Registry) -> None:
        """Change initial objects that are there already to what the settings say, as far as that is possible.

        Any number of processes may do so at once.

        Raises:
            ApiError: The store cannot be reached.
        """
        while True:
            try:
                await self._adapt_ranges(registry)
                await self._adapt_port(registry)
            except Conflict:
                continue  # another process changed them at the same time: look again
            return

    async def _adapt_ranges(self, registry: Registry) -> None:
        """Add a second family to the ranges; any other change needs another ServiceCIDR."""
        stored = decode_object(SERVICE_CIDR, (await registry.get(_DEFAULT_RANGES)).wire)
        before, wanted = stored.spec.cidrs or [], list(self.cidrs)
        if before == wanted[: len(before)] and len(before) < len(wanted):
            stored.spec.cidrs = wanted
            await registry.update(_DEFAULT_RANGES, stored, _BY_US)
            _log.info("service ranges extended", ranges=wanted)
        elif before != wanted:
            _log.warning(
                "the stored service ranges apply, not those of the settings; add others as a ServiceCIDR",
                stored=before,
                settings=wanted,
            )

    async def _adapt_port(self, registry: Registry) -> None:
        if not await _is_there(registry, _API):
            return
        stored = decode_object(SERVICE, (await registry.get(_API)).wire)
        ports = [port for port in stored.spec.ports or [] if port.name == PORT_NAME]
        if ports and ports[0].target_port != self.port:
            ports[0].target_port = self.port
            await registry.update(_API, stored, _BY_US)


async def _ensure(registry: Registry, collection: Target, obj: KubeObject) -> None:
    """Create an object unless it is there. For an object in the mirror this costs nothing."""
    target = collection.named(obj.metadata.name)
    if await _is_there(registry, target):
        return
    try:
        await registry.create(target, obj, _BY_US)
    except AlreadyExists:
        return
    _log.debug("created", kind=target.kind.name, name=obj.metadata.name)


async def _is_there(registry: Registry, target: Target, *, as_of: str = "0") -> bool:
    try:
        await registry.get(target, resource_version=as_of)
    except NotFound:
        return False
    return True
