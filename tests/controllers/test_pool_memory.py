"""What is known of pools: how full they are, as metrics tell it."""

from prometheus_client import REGISTRY

from app.controllers.allocation.memory import PoolMemory
from app.domain.pools.pool_set import PoolSet
from app.domain.rules.pool_description import PoolDescription
from tests.unit.rules.builders import cluster


def gauges(pool, family, scope):
    labels = {"pool": pool, "family": family, "scope": scope}
    return [REGISTRY.get_sample_value(name, labels) for name in ("fairlead_pool_size", "fairlead_pool_free")]


def test_metrics_follow_the_pools_and_those_that_are_gone_have_none():
    one = PoolDescription.of("one", "external", ["20.0.0.0/29", "fd02::1"])
    two = PoolDescription.of("two", "internal", ["10.240.0.1"])
    now = cluster(pools=(one, two))
    pools = PoolSet(lambda _size: 0, lambda: 0.0)
    memory = PoolMemory(None, None, pools, lambda: now)
    memory.describe()
    pools.hold("lb_addresses", "20.0.0.1/shop/own")
    memory.measure()
    assert gauges("one", "IPv4", "external") == [6, 5]
    assert gauges("one", "IPv6", "external") == [1, 1]
    assert gauges("two", "IPv4", "internal") == [1, 1]
    assert gauges("ClusterIP", "IPv4", "") == [65534, 65534]
    assert gauges("node ports", "", "") == [2768, 2768]
    now = cluster(pools=(two,))
    memory.describe()
    memory.measure()
    assert gauges("one", "IPv4", "external") == [0, 0]
    assert gauges("two", "IPv4", "internal") == [1, 1]
