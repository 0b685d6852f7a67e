"""The clients that a LoadBalancer Service admits."""

from dataclasses import dataclass
from itertools import chain

from app.domain.kinds.service import Service
from app.domain.rules.addresses import Network, strict_network
from app.domain.rules.cluster import Cluster
from app.domain.rules.service.annotations import RANGES, Annotation
from app.domain.rules.service.load_balancer_wish import wish_of
from app.domain.rules.service_tags import INTERNET, VIRTUAL_NETWORK, is_internet, merged_networks


@dataclass(frozen=True, slots=True)
class Admission:
    """The clients that a Service admits, by ranges and by service tags.

    Attributes:
        internal: Whether its frontends are private.
        tags: Service tags.
        networks: The ranges, of both families.
        ranged: Whether the Service gives ranges, be they right or wrong.
        deny_all: Whether the clients of the private network are not admitted, unless named.
    """

    internal: bool
    tags: tuple[str, ...]
    networks: tuple[Network, ...]
    ranged: bool
    deny_all: bool

    @classmethod
    def of(cls, service: Service) -> "Admission":
        """What a Service says. Ranges that cannot be read admit nobody: they close it and never open it."""
        wish, annotated = wish_of(service), annotated_ranges(service)
        in_spec = [each.strip() for each in service.spec.load_balancer_source_ranges or []]
        texts = in_spec or [*wish.allowed_ranges, *wish.source_ranges]
        networks = [network for network in map(strict_network, texts) if network is not None]
        wrong = len(networks) < len(texts) or any(each.problem for each in annotated)
        reached = any(f"IPv{network.version}" in (service.spec.ip_families or []) for network in networks)
        ranged, closed = bool(in_spec or annotated), wrong or not (reached or wish.allowed_tags)
        deny_all = ranged and (wish.denies_all_else or closed)
        return cls(wish.internal, tuple(wish.allowed_tags), tuple(networks), ranged, deny_all)

    @property
    def restricted(self) -> bool:
        """Whether the Service names clients at all. If it does not, everybody is admitted."""
        return self.ranged or bool(self.tags)

    def sources(self, family: str) -> list[str]:
        """The sources of the access rules of a family. Without one, there is no rule."""
        if not self.restricted:
            return [] if self.internal else [INTERNET]
        return [*self.tags, *merged_networks(self.networks, int(family[-1]))]

    def networks_of(self, family: str, cluster: Cluster) -> tuple[str, ...] | None:
        """The CIDRs that a data plane admits at frontends of a family; None for everybody."""
        if not self.restricted or any(map(is_internet, self.tags)):
            return None
        tags = self.tags if self.deny_all else (*self.tags, VIRTUAL_NETWORK)
        tagged = chain.from_iterable(map(cluster.service_tags.networks, tags))
        return merged_networks((*self.networks, *tagged), int(family[-1]))


def annotated_ranges(service: Service) -> list[Annotation]:
    """The annotations that give ranges. A blank one is as none."""
    return [each for each in wish_of(service).annotations if each.key in RANGES and each.text.strip()]
