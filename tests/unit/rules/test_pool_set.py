"""The pools in memory follow what Services and IPAddresses hold."""

import pytest

from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.ip_address import IPAddress
from app.domain.pools.allocation import allocate
from app.domain.pools.pool_set import PoolSet
from tests.unit.rules.builders import OURS_DUAL, V4, V6, cluster, created, stored, web
from tests.unit.rules.picking import INTERNAL

INSIDE, OUTSIDE = ("10.240.0.0/29", "fd01::/125"), ("20.0.0.0/29",)


def pool_set(*cidrs, inside=INSIDE, outside=OUTSIDE):
    return PoolSet(cidrs or (V4, V6), (30000, 30009), inside, outside, lambda _size: 0)


def free(pools):
    return {name: size - left for name, size, left in pools.sizes()}


NONE_HELD = {
    "node ports": 0,
    "ClusterIP IPv4": 0,
    "ClusterIP IPv6": 0,
    "internal IPv4": 0,
    "internal IPv6": 0,
    "external IPv4": 0,
}


def balanced(**annotations):
    """A LoadBalancer Service with everything, picked from other pools of the same ranges."""
    spec = web(type="LoadBalancer", externalTrafficPolicy="Local", ipFamilyPolicy="PreferDualStack")
    new, causes = created(spec, OURS_DUAL, annotations=annotations or None)
    assert causes == []
    allocate(new, pool_set().pools, OURS_DUAL, created=True)
    return new


def test_sizes():
    assert list(pool_set().sizes()) == [
        ("node ports", 10, 10),
        ("ClusterIP IPv4", 65534, 65534),
        ("ClusterIP IPv6", 65535, 65535),
        ("internal IPv4", 6, 6),
        ("internal IPv6", 7, 7),
        ("external IPv4", 6, 6),
    ]


def test_several_ranges_of_a_family_are_one_pool():
    pools = pool_set(V4, "10.97.0.0/16", outside=("20.0.0.0/29", "fd02::/125", "20.0.1.0/29"))
    assert list(pools.sizes())[1:] == [
        ("ClusterIP IPv4", 2 * 65534, 2 * 65534),
        ("internal IPv4", 6, 6),
        ("internal IPv6", 7, 7),
        ("external IPv4", 12, 12),
        ("external IPv6", 7, 7),
    ]
    assert pools.pools.cluster_ips["IPv4"].label == "ClusterIP 10.96.0.0/16, 10.97.0.0/16"
    assert pools.pools.internal["IPv6"].label == "internal fd01::/125"
    assert pools.pools.external["IPv4"].label == "external 20.0.0.0/29, 20.0.1.0/29"


@pytest.mark.parametrize(
    ("annotations", "side"),
    [({}, {"external IPv4": 1}), ({INTERNAL: "true"}, {"internal IPv4": 1, "internal IPv6": 1})],
)
def test_what_a_service_holds_comes_and_goes(annotations, side):
    pools, service = pool_set(), balanced(**annotations)
    assert not pools.moved(None, service, OURS_DUAL)
    held = {**NONE_HELD, "node ports": 2, "ClusterIP IPv4": 1, "ClusterIP IPv6": 1, **side}
    assert free(pools) == held
    assert not pools.moved(service, service, OURS_DUAL)
    assert free(pools) == held
    assert pools.moved(service, None, OURS_DUAL)
    assert free(pools) == NONE_HELD


def test_only_the_difference_moves():
    pools = pool_set()
    old = stored(web(type="NodePort", clusterIP="10.96.0.7", ports=[{"port": 80, "nodePort": 30001}]))
    new = stored(web(type="NodePort", clusterIP="10.96.0.7", ports=[{"port": 80, "nodePort": 30002}]))
    pools.moved(None, old, OURS_DUAL)
    assert pools.moved(old, new, OURS_DUAL)
    assert not pools.pools.node_ports.holds(30001)
    assert pools.pools.node_ports.holds(30002)
    assert pools.pools.cluster_ips["IPv4"].holds("10.96.0.7")
    assert not pools.moved(
        new,
        stored(
            web(
                type="NodePort",
                clusterIP="10.96.0.7",
                ports=[
                    {"name": "a", "port": 80, "nodePort": 30002},
                    {"name": "b", "port": 81, "nodePort": 30003},
                ],
            )
        ),
        OURS_DUAL,
    )
    assert free(pools) == {**NONE_HELD, "node ports": 2, "ClusterIP IPv4": 1}


def test_an_address_that_a_client_keeps_is_held():
    pools = pool_set()
    kept = IPAddress(api_version="networking.k8s.io/v1", kind="IPAddress", metadata=ObjectMeta(name="fd00:10:96::7"))
    assert not pools.moved(None, kept, OURS_DUAL)
    assert free(pools) == {**NONE_HELD, "ClusterIP IPv6": 1}
    assert pools.moved(kept, None, OURS_DUAL)
    assert free(pools) == NONE_HELD


@pytest.mark.parametrize(
    ("table", "key", "pool"),
    [
        ("node_ports", "30001", "node ports"),
        ("cluster_ips", "10.96.0.9", "ClusterIP IPv4"),
        ("lb_addresses", "20.0.0.3", "external IPv4"),
        ("lb_addresses", "10.240.0.3", "internal IPv4"),
        ("lb_addresses", "fd01::3", "internal IPv6"),
        ("lb_addresses", "20.0.0.3/shop/web", "external IPv4"),
    ],
)
def test_by_claim(table, key, pool):
    pools = pool_set()
    pools.hold(table, key)
    assert free(pools) == {**NONE_HELD, pool: 1}
    pools.release(table, key)
    assert free(pools) == NONE_HELD


@pytest.mark.parametrize(
    ("table", "key"), [("node_ports", "80"), ("lb_ports", "20.0.0.3/80/TCP"), ("cluster_ips", "10.97.0.1")]
)
def test_what_lies_in_no_pool_moves_nothing(table, key):
    pools = pool_set()
    pools.hold(table, key)
    assert free(pools) == NONE_HELD
    pools.release(table, key)
    assert free(pools) == NONE_HELD


def test_a_family_without_pool_is_passed_over():
    pools = pool_set(V4, inside=(), outside=())
    pools.hold("cluster_ips", "fd00::1")
    pools.hold("lb_addresses", "20.0.0.3")
    assert free(pools) == {"node ports": 0, "ClusterIP IPv4": 0}


def test_starting_over_forgets_and_takes_other_ranges():
    pools = pool_set()
    pools.hold("cluster_ips", "10.96.0.9")
    pools.hold("node_ports", "30001")
    assert pools.service_cidrs == (V4, V6)
    pools.start_over(["10.97.0.0/16"])
    assert pools.service_cidrs == ("10.97.0.0/16",)
    assert free(pools) == {name: 0 for name in NONE_HELD if name != "ClusterIP IPv6"}
    new, _ = created(web(), cluster("10.97.0.0/16"))
    allocate(new, pools.pools, cluster("10.97.0.0/16"), created=True)
    assert new.spec.cluster_ip == "10.97.1.1"
