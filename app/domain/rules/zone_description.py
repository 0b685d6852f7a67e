"""A DNS zone, as the rules see it, and the names in it."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

CLUSTER, REVERSE, PUBLIC = "cluster", "reverse", "public"
ZONE_KINDS = (CLUSTER, REVERSE, PUBLIC)


class ZoneDescription(msgspec.Struct, frozen=True):
    """A zone as it is now.

    Attributes:
        name: In lower case, without the dot at the end.
        kind: `cluster`, `reverse` or `public`.
        object_name: The name of the DNSZone.
        location: Label between the labels that Services ask for and the name of the zone; "" if it has no such names.
        namespaces: The namespaces whose Services may have names in it; None for all.
        is_pushed: Whether another server has the zone, and gets updates.
        name_servers: The names of its servers that were asked for, without the dot at the end.
        copies: The addresses of the other servers that have it: its secondaries, or its primary.
    """

    name: str
    kind: str
    object_name: str
    location: str = ""
    namespaces: frozenset[str] | None = None
    is_pushed: bool = False
    name_servers: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()

    @property
    def fqdn(self) -> str:
        """The name of the zone with the dot at the end, as records have it."""
        return f"{self.name}."

    @property
    def servers(self) -> tuple[str, ...]:
        """The names of its servers with the dot at the end; the first is the primary. By default one in the zone."""
        return tuple(f"{each}." for each in self.name_servers) or (f"ns.dns.{self.name}.",)

    @property
    def labels_below(self) -> str:
        """The domain in which Services get names by a label, such as `westeurope.example.org`; "" if there is none."""
        return f"{self.location}.{self.name}" if self.kind == PUBLIC and self.location else ""

    def admits(self, namespace: str) -> bool:
        """Whether Services of the namespace may have names in this zone."""
        return self.kind == PUBLIC and (self.namespaces is None or namespace in self.namespaces)


def label_zone(namespace: str, zones: Sequence[ZoneDescription]) -> ZoneDescription | None:
    """The zone in which the labels of a namespace are: the first with a location that admits it."""
    return next((zone for zone in zones if zone.labels_below and zone.admits(namespace)), None)


def has_labels(zones: Iterable[ZoneDescription]) -> bool:
    """Whether there is a zone in which anybody can have names by a label."""
    return any(zone.labels_below for zone in zones)


def is_within(name: str, domain: str) -> bool:
    """Whether a name is a domain's own or below it; both in lower case, without the dot at the end."""
    return name == domain or name.endswith(f".{domain}")


def ancestors(name: str) -> Iterator[str]:
    """A name, and the domains that it is in, the nearest first: `a.example.org`, `example.org`, `org`."""
    while name:
        yield name
        name = name.partition(".")[2]


def zone_of(name: str, zones: Iterable[ZoneDescription]) -> ZoneDescription | None:
    """The zone that a name belongs to: of those that it is within the one with the longest name."""
    within = [zone for zone in zones if is_within(name, zone.name)]
    return max(within, key=lambda zone: len(zone.name), default=None)
