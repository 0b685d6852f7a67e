"""Writing the status of a Service: what is refused, what stays as it is."""

import msgspec
import pytest

from app.domain.declarations.service import SERVICE
from app.domain.kinds.meta import Condition
from app.domain.kinds.service import LoadBalancerIngress
from tests.unit.rules.builders import OURS, SINGLE, faults, service, stored, wanted, web
from tests.unit.rules.picking import allocated, given

BALANCED = web(type="LoadBalancer", clusterIP="10.96.0.9")
SUBDOMAIN = "must be DNS labels of lower-case letters, digits and '-' joined by '.', such as example.com"


def written(status, old, at=SINGLE, spec=BALANCED, **metadata):
    new = service(spec, status=status, **metadata)
    before = msgspec.json.encode(old)
    SERVICE.strategy.default(new)
    SERVICE.strategy.prepare_status(new, old, at)
    causes = SERVICE.strategy.validate_status(new, old, at)
    assert msgspec.json.encode(old) == before
    return new, causes


def points(*ingress):
    return {"loadBalancer": {"ingress": list(ingress)}}


REFUSED = {
    "no address": (points({"ip": "x"}), ["ip invalid"]),
    "leading zeros": (points({"ip": "1.2.3.04"}), ["ip invalid"]),
    "mapped": (points({"ip": "::ffff:1.2.3.4"}), ["ip invalid"]),
    "mode unknown": (points({"ip": "1.2.3.4", "ipMode": "Tunnel"}), ["ipMode unsupported"]),
    "mode empty": (points({"ip": "1.2.3.4", "ipMode": ""}), ["ipMode unsupported"]),
    "mode without address": (points({"hostname": "a", "ipMode": "VIP"}), ["ipMode forbidden"]),
    "hostname bad": (points({"hostname": "A_b"}), ["hostname invalid"]),
    "hostname an address": (points({"hostname": "1.2.3.4"}), ["hostname invalid"]),
    "hostname an address of IPv6": (points({"hostname": "fd00::1"}), ["hostname invalid"]),
    "several": (
        points({"ip": "x", "ipMode": "y", "hostname": "Z"}),
        ["ip invalid", "ipMode unsupported", "hostname invalid"],
    ),
}


@pytest.mark.parametrize(("status", "lines"), REFUSED.values(), ids=REFUSED)
def test_is_refused(status, lines):
    _, causes = written(status, stored(BALANCED))
    assert faults(causes) == wanted(*(f"status.loadBalancer.ingress[0].{line}" for line in lines))


def test_the_point_at_fault_is_named():
    _, causes = written(points({"ip": "1.2.3.4"}, {"ip": "x"}), stored(BALANCED))
    assert faults(causes) == wanted("status.loadBalancer.ingress[1].ip invalid")


def test_each_point_at_fault_is_named():
    _, causes = written(points({"ip": "x"}, {"ip": "1.2.3.4"}, {"ip": "y"}), stored(BALANCED))
    assert faults(causes) == wanted(*(f"status.loadBalancer.ingress[{i}].ip invalid" for i in (0, 2)))


def test_an_address_without_mode_is_a_vip_if_the_type_is_sent():
    new, causes = written(points({"ip": "1.2.3.4"}), stored(BALANCED))
    assert causes == []
    assert new.status.load_balancer.ingress == [LoadBalancerIngress(ip="1.2.3.4", ip_mode="VIP")]
    _, causes = written(points({"ip": "1.2.3.4"}), stored(BALANCED), spec={})
    assert faults(causes) == wanted("status.loadBalancer.ingress[0].ipMode required")


def test_a_hostname_gets_no_mode():
    new, causes = written(points({"hostname": "a.example.com"}), stored(BALANCED))
    assert causes == []
    assert new.status.load_balancer.ingress == [LoadBalancerIngress(hostname="a.example.com")]


def test_a_mode_that_was_sent_stays():
    new, causes = written(points({"ip": "1.2.3.4", "ipMode": "Proxy"}), stored(BALANCED))
    assert causes == []
    assert new.status.load_balancer.ingress == [LoadBalancerIngress(ip="1.2.3.4", ip_mode="Proxy")]


