"""Conditions: how far a Service has come, and why not further."""

import pytest
from msgspec.structs import replace

from app.domain.declarations.service import SERVICE
from app.domain.kinds.meta import Condition
from app.domain.rules.data_plane import DescribedPlane
from app.domain.wanted.programming import programmed
from tests.unit.rules.builders import (
    ALIAS,
    DUAL,
    LATER,
    NOW,
    OURS,
    SINGLE,
    cluster,
    condition,
    created,
    stored,
    updated,
    web,
)
from tests.unit.rules.picking import MORE, OUTSIDE, allocated, given, no_cluster_ips, node_ports, pending, pools


class TestConditions:
    def test_before_anything_is_allocated(self):
        new, _ = created(web(type="LoadBalancer", externalTrafficPolicy="Local"), OURS, annotations={MORE: "30.0.0.1"})
        shown = {
            item.type: (item.status, item.reason, item.message, item.last_transition_time)
            for item in new.status.conditions
        }
        assert shown == {
            "Programmed": ("Unknown", "NoDataPlane", "no data plane has reported yet", NOW),
            "Allocated": (
                "False",
                "Pending",
                (
                    "waiting for an IPv4 ClusterIP, a node port for port 80/TCP, a health check node port, "
                    "an IPv4 load balancer address, the additional address 30.0.0.1"
                ),
                NOW,
            ),
            "Resolvable": ("False", "NoClusterIP", "the name gets its records with the IPv4 ClusterIP", NOW),
        }

    def test_where_no_reconciler_allocates(self):
        alone = replace(OURS, allocating=False)
        new, _ = created(web(), alone)
        (told,) = (item for item in new.status.conditions if item.type == "Allocated")
        assert (told.status, told.reason) == ("False", "NoReconciler")
        assert told.message == "no reconciler allocates at the moment; waiting for an IPv4 ClusterIP"
        assert SERVICE.strategy.untried(new, alone)
        SERVICE.strategy.explain_pending(new, OURS)
        assert condition(new, "Allocated") == ("False", "Pending")
        SERVICE.strategy.explain_pending(new, alone)
        assert condition(new, "Allocated") == ("False", "NoReconciler")

    def test_what_an_exhausted_pool_explains_needs_no_other_reason(self):
        new, _ = given(web(), from_=pools(cluster_ips=no_cluster_ips()))
        SERVICE.strategy.explain_pending(new, replace(OURS, allocating=False))
        assert condition(new, "Allocated") == ("False", "PoolExhausted")

    def test_after_everything_is_allocated(self):
        new, _ = given(web(type="LoadBalancer"), OURS)
        shown = {item.type: (item.status, item.reason, item.message) for item in new.status.conditions}
        assert shown == {
            "Programmed": ("Unknown", "NoDataPlane", "no data plane has reported yet"),
            "Allocated": ("True", "Allocated", "all addresses and ports of the spec are allocated"),
            "Resolvable": ("True", "RecordsExist", "the name resolves to the ClusterIPs"),
        }

    @pytest.mark.parametrize(
        ("spec", "message"),
        [
            (ALIAS, "the name is an alias of spec.externalName"),
            (web(clusterIP="None"), "the name resolves to the addresses of the endpoints"),
            (web(clusterIP="10.96.0.7"), "the name resolves to the ClusterIPs"),
        ],
    )
    def test_nothing_to_allocate(self, spec, message):
        new, _ = created(spec)
        assert [(item.type, item.status, item.message) for item in new.status.conditions] == [
            ("Allocated", "True", "all addresses and ports of the spec are allocated"),
            ("Resolvable", "True", message),
        ]

    @pytest.mark.parametrize("selector", [{"app": "x"}, None])
    def test_a_headless_service_of_both_families_lacks_nothing(self, selector):
        new, causes = created(web(clusterIP="None", ipFamilyPolicy="RequireDualStack", selector=selector), DUAL)
        assert causes == []
        assert new.spec.ip_families == ["IPv4", "IPv6"]
        assert condition(new, "Allocated") == ("True", "Allocated")
        assert not pending(new)

    def test_both_families_are_missed(self):
        new, _ = created(web(ipFamilyPolicy="RequireDualStack"), DUAL)
        resolvable = next(item for item in new.status.conditions if item.type == "Resolvable")
        assert resolvable.message == "the name gets its records with the IPv4 and IPv6 ClusterIP"

    def test_the_time_moves_with_the_status_only(self):
        short = pools(cluster_ips=no_cluster_ips())
        new, _ = created(web())
        later = cluster(now=LATER)
        allocated(new, later, short, is_new=True)
        told = next(item for item in new.status.conditions if item.type == "Allocated")
        assert (told.reason, told.last_transition_time) == ("PoolExhausted", NOW)
        allocated(new, later, pools(), is_new=True)
        told = next(item for item in new.status.conditions if item.type == "Allocated")
        assert (told.reason, told.last_transition_time) == ("Allocated", LATER)

    def test_a_shortage_is_explained_until_it_is_over(self):
        new, _ = given(web(), from_=pools(cluster_ips=no_cluster_ips()))
        again, causes = updated(web(selector={"app": "y"}), new)
        assert causes == []
        assert condition(again, "Allocated") == ("False", "PoolExhausted")
        helped, causes = updated(web(clusterIP="10.96.0.7"), new)
        assert causes == []
        assert condition(helped, "Allocated") == ("True", "Allocated")
        assert condition(helped, "Resolvable") == ("True", "RecordsExist")
        assert not pending(helped)

    def test_what_is_missing_besides_has_not_been_tried_yet(self):
        new, _ = given(web(), from_=pools(cluster_ips=no_cluster_ips()))
        more, causes = updated(web(type="NodePort"), new)
        assert causes == []
        assert condition(more, "Allocated") == ("False", "Pending")

    def test_a_service_is_untried_until_somebody_said_why_it_is_short(self):
        new, _ = created(web())
        assert SERVICE.strategy.untried(new, SINGLE)
        allocated(new, SINGLE, pools(cluster_ips=no_cluster_ips()), is_new=True)
        assert pending(new)
        assert not SERVICE.strategy.untried(new, SINGLE)
        allocated(new, SINGLE, pools(), is_new=True)
        assert not SERVICE.strategy.untried(new, SINGLE)

    def test_programmed_comes_and_goes_with_the_type(self):
        plain = stored(web(clusterIP="10.96.0.7"), OURS)
        balanced, _ = updated(web(type="LoadBalancer"), plain, OURS)
        assert condition(balanced, "Programmed") == ("Unknown", "NoDataPlane")
        assert pending(balanced, OURS)
        again, _ = updated(web(), balanced, OURS)
        assert condition(again, "Programmed") is None
        assert [item.type for item in again.status.conditions] == ["Allocated", "Resolvable"]
        assert not pending(again, OURS)

    @pytest.mark.parametrize(
        ("scopes", "named", "reason"),
        [
            (("external",), None, "Waiting"),
            (("internal",), None, "NoDataPlane"),
            (("external",), ("elsewhere",), "NoDataPlane"),
        ],
    )
    def test_whether_any_data_plane_serves_it_is_said_with_its_addresses(self, scopes, named, reason):
        plane = DescribedPlane("edge", scopes, named, connected=True, revision=1, trouble="", rejected={})
        new, _ = given(web(type="LoadBalancer"), cluster(ours=True, data_planes=(plane,)))
        assert condition(new, "Programmed") == ("Unknown", reason)
        # As its controller would say.
        found = programmed(new, [("external", OUTSIDE.name)], 2, [plane], late=False)
        assert (found.reason if found else "Waiting") == reason

    def test_when_programmed_goes_the_others_stay(self):
        balanced, _ = given(web(type="LoadBalancer"), OURS)
        balanced.status.conditions.append(Condition(type="Other", status="True"))
        again, _ = updated(web(), balanced, cluster(ours=True, now=LATER))
        assert [(item.type, item.last_transition_time) for item in again.status.conditions] == [
            ("Allocated", NOW),
            ("Resolvable", NOW),
            ("Other", None),
        ]

    def test_all_shortages_are_told(self):
        none = pools(cluster_ips=no_cluster_ips(), node_ports=node_ports(5, 4))
        new, result = given(web(type="NodePort"), from_=none)
        allocated = new.status.conditions[0]
        assert allocated.message == "; ".join(each.message for each in result.shortages)
        assert len(result.shortages) == 2

    def test_programmed_keeps_what_the_controller_wrote(self):
        new, _ = given(web(type="LoadBalancer"), OURS)
        for item in new.status.conditions:
            if item.type == "Programmed":
                item.status, item.reason = "True", "Programmed"
        again, _ = updated(web(type="LoadBalancer", selector={"app": "y"}), new, OURS)
        assert condition(again, "Programmed") == ("True", "Programmed")
