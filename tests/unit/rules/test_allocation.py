"""Allocation: what a Service lacks is picked, and only that; what the pools cannot give is named."""

import msgspec
import pytest

from app.domain.declarations.service import SERVICE
from app.domain.rules.pool_description import PoolDescription
from app.domain.rules.service.load_balancer_wish import AskedAddress, wish_of
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
from tests.unit.rules.picking import (
    INSIDE,
    INTERNAL,
    IPV4,
    MORE,
    NAME,
    OUTSIDE,
    SUBNET,
    allocated,
    cluster_ips,
    given,
    ingress,
    no_cluster_ips,
    node_ports,
    pending,
    pools,
)


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
        assert allocated(new, SINGLE, pools(), is_new=True).picked == ()
        assert spec_of(new) == before

    def test_a_short_primary_leaves_the_second_for_later(self):
        short = pools(cluster_ips=no_cluster_ips(**cluster_ips("fd00::1-fd00::9")))
        new, result = given(web(ipFamilyPolicy="RequireDualStack"), DUAL, from_=short)
        assert new.spec.cluster_ips is None
        assert [shortage.pool for shortage in result.shortages] == ["ClusterIP 10.96.0.0/31"]
        assert pending(new)

    def test_a_short_second_leaves_the_first(self):
        short = pools(cluster_ips={**cluster_ips("10.96.0.1-10.96.0.9"), "IPv6": no_cluster_ips()["IPv4"]})
        new, result = given(web(ipFamilyPolicy="RequireDualStack"), DUAL, from_=short)
        assert new.spec.cluster_ips == ["10.96.0.1"]
        assert len(result.shortages) == 1
        assert pending(new)
        assert allocated(new, DUAL).shortages == ()
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
        allocated(new, SINGLE, pools(), is_new=True)
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
        few = pools(node_ports=node_ports(30000, 30000))
        new, result = given(web(type="NodePort", ports=TWO), from_=few)
        assert [port.node_port for port in new.spec.ports] == [0, 0]
        assert [(each.reason, each.pool, each.size, each.free) for each in result.shortages] == [
            ("PoolExhausted", "node ports 30000-30000", 1, 1)
        ]
        assert result.exhausted == ((few.pools.node_ports, 2),)
        assert pending(new)

    def test_a_health_check_is_one_of_them(self):
        few = pools(node_ports=node_ports(30000, 30000))
        new, result = given(web(type="LoadBalancer", externalTrafficPolicy="Local"), from_=few)
        assert ([port.node_port for port in new.spec.ports], new.spec.health_check_node_port) == ([0], 0)
        assert (len(result.shortages), few.pools.node_ports.free) == (1, 1)
        assert pending(new)

    def test_what_shares_a_number_needs_only_one(self):
        new, _ = given(web(type="NodePort", ports=DNS), from_=pools(node_ports=node_ports(30000, 30000)))
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
        assert all(table != "lb_addresses" for table, _ in result.picked)

    @pytest.mark.parametrize(
        ("spec", "annotations", "asked"),
        [
            ({"loadBalancerIP": "20.0.0.5"}, {}, AskedAddress("20.0.0.5", "", "spec.loadBalancerIP")),
            ({}, {IPV4: "20.0.0.6"}, AskedAddress("20.0.0.6", "", f"metadata.annotations[{IPV4}]")),
            ({}, {NAME: "front"}, AskedAddress("", "front", f"metadata.annotations[{NAME}]")),
            ({}, {IPV4: "fd02::1"}, None),
            ({}, {}, None),
        ],
    )
    def test_where_it_is_asked_for(self, spec, annotations, asked):
        assert wish_of(service(web(type="LoadBalancer", **spec), annotations=annotations)).asked.get("IPv4") == asked

    def test_a_name_that_nobody_reserved(self):
        new, result = given(web(type="LoadBalancer"), OURS, annotations={NAME: "front"})
        assert ingress(new) == []
        assert [(each.reason, each.pool, each.size, each.free) for each in result.shortages] == [
            ("AddressNotFound", "front", 0, 0)
        ]
        assert condition(new, "Allocated") == ("False", "AddressNotFound")
        assert pending(new, OURS)

    def test_a_subnet(self):
        parts = pools(PoolDescription.of("apps", "internal", ["10.241.0.1-10.241.0.9"]))
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
        few = pools(PoolDescription.of("external", "external", ["20.0.0.1-20.0.0.9"]))
        new, result = given(web(type="LoadBalancer", ipFamilyPolicy="RequireDualStack"), OURS_DUAL, from_=few)
        assert ingress(new) == ["20.0.0.1"]
        assert [(each.reason, each.pool, each.size, each.free) for each in result.shortages] == [
            ("NoPool", "no external IPv6 load balancer address", 0, 0)
        ]
        assert pending(new, OURS_DUAL)

    def test_additional_addresses(self):
        new, _ = given(web(type="LoadBalancer"), OURS, annotations={MORE: "30.0.0.1,30.0.0.2,30.0.0.1"})
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
        again = allocated(new, OURS)
        assert ingress(new) == ["20.0.0.1"]
        assert again.picked == ()


