"""The annotations with which clients configure their load balancer: one table, and the function that applies it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from app.domain.kinds.service import Service
from app.domain.rules.service.annotation_readers import (
    Reader,
    address,
    address_name,
    addresses,
    boolean,
    dns_label,
    lower_case_boolean,
    networks,
    networks_checked_elsewhere,
    number,
    one_of,
    path,
    port,
    service_tags,
    subnet,
)
from app.domain.rules.service.foreign_annotations import FOREIGN_PREFIXES, FOREIGN_READERS

PREFIX = "service.beta.kubernetes.io/"

MAX_PROBE_SECONDS = 120
"""The interval of a probe times the number of probes must be less."""

ADDITIONAL_ADDRESSES = PREFIX + "azure-additional-public-ips"
ADDRESS_KEYS = {"IPv4": PREFIX + "azure-load-balancer-ipv4", "IPv6": PREFIX + "azure-load-balancer-ipv6"}
DENY_ALL = PREFIX + "azure-deny-all-except-load-balancer-source-ranges"
ALLOWED_TAGS = PREFIX + "azure-allowed-service-tags"
TCP_RESET_DISABLED = PREFIX + "azure-load-balancer-disable-tcp-reset"
FLOATING_IP_DISABLED = PREFIX + "azure-disable-load-balancer-floating-ip"
HIGH_AVAILABILITY_PORTS = PREFIX + "azure-load-balancer-enable-high-availability-ports"
NAME_KEYS = {"IPv4": PREFIX + "azure-pip-name", "IPv6": PREFIX + "azure-pip-name-ipv6"}
PROXY_PROTOCOL = "fairlead.io/proxy-protocol"
SOURCE_RANGES = PREFIX + "load-balancer-source-ranges"
SUBNET = PREFIX + "azure-load-balancer-internal-subnet"
RANGES = (PREFIX + "azure-allowed-ip-ranges", SOURCE_RANGES)
"""The keys whose values are the ranges of admitted clients. Both add up."""

_ANOTHER = "there is one load balancer for all public Services and one for all internal ones"
WITHOUT_EFFECT: Mapping[str, str] = {
    PREFIX + "azure-load-balancer-configurations": _ANOTHER,
    PREFIX + "azure-load-balancer-mode": _ANOTHER,
    PREFIX + "azure-load-balancer-resource-group": "addresses belong to namespaces, not to resource groups",
    PREFIX + "azure-pip-ip-tags": "addresses come from pools, which have no tags",
    PREFIX + "azure-pip-prefix-id": "addresses come from pools; name the address or its pool",
    PREFIX + "azure-pip-tags": "addresses come from pools, which have no tags",
    PREFIX + "azure-pls-": "there are no private link services",
    PREFIX + "azure-shared-securityrule": "each Service has access rules of its own",
}
"""The beginnings of keys that Azure knows and that have no effect here, with the reason."""

_PROBE: Mapping[str, tuple[str, Reader]] = {
    "protocol": ("probe.protocol", one_of("tcp", "http", "https")),
    "interval": ("probe.interval", number(5, MAX_PROBE_SECONDS - 1, "seconds")),
    "num-of-probe": ("probe.count", number(2, MAX_PROBE_SECONDS - 1, "probes")),
    "request-path": ("probe.path", path),
}

READERS: Mapping[str, tuple[str, Reader]] = {
    PREFIX + "azure-load-balancer-internal": ("internal", lower_case_boolean),
    SUBNET: ("subnet", subnet),
    **{key: (f"addresses.{family}", address(int(family[-1]))) for family, key in ADDRESS_KEYS.items()},
    **{key: (f"names.{family}", address_name) for family, key in NAME_KEYS.items()},
    PREFIX + "azure-dns-label-name": ("dns_label", dns_label),
    RANGES[0]: ("allowed_ranges", networks),
    SOURCE_RANGES: ("source_ranges", networks_checked_elsewhere),
    ALLOWED_TAGS: ("allowed_tags", service_tags),
    DENY_ALL: ("denies_all_else", boolean),
    PREFIX + "azure-load-balancer-tcp-idle-timeout": ("idle_timeout", number(4, 100, "minutes")),
    TCP_RESET_DISABLED: ("tcp_reset_disabled", boolean),
    **{PREFIX + "azure-load-balancer-health-probe-" + name: row for name, row in _PROBE.items()},
    ADDITIONAL_ADDRESSES: ("additional_addresses", addresses),
    HIGH_AVAILABILITY_PORTS: ("high_availability_ports", boolean),
    FLOATING_IP_DISABLED: ("floating_ip_disabled", boolean),
    PROXY_PROTOCOL: ("proxy_protocol", one_of("v1", "v2")),
    **FOREIGN_READERS,
}
"""Each key with the attribute of `LoadBalancerWish` that it sets, and the reader of its value."""

PORT_READERS: Mapping[str, tuple[str, Reader]] = {
    "no_lb_rule": ("rule_disabled", boolean),
    "no_probe_rule": ("probe_disabled", boolean),
    **{"health-probe_" + name: row for name, row in _PROBE.items()},
    "health-probe_port": ("probe.port", port),
}
"""The same for the rest of a key after `port_<port>_`, with attributes of `PortWish`."""

_PORT_KEY = re.compile(re.escape(PREFIX) + r"port_([0-9]{1,5})_(.+)")
_OURS = (PREFIX + "azure-", SOURCE_RANGES, PROXY_PROTOCOL)
_BEGINNINGS = (PREFIX, PROXY_PROTOCOL, *FOREIGN_PREFIXES)


def concerns_load_balancer(key: str) -> bool:
    """Whether a key may be one that `read_annotations` reads; it is asked for every annotation of every Service."""
    return key.startswith(_BEGINNINGS)


class Annotation(msgspec.Struct, frozen=True):
    """One annotation for a load balancer, after reading.

    Attributes:
        key: The whole key.
        text: The value as the client wrote it.
        attribute: The attribute that it sets; "" if the key is unknown.
        value: The value of the attribute.
        problem: What is wrong with the text and what would be valid, or None.
        port: The number in the key of a setting for one port, or None.
    """

    key: str
    text: str
    attribute: str = ""
    value: Any = None
    problem: str | None = None
    port: int | None = None

    @property
    def field(self) -> str:
        """The field path of the annotation."""
        return annotation_field(self.key)


def read_annotations(pairs: Iterable[tuple[str, str]]) -> Iterator[Annotation]:
    """Read keys and texts. Keys of other load balancers are skipped."""
    for key, text in pairs:
        per_port = _PORT_KEY.fullmatch(key)
        if per_port is None and key not in READERS and not key.startswith(_OURS):
            continue
        row = READERS.get(key) if per_port is None else PORT_READERS.get(per_port[2])
        number_ = None if per_port is None else int(per_port[1])
        if row is None:
            yield Annotation(key, text, port=number_)
        else:
            attribute, read = row
            yield Annotation(key, text, attribute, *read(text), number_)


def annotation_field(key: str) -> str:
    """The field path of one annotation."""
    return f"metadata.annotations[{key}]"


def source_ranges_text(service: Service) -> str | None:
    """The annotation that preceded `spec.loadBalancerSourceRanges`, as the client wrote it; None if absent."""
    return (service.metadata.annotations or {}).get(SOURCE_RANGES)
