from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.kinds.service import ServicePort
from app.domain.wanted.endpoint_slices import LIMIT, plan_endpoint_slices
from app.domain.wanted.slice_packing import ports_key
from tests.unit.backend_objects import Store, make_node, make_pod, make_service

NODES = {"n1": make_node("n1", "a"), "n2": make_node("n2", "b")}
FAMILIES = ("IPv4", "IPv6")


@dataclass(frozen=True)
class Backend:
    """A pod in the few ways in which pods differ to the planner."""

    number: int
    address: int
    ready: bool = True
    terminating: bool = False
    port: int | None = 8080
    node: str = "n1"
    phase: str = "Running"
    ipv6: bool = True

    def pod(self):
        ips = [f"10.{self.address >> 16}.{self.address >> 8 & 255}.{self.address & 255}"]
        if self.ipv6:
            ips.append(f"fd00::{self.address + 1:x}")
        ports = {} if self.port is None else {"http": self.port}
        return make_pod(
            f"p{self.number:05d}",
            *ips,
            ready=self.ready,
            terminating=self.terminating,
            ports=ports,
            node=self.node,
            phase=self.phase,
        )


changes = st.one_of(
    st.builds(dict, ready=st.booleans()),
    st.builds(dict, terminating=st.booleans()),
    st.builds(dict, port=st.sampled_from([None, 8080, 9090])),
    st.builds(dict, node=st.sampled_from(["n1", "n2", "gone"])),
    st.builds(dict, phase=st.sampled_from(["Running", "Failed"])),
    st.builds(dict, ipv6=st.booleans()),
    st.builds(dict, address=st.integers(50_000, 50_009)),
)
steps = st.one_of(
    st.tuples(st.just("add"), st.integers(1, 2), st.none()),
    st.tuples(st.just("remove"), st.integers(0, 10_000), st.none()),
    st.tuples(st.just("change"), st.integers(0, 10_000), changes),
)
services = st.builds(
    lambda publish, wish, dual: make_service(
        ports=[ServicePort(name="http", protocol="TCP", port=80, target_port="http")],
        publish_not_ready_addresses=publish,
        traffic_distribution=wish,
        ip_families=list(FAMILIES) if dual else ["IPv4"],
    ),
    st.booleans(),
    st.sampled_from([None, "PreferSameNode"]),
    st.booleans(),
)


def expected(service, backends):
    """Each address that is to be shown, with its family and port set, as often as it is to be shown."""
    shown = Counter()
    for each in backends:
        known = each.node in NODES or service.spec.publish_not_ready_addresses
        if not known or each.phase == "Failed":
            continue
        ports = () if each.port is None else (("http", "TCP", each.port, ""),)
        pod = each.pod()
        for family in service.spec.ip_families:
            for ip in pod.status.pod_ips:
                if (":" in ip.ip) == (family == "IPv6"):
                    shown[family, ports, pod.metadata.name, ip.ip] += 1
    return shown


def held(store):
    return Counter(
        (each.address_type, ports_key(each.ports), endpoint.target_ref.name, address)
        for each in store.all()
        for endpoint in each.endpoints or []
        for address in endpoint.addresses
    )


def plan(service, backends, store):
    return plan_endpoint_slices(service, [each.pod() for each in backends], NODES, store.all())


def settle(service, backends, store):
    touched = store.apply(plan(service, backends, store))
    assert held(store) == expected(service, backends)
    assert all(len(each.endpoints or []) <= LIMIT for each in store.all())
    assert {each.address_type for each in store.all()} == set(service.spec.ip_families)
    assert not plan(service, backends, store)
    return touched


def step(backends, kind, which, change):
    if kind == "add":
        first = max((each.number for each in backends), default=-1) + 1
        return [*backends, *(Backend(first + i, first + i) for i in range(which))]
    if not backends:
        return backends
    place = which % len(backends)
    after = [replace(backends[place], **change)] if kind == "change" else []
    return [*backends[:place], *after, *backends[place + 1 :]]


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(services, st.sampled_from([0, 1, 5, 99, 100, 101, 205]), st.lists(steps, max_size=6))
def test_slices_hold_each_address_once_whatever_happens(service, count, sequence):
    store = Store()
    backends = [Backend(i, i) for i in range(count)]
    settle(service, backends, store)
    for kind, which, change in sequence:
        before = backends
        backends = step(backends, kind, which, change)
        touched = settle(service, backends, store)
        if abs(len(backends) - len(before)) <= 1:
            assert touched <= 2 * len(service.spec.ip_families)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 120), st.sampled_from([8080, 9090])), max_size=150), st.randoms())
def test_endpoints_that_stay_do_not_move(wanted, random):
    service, store = make_service(ports=[ServicePort(name="http", port=80, target_port="http")]), Store()
    backends = [Backend(number, number, port=port) for number, port in dict(wanted).items()]
    settle(service, backends, store)
    home = {e.target_ref.name: each.metadata.name for each in store.all() for e in each.endpoints or []}
    survivors = [each for each in backends if random.random() < 0.7]
    settle(service, survivors, store)
    now = {e.target_ref.name: each.metadata.name for each in store.all() for e in each.endpoints or []}
    assert all(home[name] == place for name, place in now.items())
