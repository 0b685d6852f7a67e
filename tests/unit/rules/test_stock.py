"""The stock of an API process: what it gives at once, and what it leaves to the reconciler."""

import dataclasses

import msgspec
import pytest
from msgspec.structs import replace

from app.domain.documents.encoding import encode_body
from app.domain.pools.portions import ENOUGH, KEPT_SECONDS, Portion, Wanted
from app.domain.pools.stock import Stock
from app.domain.rules.pool_description import PoolDescription
from app.store.notifications import MOST_BYTES
from tests.unit.rules.builders import DUAL, SINGLE, cluster, created
from tests.unit.rules.picking import INTERNAL, IPV4, Known, ingress, pending

OUTSIDE = PoolDescription.of("external", "external", ["20.0.0.0/24"])
INSIDE = PoolDescription.of("internal", "internal", ["10.240.0.0/24"])
HERE = cluster("10.96.0.0/16", ours=True, pools=(OUTSIDE, INSIDE))
IPS, IPS6 = ("cluster_ips", "ClusterIP", "IPv4"), ("cluster_ips", "ClusterIP", "IPv6")
PORTS = ("node_ports", "", "")
PUBLIC, PRIVATE = ("lb_addresses", "external", "IPv4"), ("lb_addresses", "internal", "IPv4")


class Clock:
    """Time that passes when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def stock_of(at=HERE, clock=None, **values):
    """A stock with these values of pools; a number stands for so many of the pool."""
    stock = Stock(clock or Clock())
    some = {
        "ips": (IPS, ["10.96.1.1", "10.96.1.2"]),
        "ports": (PORTS, [30100, 30200]),
        "public": (PUBLIC, ["20.0.0.7"]),
    }
    for pool, found in (some | values).values():
        stock.put(Portion("api", 1, pool, found), at)
    return stock


def service(at=HERE, **spec):
    annotations = spec.pop("annotations", None)
    new, causes = created({"ports": [{"port": 80}], **spec}, at, annotations=annotations)
    assert causes == []
    return new


def given(stock, new, at=HERE):
    before = encode_body(new)
    found = stock.give(new, at)
    assert encode_body(new) == before, "the Service itself stays as it was"
    return None if found is None else found.service


def test_a_cluster_ip():
    found = given(stock_of(), service())
    assert found.spec.cluster_ips == [found.spec.cluster_ip] == ["10.96.1.2"]
    assert not pending(found, HERE)
    assert [each.status for each in found.status.conditions if each.type == "Allocated"] == ["True"]


def test_each_value_once():
    stock = stock_of()
    found = [given(stock, service()) for _ in range(3)]
    assert {each.spec.cluster_ip for each in found[:2]} == {"10.96.1.1", "10.96.1.2"}
    assert found[2] is None


def test_node_ports_and_a_load_balancer_address():
    found = given(stock_of(), service(type="LoadBalancer"))
    assert found.spec.ports[0].node_port == 30200
    assert ingress(found) == ["20.0.0.7"]
    assert not pending(found, HERE)


def test_ports_of_one_number_share_a_node_port():
    ports = [{"name": protocol.lower(), "port": 53, "protocol": protocol} for protocol in ("TCP", "UDP")]
    found = given(stock_of(), service(type="NodePort", ports=ports))
    assert [each.node_port for each in found.spec.ports] == [30200, 30200]


def test_both_families():
    at = cluster("10.96.0.0/16", "fd00::/108", ours=True)
    stock = stock_of(at, six=(IPS6, ["fd00::7"]))
    found = given(stock, service(at, ipFamilyPolicy="RequireDualStack"), at)
    assert found.spec.cluster_ips == ["10.96.1.2", "fd00::7"]


def test_what_is_there_is_given_back_where_something_else_is_not():
    stock = stock_of(ports=(PORTS, []))
    assert given(stock, service(type="LoadBalancer")) is None
    assert given(stock, service(type="NodePort")) is None
    assert [given(stock, service()).spec.cluster_ip for _ in range(2)] == ["10.96.1.2", "10.96.1.1"]


def test_what_was_not_stored_is_given_back():
    stock = stock_of()
    found = stock.give(service(type="LoadBalancer"), HERE)
    stock.give_back(found)
    again = stock.give(service(type="LoadBalancer"), HERE)
    assert again.service.spec == found.service.spec
    assert ingress(again.service) == ingress(found.service)


def test_another_pool_is_no_substitute_for_one_of_which_there_is_nothing():
    first = PoolDescription.of("first", "external", ["30.0.0.0/24"], priority=1)
    at = cluster("10.96.0.0/16", ours=True, pools=(first, OUTSIDE))
    assert given(stock_of(at), service(at, type="LoadBalancer"), at) is None


@pytest.mark.parametrize(
    ("spec", "annotations"),
    [({"loadBalancerIP": "20.0.0.9"}, {}), ({}, {IPV4: "20.0.0.9"}), ({}, {INTERNAL: "true"})],
    ids=["an address in the spec", "an address in an annotation", "a pool of which there is nothing"],
)
def test_what_is_left_to_the_reconciler(spec, annotations):
    assert given(stock_of(), service(type="LoadBalancer", annotations=annotations, **spec)) is None


def test_the_pool_that_is_asked_for():
    stock = stock_of(private=(PRIVATE, ["10.240.0.9"]))
    found = given(stock, service(type="LoadBalancer", annotations={INTERNAL: "true"}))
    assert ingress(found) == ["10.240.0.9"]


def test_nothing_where_pools_are_for_namespaces():
    """Whoever takes a namespace's label away and is answered has seen to it that nothing more is given to it."""
    at = replace(HERE, pools=(dataclasses.replace(OUTSIDE, namespaces=frozenset({"default"})),))
    assert given(stock_of(at), service(at, type="LoadBalancer"), at) is None
    assert given(stock_of(at), service(at), at) is not None


