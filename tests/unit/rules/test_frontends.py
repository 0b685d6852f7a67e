"""Load balancer addresses: which a Service keeps, and which it may ask for."""

import pytest

from app.domain.kinds.service import LoadBalancerIngress
from app.domain.rules.address_claims import claimed_address
from app.domain.rules.pool_description import PoolDescription
from app.domain.rules.service.changing_addresses import changing_families
from tests.unit.rules.builders import (
    OURS,
    OURS_DUAL,
    cluster,
    created,
    faults,
    stored,
    updated,
    wanted,
    web,
)
from tests.unit.rules.picking import (
    INTERNAL,
    IPV4,
    MORE,
    NAME,
    SUBNET,
    allocated,
    claimed,
    given,
    ingress,
    pending,
    pools,
)


def balanced(spec=None, at=OURS_DUAL, **annotations):
    """A LoadBalancer Service with its addresses."""
    new, _ = given(web(type="LoadBalancer", **(spec or {})), at, annotations=annotations or None)
    return new


class TestKeepingFrontends:
    """A Service keeps the address it has."""

    @pytest.mark.parametrize(
        ("before", "spec", "annotations", "kept"),
        [
            ({}, {}, {}, ["20.0.0.1"]),
            ({}, {"selector": {"app": "y"}}, {"any": "thing"}, ["20.0.0.1"]),
            ({}, {}, {INTERNAL: "false"}, ["20.0.0.1"]),
            ({}, {}, {INTERNAL: "true"}, ["changes: 20.0.0.1"]),
            ({INTERNAL: "true"}, {}, {}, ["changes: 10.240.0.1"]),
            ({INTERNAL: "true"}, {}, {INTERNAL: "true"}, ["10.240.0.1"]),
            ({INTERNAL: "true"}, {}, {INTERNAL: "true", SUBNET: "apps"}, ["changes: 10.240.0.1"]),
            ({}, {"loadBalancerIP": "20.0.0.5"}, {}, ["changes: 20.0.0.1"]),
            ({}, {"loadBalancerIP": "20.0.0.1"}, {}, ["20.0.0.1"]),
            ({IPV4: "20.0.0.5"}, {}, {IPV4: "20.0.0.5"}, ["20.0.0.5"]),
            ({IPV4: "20.0.0.5"}, {}, {IPV4: "20.0.0.6"}, ["changes: 20.0.0.5"]),
            ({IPV4: "20.0.0.5"}, {}, {}, ["changes: 20.0.0.5"]),
            ({IPV4: "20.0.0.5"}, {"loadBalancerIP": "20.0.0.5"}, {}, ["20.0.0.5"]),
            ({MORE: "30.0.0.1"}, {}, {MORE: "30.0.0.1"}, ["20.0.0.1", "30.0.0.1"]),
            ({MORE: "30.0.0.1"}, {}, {MORE: "30.0.0.2"}, ["20.0.0.1"]),
            ({MORE: "30.0.0.1"}, {}, {}, ["20.0.0.1"]),
        ],
    )
    def test_on_update(self, before, spec, annotations, kept):
        old = balanced(at=OURS, **before)
        new, causes = updated(web(type="LoadBalancer", **spec), old, OURS, annotations=annotations)
        assert faults(causes) == set()
        changing = changing_families(new)
        assert [f"changes: {each}" if changing else each for each in ingress(new)] == kept
        assert set(ingress(new)) <= {
            claimed_address(key) for table, key in claimed(new, OURS) if table == "lb_addresses"
        }
        assert pending(new, OURS) or not changing

    def test_of_a_family_that_is_dropped(self):
        old = balanced({"ipFamilyPolicy": "RequireDualStack"})
        assert ingress(old) == ["20.0.0.1", "fd02::1"]
        new, causes = updated(web(type="LoadBalancer", ipFamilyPolicy="SingleStack"), old, OURS_DUAL)
        assert causes == []
        assert ingress(new) == ["20.0.0.1"]
        assert not pending(new, OURS_DUAL)

    def test_of_a_family_that_is_added(self):
        old = balanced()
        new, causes = updated(web(type="LoadBalancer", ipFamilyPolicy="RequireDualStack"), old, OURS_DUAL)
        assert causes == []
        assert ingress(new) == ["20.0.0.1"]
        assert pending(new, OURS_DUAL)
        allocated(new, OURS_DUAL)
        assert ingress(new) == ["20.0.0.1", "fd02::1"]

    def test_a_hostname_stays(self):
        old = balanced(at=OURS)
        old.status.load_balancer.ingress = [LoadBalancerIngress(hostname="a.example.com")]
        new, _ = updated(web(type="LoadBalancer"), old, OURS)
        assert [point.hostname for point in new.status.load_balancer.ingress] == ["a.example.com"]

    def test_by_name_until_the_name_changes(self):
        named = pools(static_addresses={"shop/a": "20.0.0.8"})
        old, _ = given(web(type="LoadBalancer"), OURS, from_=named, annotations={NAME: "a"})
        same, _ = updated(web(type="LoadBalancer"), old, OURS, annotations={NAME: "a"})
        assert ingress(same) == ["20.0.0.8"]
        other, _ = updated(web(type="LoadBalancer"), old, OURS, annotations={NAME: "b"})
        assert (ingress(other), changing_families(other)) == (["20.0.0.8"], ("IPv4",))

    def test_somebody_elses_controller_keeps_its_own(self):
        old = stored(web(type="LoadBalancer", clusterIP="10.96.0.7"))
        old.status.load_balancer.ingress = [LoadBalancerIngress(ip="9.9.9.9", ip_mode="VIP")]
        new, _ = updated(web(type="LoadBalancer"), old, annotations={INTERNAL: "true"})
        assert ingress(new) == ["9.9.9.9"]