def test_only_a_load_balancer_has_points():
    plain = web(clusterIP="10.96.0.9")
    _, causes = written(points({"ip": "1.2.3.4", "ipMode": "VIP"}, {"ip": "x"}), stored(plain), spec=plain)
    assert [(cause.field, cause.message) for cause in causes] == [
        ("status.loadBalancer.ingress", "Forbidden: only a LoadBalancer Service has load balancer addresses")
    ]
    _, causes = written({}, stored(plain), spec=plain)
    assert causes == []


def test_a_stored_misspelling_is_tolerated():
    old = stored(BALANCED)
    old.status.load_balancer.ingress = [LoadBalancerIngress(ip="1.2.3.04", ip_mode="VIP")]
    _, causes = written(points({"ip": "1.2.3.04"}), old)
    assert causes == []


@pytest.mark.parametrize(
    ("point", "messages"),
    [
        ({"ip": "1.2.3.4", "ipMode": "T"}, ['Unsupported value: "T": supported values: "Proxy", "VIP"']),
        ({"hostname": "a", "ipMode": "VIP"}, ["Forbidden: ipMode can only be set together with ip"]),
        ({"hostname": "A"}, [f'Invalid value: "A": {SUBDOMAIN}']),
        ({"hostname": "1.2.3.4"}, ['Invalid value: "1.2.3.4": must be a DNS name; an address belongs in ip']),
    ],
)
def test_messages(point, messages):
    _, causes = written(points(point), stored(BALANCED))
    assert [cause.message for cause in causes] == messages


def test_the_missing_mode_is_said():
    _, causes = written(points({"ip": "1.2.3.4"}), stored(BALANCED), spec={})
    assert [cause.message for cause in causes] == [
        "Required value: an address needs ipMode, which says how traffic reaches the nodes: Proxy or VIP"
    ]


def test_the_spec_stays():
    old = stored(BALANCED)
    new, causes = written({}, old, spec={"type": "ExternalName", "ports": [{"port": -1}]}, labels={"a": "b"})
    assert causes == []
    assert new.spec == old.spec
    assert new.metadata.labels == {"a": "b"}


class TestConditions:
    OTHER = Condition(type="Other", status="True", reason="x")

    def old(self):
        return stored(BALANCED)

    def test_ours_stay_when_they_are_left_out(self):
        old = self.old()
        new, _ = written({}, old)
        assert new.status.conditions == old.status.conditions

    def test_ours_stay_when_they_are_sent_otherwise(self):
        old = self.old()
        sent = [{"type": "Allocated", "status": "False"}, {"type": "Other", "status": "True", "reason": "x"}]
        new, _ = written({"conditions": sent}, old)
        allocated, resolvable = old.status.conditions
        assert new.status.conditions == [allocated, self.OTHER, resolvable]

    def test_ours_cannot_be_invented(self):
        sent = [{"type": "Programmed", "status": "True"}]
        old = self.old()
        new, _ = written({"conditions": sent}, old)
        assert new.status.conditions == old.status.conditions

    def test_ours_are_not_doubled(self):
        old = self.old()
        sent = msgspec.to_builtins(old.status.conditions)
        new, _ = written({"conditions": [*sent, *sent]}, old)
        assert new.status.conditions == old.status.conditions

    def test_others_come_and_go(self):
        old = self.old()
        new, _ = written({"conditions": [{"type": "Other", "status": "True", "reason": "x"}]}, old)
        assert new.status.conditions == [self.OTHER, *old.status.conditions]
        again, _ = written({}, new)
        assert again.status.conditions == old.status.conditions

    def test_none_at_all(self):
        old = self.old()
        old.status.conditions = None
        new, _ = written({}, old)
        assert new.status.conditions is None


def test_the_address_of_our_own_load_balancer_stays():
    old, _ = given(web(type="LoadBalancer"), OURS)
    new, causes = written(points({"ip": "9.9.9.9"}), old, OURS)
    assert causes == []
    assert [point.ip for point in new.status.load_balancer.ingress] == ["20.0.0.1"]
    assert allocated(new, OURS).picked == ()
