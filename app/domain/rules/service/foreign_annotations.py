"""Annotations of MetalLB, Cilium and kube-vip that mean here what they mean there.

Services that have them move over unchanged.
"""

from collections.abc import Mapping

from app.domain.rules.service.annotation_readers import Reader, any_text, frontend_addresses, resource_name

_ADDRESSES = (
    "metallb.io/loadBalancerIPs",
    "metallb.universe.tf/loadBalancerIPs",
    "lbipam.cilium.io/ips",
    "io.cilium/lb-ipam-ips",
    "kube-vip.io/loadbalancerIPs",
)
_POOLS = ("metallb.io/address-pool", "metallb.universe.tf/address-pool")
_SHARING = (
    "metallb.io/allow-shared-ip",
    "metallb.universe.tf/allow-shared-ip",
    "lbipam.cilium.io/sharing-key",
    "io.cilium/lb-ipam-sharing-key",
)

LISTED, SHARING = "listed", "sharing"
"""The attributes of addresses that a Service asks for, and of the wish to share them: `listed.0` is that of the first
key."""

FOREIGN_READERS: Mapping[str, tuple[str, Reader]] = {
    **{key: (f"{LISTED}.{number}", frontend_addresses) for number, key in enumerate(_ADDRESSES)},
    **{key: (f"pools.{number}", resource_name) for number, key in enumerate(_POOLS)},
    **{key: (f"{SHARING}.{number}", any_text) for number, key in enumerate(_SHARING)},
}
"""Each key with its attribute and the reader of its value. Where several keys say the same, the first one counts."""

FOREIGN_PREFIXES = tuple(sorted({key.partition("/")[0] + "/" for key in FOREIGN_READERS}))
"""The beginnings of these keys."""
