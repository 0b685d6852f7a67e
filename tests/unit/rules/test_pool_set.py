"""The pools in memory follow what Services and IPAddresses hold."""

import pytest
from msgspec.structs import replace

from app.domain.documents.objects import ObjectMeta
from app.domain.kinds.ip_address import IPAddress
from app.domain.pools.allocation import allocate
from app.domain.pools.pool_set import PoolSet
from app.domain.rules.pool_description import PoolDescription
from tests.unit.rules.builders import V4, V6, cluster, created, stored, web
from tests.unit.rules.picking import INTERNAL

INSIDE, OUTSIDE = ("10.240.0.0/29", "fd01::/125"), ("20.0.0.0/29",)


def at(*cidrs, inside=INSIDE, outside=OUTSIDE):
    """A cluster with an internal and an external pool."""
    scopes = {"internal": inside, "external": outside}
    pools = tuple(PoolDescription.of(name, name, texts) for name, texts in scopes.items())
    return replace(cluster(*(cidrs or (V4, V6)), ours=True, pools=pools), node_port_range=(30000, 30009))


AT = at()


def pool_set(here=AT):
    pools = PoolSet(lambda _size: 0, lambda: 0.0)
    assert pools.describe(here)
    return pools


def used(pools):
    return {f"{each.pool} {each.family}".rstrip(): each.used for each in pools.fills()}


def sizes(pools):
    return {f"{each.pool} {each.family}".rstrip(): (each.scope, each.size, each.free) for each in pools.fills()}


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
    new, causes = created(spec, AT, annotations=annotations or None)
    assert causes == []
    allocate(new, pool_set().pools, AT, created=True)
    return new


def test_sizes():
    assert sizes(pool_set()) == {
        "node ports": ("", 10, 10),
        "ClusterIP IPv4": ("", 65534, 65534),
        "ClusterIP IPv6": ("", 65535, 65535),
        "internal IPv4": ("internal", 6, 6),
        "internal IPv6": ("internal", 7, 7),
        "external IPv4": ("external", 6, 6),
    }


def test_several_ranges_of_a_family_are_one_pool():
    pools = pool_set(at(V4, "10.97.0.0/16", outside=("20.0.0.0/29", "fd02::/125", "20.0.1.0/29")))
    assert sizes(pools) == {
        "node ports": ("", 10, 10),
        "ClusterIP IPv4": ("", 2 * 65534, 2 * 65534),
        "internal IPv4": ("internal", 6, 6),
        "internal IPv6": ("internal", 7, 7),
        "external IPv4": ("external", 12, 12),
        "external IPv6": ("external", 7, 7),
    }
    assert pools.pools.cluster_ips["IPv4"].label == "ClusterIP 10.96.0.0/16, 10.97.0.0/16"
    assert pools.pools.addresses["internal", "IPv6"].label == "internal fd01::/125"
    assert pools.pools.addresses["external", "IPv4"].label == "external 20.0.0.0/29, 20.0.1.0/29"


def test_pools_that_are_as_they_were_are_not_described_anew():
    pools = pool_set()
    before = pools.pools
    assert not pools.describe(at())
    assert pools.pools is before


@pytest.mark.parametrize(
    ("annotations", "side"),
    [({}, {"external IPv4": 1}), ({INTERNAL: "true"}, {"internal IPv4": 1, "internal IPv6": 1})],
)
def test_what_a_service_holds_comes_and_goes(annotations, side):
    pools, service = pool_set(), balanced(**annotations)
    assert not pools.moved(None, service, AT)
    held = {**NONE_HELD, "node ports": 2, "ClusterIP IPv4": 1, "ClusterIP IPv6": 1, **side}
    assert used(pools) == held
    assert not pools.moved(service, service, AT)
    assert used(pools) == held
    assert pools.moved(service, None, AT)
    assert used(pools) == NONE_HELD


def test_only_the_difference_moves():
    pools = pool_set()
    old = stored(web(type="NodePort", clusterIP="10.96.0.7", ports=[{"port": 80, "nodePort": 30001}]))
    new = stored(web(type="NodePort", clusterIP="10.96.0.7", ports=[{"port": 80, "nodePort": 30002}]))
    pools.moved(None, old, AT)
    assert pools.moved(old, new, AT)
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
        AT,
    )
    assert used(pools) == {**NONE_HELD, "node ports": 2, "ClusterIP IPv4": 1}


def test_an_address_that_a_client_keeps_is_held():
    pools = pool_set()
    kept = IPAddress(api_version="networking.k8s.io/v1", kind="IPAddress", metadata=ObjectMeta(name="fd00:10:96::7"))
    assert not pools.moved(None, kept, AT)
    assert used(pools) == {**NONE_HELD, "ClusterIP IPv6": 1}
    assert pools.moved(kept, None, AT)
    assert used(pools) == NONE_HELD


@pytest.mark.parametrize(
    ("table", "key", "pool"),
    [
        ("node_ports", "30001", "node ports"),
        ("cluster_ips", "10.96.0.9", "ClusterIP IPv4"),
        ("lb_addresses", "20.0.0.3/shop/own", "external IPv4"),
        ("lb_addresses", "10.240.0.3/shop/alone", "internal IPv4"),
        ("lb_addresses", "fd01::3/shop/static", "internal IPv6"),
        ("lb_addresses", "20.0.0.3/shop/shared", "external IPv4"),
    ],
)
def test_by_claim(table, key, pool):
    pools = pool_set()
    pools.hold(table, key)
    assert used(pools) == {**NONE_HELD, pool: 1}
    pools.release(table, key)
    assert used(pools) == NONE_HELD