def test_an_address_that_somebody_has_asked_for_meanwhile_is_dropped():
    at = replace(HERE, addresses=Known({"default/mine": "20.0.0.7"}))
    stock = stock_of(at)
    assert given(stock, service(at, type="LoadBalancer"), at) is None
    assert given(stock, service(type="LoadBalancer")) is None


def test_nothing_while_nobody_allocates():
    assert given(stock_of(), service(), replace(HERE, allocating=False)) is None


def test_nothing_after_its_time():
    clock = Clock()
    stock = stock_of(clock=clock)
    clock.now += KEPT_SECONDS - 1
    stock.put(Portion("api", 1, IPS, ["10.96.1.3"]), HERE)
    clock.now += 1
    assert given(stock, service()).spec.cluster_ip == "10.96.1.3"
    assert given(stock, service()) is None


def test_nothing_of_ranges_and_pools_that_have_changed():
    other = replace(HERE, service_cidrs=("10.97.0.0/16",))
    stock = stock_of()
    assert given(stock, service(other), other) is None
    stock.put(Portion("api", 1, IPS, ["10.96.1.1", "10.97.0.1"]), other)
    assert given(stock, service(other), other).spec.cluster_ip == "10.97.0.1"
    assert given(stock, service(other), other) is None


def test_nothing_of_an_earlier_owner_of_the_allocation():
    stock = stock_of()
    stock.put(Portion("api", 2, IPS, ["10.96.1.3"]), HERE)
    stock.put(Portion("api", 1, IPS, ["10.96.1.4"]), HERE)
    assert given(stock, service()).spec.cluster_ip == "10.96.1.3"
    assert given(stock, service()) is None


def test_what_is_asked_for():
    asked = []
    stock = Stock(Clock())
    stock.on_low = lambda: asked.append(True)
    assert stock.wanted() == []
    assert given(stock, service(type="NodePort")) is None
    assert asked
    assert stock.wanted() == [(IPS, ENOUGH)]
    assert stock.wanted() == []
    assert given(stock, service()) is None
    assert stock.wanted() == [(IPS, ENOUGH)], "nothing has come yet"
    addresses = [f"10.96.{number // 200 + 1}.{number % 200 + 1}" for number in range(ENOUGH)]
    stock.put(Portion("api", 1, IPS, addresses), HERE)
    asked.clear()
    for _ in range(ENOUGH // 2 + 1):
        assert given(stock, service()) is not None
    assert not asked
    assert stock.wanted() == []
    assert given(stock, service()) is not None
    assert asked
    assert stock.wanted() == [(IPS, ENOUGH // 2 + 2)]


def test_a_cluster_without_pools_asks_for_what_it_has():
    stock = Stock(Clock())
    assert given(stock, service(SINGLE), SINGLE) is None
    assert given(stock, service(DUAL, ipFamilyPolicy="PreferDualStack"), DUAL) is None
    assert [pool for pool, _ in stock.wanted()] == [IPS]


def test_a_message_asks_of_so_many_pools_as_fit():
    pools = [dataclasses.replace(OUTSIDE, name=f"{number:03}-{'x' * 249}") for number in range(100)]
    stock = stock_of(public=(PUBLIC, []))
    for pool in pools:
        at = replace(HERE, pools=(pool,))
        for key, values in ((IPS, ["10.96.1.1"]), (PORTS, [30100])):
            stock.put(Portion("api", 1, key, values), at)
        assert given(stock, service(at, type="LoadBalancer"), at) is None
    asked = []
    while wanted := stock.wanted():
        assert len(msgspec.json.encode(Wanted("p" * 300, wanted))) < MOST_BYTES
        asked += wanted
    assert {name for (_, name, _), _ in asked} >= {pool.name for pool in pools}


def test_a_pool_of_a_stock_is_a_pool():
    stock = stock_of()
    pool = stock._of(IPS)
    assert [low for low, _ in pool.parts(lambda _: 0)] == ["10.96.1.2", "10.96.1.1"]
    assert pool.hold("10.96.1.2")
    assert not pool.hold("10.96.1.2")
    assert pool.free == 1
    assert given(stock, service()).spec.cluster_ip == "10.96.1.1"
    assert pool.free == 0