def external(name, texts=("20.1.0.1",), **more):
    return PoolDescription.of(name, "external", texts, **more)


class TestChoiceOfPool:
    @pytest.mark.parametrize(
        ("described", "annotations", "address"),
        [
            ([external("a", ["20.1.0.1"]), external("b", ["20.2.0.1"])], {}, "20.1.0.1"),
            ([external("a", ["20.1.0.1"]), external("b", ["20.2.0.1"], priority=1)], {}, "20.2.0.1"),
            ([external("a", ["20.1.0.1"], priority=-1), external("b", ["20.2.0.1"])], {}, "20.2.0.1"),
            ([external("a", ["20.1.0.1"], auto_assign=False), external("b", ["20.2.0.1"])], {}, "20.2.0.1"),
            (
                [external("a", ["20.1.0.1"], obstacle="it leaks"), external("b", ["20.2.0.1"])],
                {},
                "20.2.0.1",
            ),
            ([external("a", ["fd02::1"]), external("b", ["20.2.0.1"])], {}, "20.2.0.1"),
            (
                [external("a", ["20.1.0.1"], namespaces=frozenset()), external("b", namespaces=frozenset({"shop"}))],
                {},
                "20.1.0.1",
            ),
            ([external("a", ["20.1.0.0/31"]), external("b", ["20.2.0.1"])], {SUBNET: "b"}, "20.1.0.0"),
        ],
    )
    def test_the_first_that_may(self, described, annotations, address):
        new, _ = given(web(type="LoadBalancer"), OURS, from_=pools(*described), annotations=annotations)
        assert ingress(new) == [address]

    @pytest.mark.parametrize("name", ["apps", "subnet-1", "subnet-2"])
    def test_by_name_or_alias_even_where_it_is_given_to_nobody_else(self, name):
        aliases = ("subnet-1", "subnet-2")
        apps = PoolDescription.of("apps", "internal", ["10.241.0.1"], auto_assign=False, priority=-5, aliases=aliases)
        annotations = {INTERNAL: "true", SUBNET: name}
        new, _ = given(web(type="LoadBalancer"), OURS, from_=pools(INSIDE, apps), annotations=annotations)
        assert ingress(new) == ["10.241.0.1"]

    def test_the_next_one_where_the_first_is_exhausted(self):
        small = pools(external("a", ["20.1.0.1"]), external("b", ["20.2.0.1"]))
        found = [given(web(type="LoadBalancer"), OURS, from_=small) for _ in range(3)]
        assert [ingress(new) for new, _ in found] == [["20.1.0.1"], ["20.2.0.1"], []]
        _, result = found[2]
        assert [each.message for each in result.shortages] == [
            (
                "no external IPv4 load balancer address: 0 of 1 are free in a 20.1.0.1, 0 of 1 are free in b 20.2.0.1; "
                "it is tried again as soon as one is released"
            )
        ]
        addresses = small.pools.addresses
        assert result.exhausted == ((addresses["a", "IPv4"], 1), (addresses["b", "IPv4"], 1))