def described(**scopes):
    """A cluster with a pool of some ranges for each scope."""
    return cluster(ours=True, pools=tuple(PoolDescription.of(name, name, texts) for name, texts in scopes.items()))


POOLED = described(internal=["10.240.0.0/24"], external=["20.0.0.1-20.0.0.9"])


class TestAskingForFrontends:
    @pytest.mark.parametrize(
        ("spec", "annotations", "lines"),
        [
            ({"loadBalancerIP": "20.0.0.5"}, {}, []),
            ({"loadBalancerIP": "10.240.0.5"}, {INTERNAL: "true"}, []),
            ({}, {IPV4: "20.0.0.9"}, []),
            ({}, {NAME: "front"}, []),
            ({"loadBalancerIP": "x"}, {}, ["spec.loadBalancerIP invalid"]),
            ({"loadBalancerIP": "fd00::1"}, {}, ["spec.loadBalancerIP invalid"]),
            ({"loadBalancerIP": "20.0.0.10"}, {}, ["spec.loadBalancerIP invalid"]),
            ({"loadBalancerIP": "10.240.0.5"}, {}, ["spec.loadBalancerIP invalid"]),
            ({"loadBalancerIP": "20.0.0.5"}, {INTERNAL: "true"}, ["spec.loadBalancerIP invalid"]),
            ({}, {IPV4: "20.0.0.10"}, [f"metadata.annotations[{IPV4}] invalid"]),
            ({"loadBalancerIP": "20.0.0.10"}, {IPV4: "20.0.0.5"}, []),
        ],
    )
    def test_on_create(self, spec, annotations, lines):
        _, causes = created(web(type="LoadBalancer", **spec), POOLED, annotations=annotations)
        assert faults(causes) == wanted(*lines)

    @pytest.mark.parametrize(
        ("spec", "annotations", "lines"),
        [
            ({"loadBalancerIP": "99.0.0.1"}, {}, []),
            ({"loadBalancerIP": "99.0.0.2"}, {}, ["spec.loadBalancerIP invalid"]),
            ({"loadBalancerIP": "99.0.0.1"}, {INTERNAL: "true"}, ["spec.loadBalancerIP invalid"]),
        ],
    )
    def test_what_is_stored_is_tolerated(self, spec, annotations, lines):
        old, causes = created(web(type="LoadBalancer", clusterIP="10.96.0.7", loadBalancerIP="99.0.0.1"), OURS)
        assert causes == []
        _, causes = updated(web(type="LoadBalancer", **spec), old, POOLED, annotations=annotations)
        assert faults(causes) == wanted(*lines)

    @pytest.mark.parametrize("text", ["x", "fd00::1"])
    def test_a_stored_misspelling_is_tolerated_only_if_we_served_it(self, text):
        old, causes = created(web(type="LoadBalancer", clusterIP="10.96.0.7", loadBalancerIP=text))
        assert causes == []
        _, causes = updated(web(type="LoadBalancer", loadBalancerIP=text), old, POOLED)
        assert causes == []

    def test_becoming_ours_brings_the_rules(self):
        old = stored(web(clusterIP="10.96.0.7", loadBalancerIP="x"), POOLED)
        _, causes = updated(web(type="LoadBalancer", loadBalancerIP="x"), old, POOLED)
        assert faults(causes) == wanted("spec.loadBalancerIP invalid")

    def test_without_pools_any_address_will_do(self):
        _, causes = created(web(type="LoadBalancer", loadBalancerIP="99.0.0.1"), OURS)
        assert causes == []

    @pytest.mark.parametrize(
        ("at", "spec", "annotations", "message"),
        [
            (
                POOLED,
                {"loadBalancerIP": "20.0.0.10"},
                {},
                '"20.0.0.10": must be a usable address of the external pools: external 20.0.0.1-20.0.0.9',
            ),
            (
                POOLED,
                {"loadBalancerIP": "20.0.0.1"},
                {INTERNAL: "true"},
                '"20.0.0.1": must be a usable address of the internal pools: internal 10.240.0.0/24',
            ),
            (
                described(internal=["10.240.0.0/24", "10.241.0.0/24"]),
                {"loadBalancerIP": "20.0.0.1"},
                {},
                '"20.0.0.1": must be a usable address of the external pools: there is no such pool',
            ),
            (
                described(external=["20.1.0.0/24", "20.2.0.0/24"]),
                {"loadBalancerIP": "20.0.0.1"},
                {},
                '"20.0.0.1": must be a usable address of the external pools: external 20.1.0.0/24, 20.2.0.0/24',
            ),
            (
                POOLED,
                {"loadBalancerIP": "x"},
                {},
                '"x": must be an IP address, such as 10.9.8.7 or 2001:db8::ffff',
            ),
            (POOLED, {"loadBalancerIP": "::1"}, {}, '"::1": must be IPv4, as in spec.ipFamilies'),
        ],
    )
    def test_messages(self, at, spec, annotations, message):
        _, causes = created(web(type="LoadBalancer", **spec), at, annotations=annotations)
        assert [cause.message for cause in causes] == [f"Invalid value: {message}"]
