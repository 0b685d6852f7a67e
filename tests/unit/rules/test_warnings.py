"""Warnings: what a Service may say, but should not."""

import pytest

from app.domain.declarations.service import SERVICE
from app.domain.kinds.service import LoadBalancerIngress
from tests.unit.rules.builders import ALIAS, DUAL, SINGLE, created, stored, web

HINTS = "service.kubernetes.io/topology-aware-hints"
DEPRECATED_IPS = "spec.externalIPs is deprecated: anybody can claim any address with it; use type LoadBalancer"

WARNED = {
    "nothing": (web(), []),
    "alias": (ALIAS, []),
    "headless": (web(clusterIP="None"), []),
    "load balancer": (web(type="LoadBalancer", loadBalancerIP="1.2.3.4", loadBalancerSourceRanges=["10.0.0.0/8"]), []),
    "externalIPs": (web(externalIPs=["1.2.3.4", "1.2.3.4"]), [DEPRECATED_IPS]),
    "externalIPs of a NodePort Service": (web(type="NodePort", externalIPs=["1.2.3.4"]), [DEPRECATED_IPS]),
    "externalIPs of a headless Service": (
        web(clusterIP="None", externalIPs=["1.2.3.4"]),
        ["spec.externalIPs is ignored: nothing forwards to a headless Service"],
    ),
    "externalIPs of an alias": (
        {**ALIAS, "externalIPs": ["1.2.3.4"]},
        ["spec.externalIPs is ignored: an ExternalName Service is only an alias"],
    ),
    "externalName of a ClusterIP Service": (
        web(externalName="x"),
        ["spec.externalName is ignored: only an ExternalName Service is an alias"],
    ),
    "loadBalancerIP of a headless Service": (
        web(clusterIP="None", loadBalancerIP="1.2.3.4"),
        ["spec.loadBalancerIP is ignored: a headless Service has no load balancer"],
    ),
    "affinity of a headless Service": (
        web(clusterIP="None", sessionAffinity="ClientIP"),
        ["spec.sessionAffinity is ignored: clients of a headless Service choose its endpoints themselves"],
    ),
    "everything of a headless Service": (
        web(clusterIP="None", sessionAffinity="ClientIP", loadBalancerIP="1.2.3.4", externalIPs=["1.2.3.4"]),
        [
            "spec.loadBalancerIP is ignored: a headless Service has no load balancer",
            "spec.externalIPs is ignored: nothing forwards to a headless Service",
            "spec.sessionAffinity is ignored: clients of a headless Service choose its endpoints themselves",
        ],
    ),
    "PreferClose": (
        web(trafficDistribution="PreferClose"),
        ["spec.trafficDistribution: PreferClose is deprecated; PreferSameZone means the same"],
    ),
    "PreferSameZone": (web(trafficDistribution="PreferSameZone"), []),
    "loadBalancerIP with leading zeros": (
        web(type="LoadBalancer", loadBalancerIP="1.2.3.04"),
        ["spec.loadBalancerIP: '1.2.3.04' means different addresses to different programs; write 1.2.3.4"],
    ),
    "loadBalancerIP no address": (web(type="LoadBalancer", loadBalancerIP="x"), []),
    "clusterIP not canonical": (
        web(clusterIP="FD00:10:96::9"),
        [
            (
                "spec.clusterIPs[0]: 'FD00:10:96::9' is not in the canonical form of RFC 5952, fd00:10:96::9; "
                "programs may rewrite it"
            )
        ],
    ),
    "second externalIP and source range not canonical": (
        web(
            type="LoadBalancer",
            externalIPs=["1.2.3.4", "FD00::1"],
            loadBalancerSourceRanges=["10.0.0.0/8", "FD00::/8"],
        ),
        [
            "spec.externalIPs[1]: 'FD00::1' is not in the canonical form of RFC 5952, fd00::1; programs may rewrite it",
            (
                "spec.loadBalancerSourceRanges[1]: 'FD00::/8' is not in the canonical form of RFC 5952, fd00::/8; "
                "programs may rewrite it"
            ),
            DEPRECATED_IPS,
        ],
    ),
}


@pytest.mark.parametrize(("spec", "texts"), WARNED.values(), ids=WARNED)
def test_warnings(spec, texts):
    new, causes = created(spec, DUAL)
    assert causes == []
    assert SERVICE.strategy.warnings(new, None, DUAL) == texts
    assert SERVICE.strategy.warnings(new, new, DUAL) == texts


def test_deprecated_annotation():
    new, _ = created(web(), annotations={HINTS: "Auto"})
    assert SERVICE.strategy.warnings(new, None, SINGLE) == [
        f"annotation {HINTS} is deprecated; use service.kubernetes.io/topology-mode or spec.trafficDistribution"
    ]


def test_stored_misspellings():
    old = stored(web(clusterIP="10.96.0.9"))
    old.spec.cluster_ips = ["10.96.0.09"]
    old.spec.load_balancer_source_ranges = ["10.0.0.1/8"]
    assert SERVICE.strategy.warnings(old, old, SINGLE) == [
        "spec.clusterIPs[0]: '10.96.0.09' means different addresses to different programs; write 10.96.0.9",
        (
            "spec.loadBalancerSourceRanges[0]: '10.0.0.1/8' has bits beyond its prefix; write 10.0.0.0/8, "
            "or a longer prefix"
        ),
    ]


def test_status():
    new, _ = created(web(type="LoadBalancer", externalIPs=["1.2.3.4"]), SINGLE)
    new.status.load_balancer.ingress = [
        LoadBalancerIngress(ip="1.2.3.4"),
        LoadBalancerIngress(hostname="a.example.com"),
        LoadBalancerIngress(ip="FD00::1"),
    ]
    assert SERVICE.strategy.status_warnings(new, new) == [
        (
            "status.loadBalancer.ingress[2].ip: 'FD00::1' is not in the canonical form of RFC 5952, fd00::1; "
            "programs may rewrite it"
        )
    ]
