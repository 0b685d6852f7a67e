"""What Envoys of a profile are offered: within bounds, and without gaps when all members are replaced."""

import pytest
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment

from app.domain.wanted.traffic import NOTHING, Backend, Listener, Member, PlaneProfile, Probing, Traffic
from app.serving.resources import ASSIGNMENT, CLUSTER, LISTENER
from app.serving.xds.offers import Offer

PROBING = Probing("Tcp", "", 5, 2)
HOLD_SECONDS = 15.0


class Looking:
    def __init__(self, most=10):
        self.asked = []
        self.offer = Offer(PlaneProfile(), most, lambda key, seconds: self.asked.append((key, seconds)))

    def members(self, name="shop/web/TCP/80"):
        found = ClusterLoadAssignment.FromString(self.offer.view.get(ASSIGNMENT, name).body)
        return {
            each.endpoint.address.socket_address.address: "fallback" if each.health_status == 5 else "well"
            for group in found.endpoints
            for each in group.lb_endpoints
        }


def traffic(*addresses, probing=PROBING, name="shop/web/TCP/80", port=80):
    members = tuple(Member(each, 8080, 8080) for each in addresses)
    listener = Listener(
        address="198.18.0.7", port=port, protocol="TCP", backend=name, sources=("0.0.0.0/0",), idle_timeout=240
    )
    return Traffic((Backend(name=name, protocol="TCP", members=members, probing=probing),), (listener,))


WEB = ("shop", "web")


def test_the_old_members_go_on_until_new_ones_may_have_been_probed():
    looking = Looking()
    looking.offer.put(WEB, traffic("10.0.0.1", "10.0.0.2"), 1, 100.0)
    looking.offer.put(WEB, traffic("10.0.0.3"), 2, 200.0)
    assert looking.members() == {"10.0.0.1": "fallback", "10.0.0.2": "fallback", "10.0.0.3": "well"}
    assert looking.asked == [(WEB, HOLD_SECONDS)]
    looking.offer.put(WEB, traffic("10.0.0.3", "10.0.0.1"), 3, 205.0)
    assert looking.members() == {"10.0.0.1": "well", "10.0.0.2": "fallback", "10.0.0.3": "well"}
    looking.offer.put(WEB, traffic("10.0.0.3"), 4, 200.0 + HOLD_SECONDS)
    assert looking.members() == {"10.0.0.3": "well"}


@pytest.mark.parametrize(
    "after",
    [traffic("10.0.0.2", "10.0.0.3"), traffic("10.0.0.3", probing=None), traffic()],
    ids=["one stays", "nothing is probed", "nobody is left"],
)
def test_they_do_not_when_that_is_not_needed(after):
    looking = Looking()
    looking.offer.put(WEB, traffic("10.0.0.1", "10.0.0.2"), 1, 100.0)
    looking.offer.put(WEB, after, 2, 101.0)
    assert "fallback" not in looking.members().values()
    assert "10.0.0.1" not in looking.members()


def test_held_members_are_not_held_again():
    looking = Looking()
    looking.offer.put(WEB, traffic("10.0.0.1"), 1, 100.0)
    looking.offer.put(WEB, traffic("10.0.0.2"), 2, 101.0)
    looking.offer.put(WEB, traffic("10.0.0.3"), 3, 102.0)
    assert looking.members() == {"10.0.0.2": "fallback", "10.0.0.3": "well"}


def test_a_service_that_comes_again_begins_anew():
    looking = Looking()
    looking.offer.put(WEB, traffic("10.0.0.1"), 1, 100.0)
    looking.offer.put(WEB, NOTHING, 2, 101.0)
    looking.offer.put(WEB, traffic("10.0.0.2"), 3, 102.0)
    assert looking.members() == {"10.0.0.2": "well"}


def test_beyond_the_limit_services_wait_for_their_turn_and_are_told_so():
    looking = Looking(most=1)
    other = traffic("10.0.0.9", name="shop/other/TCP/80", port=81)
    looking.offer.put(WEB, traffic("10.0.0.1"), 1, 100.0)
    looking.offer.put(("shop", "other"), other, 2, 100.0)
    assert "has 1 Services already" in looking.offer.problems["shop", "other"]
    assert (looking.offer.services, set(looking.offer.view.resources[CLUSTER])) == (1, {"shop/web/TCP/80"})
    looking.offer.put(WEB, NOTHING, 3, 101.0)
    assert looking.asked == [(("shop", "other"), 0.0)]
    looking.offer.put(("shop", "other"), other, 3, 101.0)
    assert not looking.offer.problems
    assert set(looking.offer.view.resources[LISTENER]) == {"TCP/198.18.0.7/81"}
