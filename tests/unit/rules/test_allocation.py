"""Allocation: what a Service lacks is picked, and only that; what the pools cannot give is named."""

import msgspec
import pytest

from app.domain.declarations.service import SERVICE
from app.domain.pools.allocation import allocate
from app.domain.pools.number_pool import PortPool
from app.domain.rules.service.load_balancer_wish import StaticAddress, static_address
from tests.unit.rules.builders import (
    ALIAS,
    DNS,
    DUAL,
    NOW,
    OURS,
    OURS_DUAL,
    SINGLE,
    TWO,
    condition,
    created,
    service,
    spec_of,
    web,
)
from tests.unit.rules.picking import INTERNAL, IPV4, MORE, NAME, SUBNET, given, ingress, pending, pool, pools


class TestClusterIps:
    def test_one(self):
        new, result = given(web())
        assert (new.spec.cluster_ip, new.spec.cluster_ips) == ("10.96.0.1", ["10.96.0.1"])
        assert result.shortages == ()
        assert not pending(new)

    def test_of_each_family_in_order(self):
        new, _ = given(web(ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv6", "IPv4"]), DUAL)
        assert (new.spec.cluster_ip, new.spec.cluster_ips) == ("fd00::1", ["fd00::1", "10.96.0.1"])

    def test_only_the_second(self):
        new, _ = given(web(ipFamilyPolicy="RequireDualStack", clusterIP="10.96.0.7"), DUAL)
        assert (new.spec.cluster_ip, new.spec.cluster_ips) == ("10.96.0.7", ["10.96.0.7", "fd00::1"])

    @pytest.mark.parametrize("spec", [ALIAS, web(clusterIP="None"), web(clusterIP="10.96.0.7")])
    def test_none_where_none_is_missing(self, spec):
        new, causes = created(spec)
        assert causes == []
        assert not pending(new)
        before = spec_of(new)
        assert allocate(new, pools(), SINGLE, created=True).picked == ()
        assert spec_of(new) == before

    def test_a_short_primary_leaves_the_second_for_later(self):
        short = pools(cluster_ips={"IPv4": pool("ClusterIP"), "IPv6": pool("ClusterIP", "fd00::1-fd00::9")})
        new, result = given(web(ipFamilyPolicy="RequireDualStack"), DUAL, from_=short)
        assert new.spec.cluster_ips is None
        assert [shortage.pool for shortage in result.shortages] == ["ClusterIP"]
        assert pending(new)

    def test_a_short_second_leaves_the_first(self):
        short = pools(cluster_ips={"IPv4": pool("ClusterIP", "10.96.0.1-10.96.0.9"), "IPv6": pool("ClusterIP")})
        new, result = given(web(ipFamilyPolicy="RequireDualStack"), DUAL, from_=short)
        assert new.spec.cluster_ips == ["10.96.0.1"]
        assert len(result.shortages) == 1
        assert pending(new)
        assert allocate(new, pools(), DUAL, created=False).shortages == ()
        assert new.spec.cluster_ips == ["10.96.0.1", "fd00::1"]
        assert not pending(new)


class TestNodePorts:
    def test_one_for_each_port(self):
        new, _ = given(web(type="NodePort", ports=TWO))
        assert [port.node_port for port in new.spec.ports] == [30000, 30001]

    def test_protocols_of_one_number_share_on_create(self):
        new, _ = given(web(type="NodePort", ports=[*DNS, {"name": "x", "port": 80}]))
        assert [port.node_port for port in new.spec.ports] == [30000, 30000, 30001]

    def test_protocols_of_one_number_do_not_share_on_update(self):
        new, _ = given(web(type="NodePort", ports=DNS), is_new=False)
        assert [port.node_port for port in new.spec.ports] == [30000, 30001]

    def test_those_asked_for_stay(self):
        new, _ = given(web(type="NodePort", ports=[TWO[0], {**TWO[1], "nodePort": 30007}]))
        assert [port.node_port for port in new.spec.ports] == [30000, 30007]

    def test_sharing_takes_the_first_that_was_asked_for(self):
        new, _ = given(web(type="NodePort", ports=DNS))
        new.spec.ports = [
            msgspec.structs.replace(new.spec.ports[0], node_port=30005),
            msgspec.structs.replace(new.spec.ports[1], node_port=30006),
            msgspec.structs.replace(new.spec.ports[1], protocol="SCTP", node_port=0),
        ]
        allocate(new, pools(), SINGLE, created=True)
        assert [port.node_port for port in new.spec.ports] == [30005, 30006, 30005]

    def test_a_load_balancer_may_do_without(self):
        new, _ = given(web(type="LoadBalancer", allocateLoadBalancerNodePorts=False))
        assert [port.node_port for port in new.spec.ports] == [0]
        assert not pending(new)

    def test_a_load_balancer_has_them(self):
        new, _ = given(web(type="LoadBalancer"))
        assert [port.node_port for port in new.spec.ports] == [30000]
        assert not pending(new)

    def test_health_check(self):
        new, _ = given(web(type="LoadBalancer", externalTrafficPolicy="Local"))
        assert ([port.node_port for port in new.spec.ports], new.spec.health_check_node_port) == ([30000], 30001)
        assert not pending(new)

    def test_all_of_them_or_none(self):
        few = pools(node_ports=PortPool(30000, 30000))
        new, result = given(web(type="NodePort", ports=TWO), from_=few)
        assert [port.node_port for port in new.spec.ports] == [0, 0]
        assert [(each.reason, each.pool, each.size, each.free) for each in result.shortages] == [
            ("PoolExhausted", "node ports 30000-30000", 1, 1)
        ]
        assert result.exhausted == ((few.node_ports, 2),)
        assert pending(new)

    def test_a_health_check_is_one_of_them(self):
        few = pools(node_ports=PortPool(30000, 30000))
        new, result = given(web(type="LoadBalancer", externalTrafficPolicy="Local"), from_=few)
        assert ([port.node_port for port in new.spec.ports], new.spec.health_check_node_port) == ([0], 0)
        assert (len(result.shortages), few.node_ports.free) == (1, 1)
        assert pending(new)

    def test_what_shares_a_number_needs_only_one(self):
        new, _ = given(web(type="NodePort", ports=DNS), from_=pools(node_ports=PortPool(30000, 30000)))
        assert [port.node_port for port in new.spec.ports] == [30000, 30000]
        assert not pending(new)


class TestFrontends:
    def test_external_by_default(self):
        new, _ = given(web(type="LoadBalancer"), OURS)
        assert ingress(new) == ["20.0.0.1"]
        assert not pending(new)

    def test_internal_by_annotation(self):
        new, _ = given(web(type="LoadBalancer"), OURS, annotations={INTERNAL: "true"})
        assert ingress(new) == ["10.240.0.1"]

    def test_one_of_each_family(self):
        new, _ = given(web(type="LoadBalancer", ipFamilyPolicy="RequireDualStack"), OURS_DUAL)
        assert ingress(new) == ["20.0.0.1", "fd02::1"]

    @pytest.mark.parametrize(
        ("spec", "annotations", "address"),
        [
            ({"loadBalancerIP": "20.0.0.5"}, {}, "20.0.0.5"),
            ({"loadBalancerIP": "20.0.0.5"}, {IPV4: "20.0.0.6"}, "20.0.0.6"),
            ({}, {IPV4: "20.0.0.6"}, "20.0.0.6"),
            ({}, {INTERNAL: "true", IPV4: "10.240.0.7"}, "10.240.0.7"),
            ({"loadBalancerIP": "20.0.0.5"}, {IPV4: "20.0.0.6", NAME: "front"}, "20.0.0.8"),
        ],
    )
    def test_the_address_asked_for(self, spec, annotations, address):
        named = pools(static_addresses={"shop/front": "20.0.0.8", "other/front": "20.0.0.9"})
        new, result = given(web(type="LoadBalancer", **spec), OURS, from_=named, annotations=annotations)
        assert ingress(new) == [address]
        assert all(pool is not named.external["IPv4"] for pool, _ in result.picked)

    @pytest.mark.parametrize(
        ("spec", "annotations", "asked"),
        [
            ({"loadBalancerIP": "20.0.0.5"}, {}, StaticAddress("20.0.0.5", "", "spec.loadBalancerIP")),
            ({}, {IPV4: "20.0.0.6"}, StaticAddress("20.0.0.6", "", f"metadata.annotations[{IPV4}]")),
            ({}, {NAME: "front"}, StaticAddress("", "front", f"metadata.annotations[{NAME}]")),
            ({}, {IPV4: "fd02::1"}, None),
            ({}, {}, None),
        ],
    )
    def test_where_it_is_asked_for(self, spec, annotations, asked):
        assert static_address(service(web(type="LoadBalancer", **spec), annotations=annotations), "IPv4") == asked

    def test_a_name_that_nobody_reserved(self):
        new, result = given(web(type="LoadBalancer"), OURS, annotations={NAME: "front"})
        assert ingress(new) == []
        assert [(each.reason, each.pool, each.size, each.free) for each in result.shortages] == [
            ("AddressNotFound", "front", 0, 0)
        ]
        assert condition(new, "Allocated") == ("False", "AddressNotFound")
        assert pending(new, OURS)

    def test_a_subnet(self):
        parts = pools(subnets={"apps": {"IPv4": pool("apps", "10.241.0.1-10.241.0.9")}})
        annotations = {INTERNAL: "true", SUBNET: "apps"}
        new, _ = given(web(type="LoadBalancer"), OURS, from_=parts, annotations=annotations)
        assert ingress(new) == ["10.241.0.1"]

    def test_a_subnet_that_does_not_exist(self):
        annotations = {INTERNAL: "true", SUBNET: "apps"}
        new, result = given(web(type="LoadBalancer"), OURS, annotations=annotations)
        assert ingress(new) == []
        assert [(each.reason, each.pool, each.size, each.free) for each in result.shortages] == [
            ("NoPool", "apps", 0, 0)
        ]

    def test_a_subnet_means_nothing_outside(self):
        new, _ = given(web(type="LoadBalancer"), OURS, annotations={SUBNET: "apps"})
        assert ingress(new) == ["20.0.0.1"]

    def test_no_pool_of_a_family(self):
        few = pools(external={"IPv4": pool("external", "20.0.0.1-20.0.0.9")})
        new, result = given(web(type="LoadBalancer", ipFamilyPolicy="RequireDualStack"), OURS_DUAL, from_=few)
        assert ingress(new) == ["20.0.0.1"]
        assert [(each.reason, each.pool, each.size, each.free) for each in result.shortages] == [
            ("NoPool", "external IPv6 load balancer address", 0, 0)
        ]
        assert pending(new, OURS_DUAL)

    def test_additional_addresses(self):
        new, _ = given(web(type="LoadBalancer"), OURS, annotations={MORE: "30.0.0.1, 30.0.0.2,30.0.0.1"})
        assert ingress(new) == ["20.0.0.1", "30.0.0.1", "30.0.0.2"]
        assert not pending(new, OURS)

    def test_an_additional_address_that_is_asked_for_is_the_frontend(self):
        new, _ = given(web(type="LoadBalancer"), OURS, annotations={IPV4: "20.0.0.5", MORE: "20.0.0.5,30.0.0.1"})
        assert ingress(new) == ["20.0.0.5", "30.0.0.1"]
        assert not pending(new, OURS)

    @pytest.mark.parametrize(
        ("spec", "at"),
        [
            (web(type="LoadBalancer"), SINGLE),
            (web(type="LoadBalancer", loadBalancerClass="a/b"), OURS),
            (web(type="NodePort"), OURS),
            (web(), OURS),
            (ALIAS, OURS),
        ],
    )
    def test_none_for_what_is_not_ours(self, spec, at):
        new, _ = given(spec, at, annotations={MORE: "30.0.0.1"})
        assert ingress(new) == []
        assert condition(new, "Programmed") is None
        assert not pending(new, at)
        assert not any(claim.table.startswith("lb_") for claim in SERVICE.strategy.claims(new, at))

    def test_what_is_held_stays(self):
        new, _ = given(web(type="LoadBalancer"), OURS)
        again = allocate(new, pools(), OURS, created=False)
        assert ingress(new) == ["20.0.0.1"]
        assert again.picked == ()


class TestResult:
    def test_picks_can_be_given_back(self):
        some = pools()
        new, result = given(web(type="LoadBalancer", externalTrafficPolicy="Local"), OURS, from_=some)
        held = [value for _, value in result.picked]
        assert held == ["10.96.0.1", 30000, 30001, "20.0.0.1"]
        assert some.node_ports.holds(30000)
        result.give_back()
        assert not some.node_ports.holds(30000)
        assert not some.cluster_ips["IPv4"].holds("10.96.0.1")
        assert not some.external["IPv4"].holds("20.0.0.1")
        del new

    def test_shortages_are_said_in_full(self):
        few = pools(cluster_ips={"IPv4": pool("ClusterIP")}, node_ports=PortPool(5, 4), external={})
        new, result = given(
            web(type="LoadBalancer", externalTrafficPolicy="Local"), OURS, from_=few, annotations={NAME: "front"}
        )
        again = "; it is tried again as soon as one is released"
        assert [each.message for each in result.shortages] == [
            f"no IPv4 ClusterIP: 0 of 0 are free in ClusterIP{again}",
            (
                "no node port for port 80/TCP, no health check node port: 0 of 0 are free in node ports 5-4; "
                "it is tried again as soon as 2 are free at once"
            ),
            (
                'metadata.annotations[service.beta.kubernetes.io/azure-pip-name] names the static address "front", '
                "which this namespace does not have"
            ),
        ]
        assert condition(new, "Allocated") == ("False", "PoolExhausted")
        assert result.exhausted == ((few.cluster_ips["IPv4"], 1), (few.node_ports, 2))

    @pytest.mark.parametrize(
        ("annotations", "message"),
        [
            ({}, "no external IPv4 load balancer address: there is no pool of them; add one, and it is given at once"),
            (
                {INTERNAL: "true"},
                "no internal IPv4 load balancer address: there is no pool of them; add one, and it is given at once",
            ),
            (
                {INTERNAL: "true", SUBNET: "apps"},
                (
                    "metadata.annotations[service.beta.kubernetes.io/azure-load-balancer-internal-subnet] names "
                    'the subnet "apps", which does not exist'
                ),
            ),
            (
                {INTERNAL: "true", SUBNET: "db"},
                "no IPv4 address in subnet db: there is no pool of them; add one, and it is given at once",
            ),
        ],
    )
    def test_a_missing_pool_is_said_in_full(self, annotations, message):
        none = pools(external={}, internal={}, subnets={"db": {}})
        _, result = given(web(type="LoadBalancer"), OURS, from_=none, annotations=annotations)
        assert [each.message for each in result.shortages] == [message]

    def test_what_is_being_deleted_is_not_pending(self):
        new, _ = created(web(type="LoadBalancer"), OURS)
        assert pending(new, OURS)
        new.metadata.deletion_timestamp = NOW
        assert not pending(new, OURS)