class TestResult:
    def test_picks_are_told_as_claims(self):
        _, result = given(web(type="LoadBalancer", externalTrafficPolicy="Local"), OURS)
        assert result.picked == (
            ("cluster_ips", "10.96.0.1"),
            ("node_ports", "30000"),
            ("node_ports", "30001"),
            ("lb_addresses", "20.0.0.1"),
        )

    def test_shortages_are_said_in_full(self):
        few = pools(cluster_ips=no_cluster_ips(), node_ports=node_ports(5, 4))
        new, result = given(
            web(type="LoadBalancer", externalTrafficPolicy="Local"), OURS, from_=few, annotations={NAME: "front"}
        )
        again = "; it is tried again as soon as one is released"
        assert [each.message for each in result.shortages] == [
            f"no IPv4 ClusterIP: 0 of 0 are free in ClusterIP 10.96.0.0/31{again}",
            (
                "no node port for port 80/TCP, no health check node port: 0 of 0 are free in node ports 5-4; "
                "it is tried again as soon as 2 are free at once"
            ),
            (
                'metadata.annotations[service.beta.kubernetes.io/azure-pip-name] asks for "front": '
                "the namespace has no StaticAddress of this name"
            ),
        ]
        assert condition(new, "Allocated") == ("False", "PoolExhausted")
        assert result.exhausted == ((few.pools.cluster_ips["IPv4"], 1), (few.pools.node_ports, 2))

    @pytest.mark.parametrize(
        ("described", "annotations", "why"),
        [
            ([], {}, "external: there is no pool of such addresses; add one, and it is given at once"),
            ([INSIDE], {}, "external: there is no pool of such addresses; add one, and it is given at once"),
            (
                [OUTSIDE],
                {INTERNAL: "true"},
                "internal: there is no pool of such addresses; add one, and it is given at once",
            ),
            (
                [INSIDE],
                {INTERNAL: "true", SUBNET: "apps"},
                'internal: there is no internal pool "apps"; add one, and it is given at once',
            ),
            ([external("six", ["fd02::1"])], {}, 'external: pool "six" has no IPv4 addresses'),
            (
                [external("full", obstacle="it leaks")],
                {},
                'external: pool "full" gives no addresses: it leaks',
            ),
            (
                [external("a", namespaces=frozenset({"other"})), external("b", auto_assign=False)],
                {},
                'external: pool "a" does not admit the namespace shop; pool "b" is only for Services that name it',
            ),
            (
                [external(name, obstacle="it leaks") for name in "abcde"],
                {},
                (
                    'external: pool "a" gives no addresses: it leaks; pool "b" gives no addresses: it leaks; '
                    'pool "c" gives no addresses: it leaks; and 2 more'
                ),
            ),
        ],
    )
    def test_a_missing_pool_is_said_in_full(self, described, annotations, why):
        none = pools(addresses={})._replace(described=tuple(described))
        _, result = given(web(type="LoadBalancer"), OURS, from_=none, annotations=annotations)
        scope, _, reason = why.partition(": ")
        assert [each.message for each in result.shortages] == [f"no {scope} IPv4 load balancer address: {reason}"]
        assert [each.reason for each in result.shortages] == ["NoPool"]
        assert result.exhausted == ()

    def test_what_is_being_deleted_is_not_pending(self):
        new, _ = created(web(type="LoadBalancer"), OURS)
        assert pending(new, OURS)
        new.metadata.deletion_timestamp = NOW
        assert not pending(new, OURS)
