"""The ranges that ClusterIPs come from, as the ServiceCIDR objects of this moment say."""

from collections.abc import Sequence

from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.documents.encoding import decode_object
from app.domain.kinds.service_cidr import ServiceCIDR
from app.domain.rules.service_cidr import DEFAULT_NAME, allocates
from app.mirror.entry import Change
from app.mirror.mirror import Mirror


class ServiceRanges:
    """As current as the mirror. It subscribes to the mirror first, so it is up to date when later subscribers ask.

    Attributes:
        cidrs: The ranges that addresses are allocated from, the oldest first.
        every: All ranges, those included that give no addresses any more; the oldest first.
    """

    def __init__(self, mirror: Mirror, initial: Sequence[str]) -> None:
        """Follow the mirror; `initial` are the ranges as long as there is no object at all."""
        self._mirror = mirror
        self._initial = tuple(initial)
        mirror.subscribe(self._changed, self._reload, [SERVICE_CIDR.key])
        self._reload()

    def _changed(self, _changes: Sequence[Change]) -> None:
        self._reload()

    def _reload(self) -> None:
        entries = self._mirror.list(SERVICE_CIDR.key, None)
        objects = sorted((decode_object(SERVICE_CIDR, entry.wire) for entry in entries), key=_seniority)
        every = [cidr for each in objects for cidr in each.spec.cidrs or []]
        giving = [cidr for each in objects if allocates(each) for cidr in each.spec.cidrs or []]
        self.cidrs = tuple(dict.fromkeys(giving)) if objects else self._initial
        self.every = tuple(dict.fromkeys(every)) or self._initial


def _seniority(service_cidr: ServiceCIDR) -> tuple[bool, str, str]:
    """The one from the settings decides which family is primary."""
    meta = service_cidr.metadata
    return (meta.name != DEFAULT_NAME, meta.creation_timestamp or "", meta.name)
