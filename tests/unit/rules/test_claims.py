"""Claims: everything unique that a Service shows, with the field that an error names."""

import pytest

from app.domain.declarations.service import SERVICE
from app.domain.rules.claim import Claim
from tests.unit.rules.builders import (
    ALIAS,
    DNS,
    DUAL,
    OURS,
    SINGLE,
    created,
    service,
    web,
)
from tests.unit.rules.picking import INTERNAL, IPV4, IPV6, MORE, NAME, WHOLE, claimed, given, pools


class TestClaims:
    @pytest.mark.parametrize(
        ("spec", "at", "claims"),
        [
            (ALIAS, SINGLE, []),
            ({**ALIAS, "ports": [{"port": 80, "nodePort": 30001}]}, SINGLE, []),
            (web(clusterIP="None"), SINGLE, []),
            (web(), SINGLE, [Claim("cluster_ips", "10.96.0.1", "spec.clusterIPs")]),
            (
                web(ipFamilyPolicy="RequireDualStack"),
                DUAL,
                [
                    Claim("cluster_ips", "10.96.0.1", "spec.clusterIPs"),
                    Claim("cluster_ips", "fd00::1", "spec.clusterIPs"),
                ],
            ),
            (
                web(type="NodePort", ports=[*DNS, {"name": "x", "port": 80}]),
                SINGLE,
                [
                    Claim("cluster_ips", "10.96.0.1", "spec.clusterIPs"),
                    Claim("node_ports", "30000", "spec.ports[0].nodePort"),
                    Claim("node_ports", "30001", "spec.ports[2].nodePort"),
                ],
            ),
            (
                web(type="LoadBalancer", externalTrafficPolicy="Local"),
                SINGLE,
                [
                    Claim("cluster_ips", "10.96.0.1", "spec.clusterIPs"),
                    Claim("node_ports", "30000", "spec.ports[0].nodePort"),
                    Claim("node_ports", "30001", "spec.healthCheckNodePort"),
                ],
            ),
            (
                web(type="LoadBalancer", allocateLoadBalancerNodePorts=False, ports=DNS),
                OURS,
                [
                    Claim("cluster_ips", "10.96.0.1", "spec.clusterIPs"),
                    Claim("lb_addresses", "20.0.0.1/shop/own", "status.loadBalancer.ingress"),
                    Claim("lb_ports", "20.0.0.1/UDP/53", "status.loadBalancer.ingress"),
                    Claim("lb_ports", "20.0.0.1/TCP/53", "status.loadBalancer.ingress"),
                ],
            ),
            (
                web(type="LoadBalancer", allocateLoadBalancerNodePorts=False, loadBalancerIP="20.0.0.5"),
                OURS,
                [
                    Claim("cluster_ips", "10.96.0.1", "spec.clusterIPs"),
                    Claim("lb_addresses", "20.0.0.5/shop/shared", "spec.loadBalancerIP"),
                    Claim("lb_ports", "20.0.0.5/TCP/80", "spec.ports[0].port"),
                ],
            ),
        ],
    )
    def test_are_what_the_service_shows(self, spec, at, claims):
        new, _ = given(spec, at)
        assert list(SERVICE.strategy.claims(new, at)) == claims

    def test_an_address_asked_for_is_claimed_before_it_is_shown(self):
        new, _ = created(web(type="LoadBalancer", loadBalancerIP="20.0.0.5"), OURS)
        assert claimed(new, OURS) == {("lb_addresses", "20.0.0.5/shop/shared"), ("lb_ports", "20.0.0.5/TCP/80")}

    def test_who_serves_it_is_told_by_type_class_and_cluster(self):
        shown = {"loadBalancer": {"ingress": [{"ip": "20.0.0.1"}]}}
        told = {**shown, "conditions": [{"type": "Programmed", "status": "True"}]}
        frontends = {("lb_addresses", "20.0.0.1/shop/own"), ("lb_ports", "20.0.0.1/TCP/80")}
        for status in (shown, told):
            balanced = service(web(type="LoadBalancer", ports=[{"port": 80, "protocol": "TCP"}]), status=status)
            assert claimed(balanced, OURS) == frontends
            assert claimed(balanced, SINGLE) == set()
            balanced.spec.load_balancer_class = "example.com/other"
            assert claimed(balanced, OURS) == set()

    def test_addresses_by_annotation(self):
        annotations = {IPV4: "20.0.0.5", IPV6: "FD02::5", MORE: "30.0.0.1"}
        new, _ = created(web(type="LoadBalancer"), OURS, annotations=annotations)
        assert {claim for claim in SERVICE.strategy.claims(new, OURS) if claim.table == "lb_addresses"} == {
            Claim("lb_addresses", "20.0.0.5/shop/shared", f"metadata.annotations[{IPV4}]"),
            Claim("lb_addresses", "30.0.0.1//shared", f"metadata.annotations[{MORE}]"),
        }

    def test_an_address_found_by_name_is_shared(self):
        new, _ = given(
            web(type="LoadBalancer"),
            OURS,
            from_=pools(static_addresses={"shop/a": "20.0.0.8"}),
            annotations={NAME: "a"},
        )
        assert ("lb_addresses", "20.0.0.8/shop/shared") in claimed(new, OURS)

    def test_one_rule_for_all_ports_shares_with_nobody(self):
        annotations = {INTERNAL: "true", WHOLE: "true", IPV4: "10.240.0.5"}
        new, _ = given(web(type="LoadBalancer"), OURS, annotations=annotations)
        assert ("lb_addresses", "10.240.0.5/shop/alone") in claimed(new, OURS)

    def test_addresses_are_claimed_in_canonical_text(self):
        new, causes = created(web(clusterIP="FD00:10:96:0::9"), DUAL)
        assert causes == []
        assert claimed(new) == {("cluster_ips", "fd00:10:96::9")}