@pytest.mark.parametrize(
    ("table", "key"), [("node_ports", "80"), ("lb_ports", "20.0.0.3/80/TCP"), ("cluster_ips", "10.97.0.1")]
)
def test_what_lies_in_no_pool_moves_nothing(table, key):
    pools = pool_set()
    pools.hold(table, key)
    assert used(pools) == NONE_HELD
    pools.release(table, key)
    assert used(pools) == NONE_HELD


def test_a_family_without_pool_is_passed_over():
    pools = pool_set(at(V4, inside=(), outside=()))
    pools.hold("cluster_ips", "fd00::1")
    pools.hold("lb_addresses", "20.0.0.3/shop/own")
    assert used(pools) == {"node ports": 0, "ClusterIP IPv4": 0}


def test_a_shared_address_is_held_until_the_last_one_lets_go():
    pools = pool_set()
    for owner in ("one", "other", "one"):
        pools.hold("lb_addresses", "20.0.0.3/shop/shared", owner)
    assert not pools.release("lb_addresses", "20.0.0.3/shop/shared", "one")
    assert used(pools) == {**NONE_HELD, "external IPv4": 1}
    assert pools.release("lb_addresses", "20.0.0.3/shop/shared", "other")
    assert used(pools) == NONE_HELD
    assert not pools.release("lb_addresses", "20.0.0.3/shop/shared", "other")


def test_who_else_holds_an_address():
    pools = pool_set()
    given, asked = "20.0.0.3/shop/own", "20.0.0.3/shop/shared"
    assert not pools.held_by_others("20.0.0.3", "one")
    pools.hold("lb_addresses", asked, "one")
    assert not pools.held_by_others("20.0.0.3", "one")
    assert pools.held_by_others("20.0.0.3", "other")
    pools.hold("lb_addresses", given, "first")
    assert pools.held_by_others("20.0.0.3", "one")
    assert not pools.release("lb_addresses", given, "first")
    assert not pools.held_by_others("20.0.0.3", "one")
    assert pools.release("lb_addresses", asked, "one")
    assert used(pools) == NONE_HELD


@pytest.mark.parametrize("last", ["20.0.0.3/shop/own", "20.0.0.3/shop/shared"])
def test_an_address_is_free_when_nobody_holds_it_in_any_role(last):
    pools = pool_set()
    roles = ["20.0.0.3/shop/own", "20.0.0.3/shop/static", "20.0.0.3/shop/shared"]
    for owner, key in enumerate(roles):
        pools.hold("lb_addresses", key, str(owner))
    for owner, key in enumerate(roles):
        if key != last:
            assert not pools.release("lb_addresses", key, str(owner))
    assert used(pools) == {**NONE_HELD, "external IPv4": 1}
    assert pools.release("lb_addresses", last, str(roles.index(last)))
    assert used(pools) == NONE_HELD


def test_picks_can_be_given_back():
    pools = pool_set(at(outside=("20.0.0.1",)))
    new, _ = created(web(type="LoadBalancer", externalTrafficPolicy="Local"), AT)
    picks = allocate(new, pools.pools, at(outside=("20.0.0.1",)), created=True)
    assert used(pools) == {**NONE_HELD, "node ports": 2, "ClusterIP IPv4": 1, "external IPv4": 1}
    pools.give_back(picks)
    assert used(pools) == NONE_HELD


def test_what_was_given_back_need_not_rest():
    outside = PoolDescription.of("external", "external", ["20.0.0.1"], reuse_after_seconds=60)
    here = replace(AT, pools=(outside,))
    pools = pool_set(here)
    new, _ = created(web(type="LoadBalancer"), AT)
    pools.give_back(allocate(new, pools.pools, here, created=True))
    assert pools.pools.addresses["external", "IPv4"].free == 1
    again, _ = created(web(type="LoadBalancer"), AT)
    allocate(again, pools.pools, here, created=True)
    pools.moved(again, None, here)
    assert pools.pools.addresses["external", "IPv4"].free == 0


def test_other_pools_come_over_what_is_held():
    pools = pool_set()
    pools.hold("cluster_ips", "10.97.0.9")
    pools.hold("lb_addresses", "20.0.0.9/shop/own")
    pools.hold("node_ports", "30001")
    assert pools.describe(at("10.97.0.0/16", outside=("20.0.0.0/28",)))
    assert used(pools) == {
        "node ports": 1,
        "ClusterIP IPv4": 1,
        "internal IPv4": 0,
        "internal IPv6": 0,
        "external IPv4": 1,
    }
    new, _ = created(web(), cluster("10.97.0.0/16"))
    allocate(new, pools.pools, cluster("10.97.0.0/16"), created=True)
    assert new.spec.cluster_ip == "10.97.1.1"


def test_forgetting_leaves_the_pools():
    pools = pool_set()
    for table, key in (("cluster_ips", "10.96.0.9"), ("node_ports", "30001"), ("lb_addresses", "20.0.0.3/shop/shared")):
        pools.hold(table, key)
    pools.clear()
    assert used(pools) == NONE_HELD
    assert sizes(pools) == sizes(pool_set())
