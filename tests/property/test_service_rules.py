"""What holds of the rules of a Service whatever is sent."""

from dataclasses import replace

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.declarations.service import SERVICE
from app.domain.kinds.service import Service
from app.domain.pools.allocation import allocate
from app.domain.pools.pool_set import PoolSet
from app.domain.rules.address_claims import claimed_address
from app.domain.rules.pool_description import PoolDescription
from app.domain.rules.service.annotations import (
    ADDITIONAL_ADDRESSES,
    ADDRESS_KEYS,
    HIGH_AVAILABILITY_PORTS,
    NAME_KEYS,
)
from app.domain.rules.service.defaulting import apply_defaults
from tests.property.service_specs import (
    ANNOTATIONS,
    GOOD_ANNOTATIONS,
    GOOD_SPECS,
    SPECS,
    STATUSES,
)
from tests.unit.rules.builders import LATER, V4, V6, cluster, created, service, spec_of, updated
from tests.unit.rules.picking import Known

RULES = SERVICE.strategy
INTERNAL, EXTERNAL = ("10.240.0.0/24", "fd01::/112"), ("20.0.0.0/24", "fd02::/112")
POOLS = (
    PoolDescription.of("internal", "internal", INTERNAL),
    PoolDescription.of("external", "external", EXTERNAL),
)
CLUSTERS = st.sampled_from(
    [
        cluster(V4),
        cluster(V6),
        cluster(V4, V6),
        cluster(V6, V4),
        cluster(V4, ours=True, pools=POOLS),
        cluster(V4, V6, ours=True),
    ]
)
FIELDS = ("spec.", "metadata.", "status.")


def laid_out(at):
    """Pools from which everything can be picked, and the cluster that has them. What is asked for can be shared."""
    here = msgspec.structs.replace(at, pools=POOLS)
    pools = PoolSet(lambda _size: 0, lambda: 0.0)
    pools.describe(here)
    return replace(pools.pools, held_by_others=lambda *_: True), here


def given_all(new, at, *, is_new=True):
    """Give a Service what it lacks."""
    return allocate(new, *laid_out(at), created=is_new)


def body(value):
    return msgspec.json.encode(value)


def copy(value):
    return msgspec.json.decode(body(value), type=Service)


def settled(spec, at, annotations=None):
    """A Service that was accepted and given what it lacks, or None."""
    new, causes = created(spec, at, annotations=annotations)
    if causes:
        return None
    given_all(new, at)
    return copy(new)


@given(SPECS, ANNOTATIONS, STATUSES, CLUSTERS)
@settings(max_examples=250, deadline=None)
def test_no_document_makes_a_rule_fail(spec, annotations, status, at):
    new, causes = created(spec, at, annotations=annotations, status=status)
    assert all(cause.field.startswith(FIELDS) and cause.message for cause in causes)
    RULES.warnings(new, None, at)
    RULES.claims(new, at)
    RULES.pending(new, at)
    given_all(new, at)
    RULES.claims(new, at)


@given(GOOD_SPECS, SPECS, ANNOTATIONS, STATUSES, CLUSTERS)
@settings(max_examples=200, deadline=None)
def test_no_update_makes_a_rule_fail(before, spec, annotations, status, at):
    old = settled(before, at)
    if old is None:
        return
    new, causes = updated(spec, old, at, annotations=annotations, status=status)
    assert all(cause.field.startswith(FIELDS) and cause.message for cause in causes)
    RULES.warnings(new, old, at)
    RULES.claims(new, at)
    RULES.pending(new, at)
    given_all(new, at, is_new=False)
    written = service(spec, status=status)
    RULES.prepare_status(written, old, at)
    RULES.validate_status(written, old, at)
    RULES.status_warnings(written, old)


@given(SPECS, ANNOTATIONS, CLUSTERS)
@settings(max_examples=150, deadline=None)
def test_defaulting_twice_changes_nothing(spec, annotations, at):
    new = service(spec, annotations=annotations)
    apply_defaults(new)
    once = body(new)
    apply_defaults(new)
    assert body(new) == once
    RULES.prepare_create(new, at)
    once = body(new)
    RULES.prepare_create(new, at)
    assert body(new) == once


@given(GOOD_SPECS, GOOD_ANNOTATIONS, CLUSTERS)
@settings(max_examples=250, deadline=None)
def test_what_is_stored_can_be_sent_again(spec, annotations, at):
    old = settled(spec, at, annotations)
    if old is None:
        return
    later = msgspec.structs.replace(at, now=LATER)
    new = copy(old)
    RULES.prepare_update(new, old, later)
    causes = RULES.unavailable(new, old, later) or RULES.validate_update(new, old, later)
    assert causes == []
    assert body(new) == body(old)
    assert RULES.claims(new, at) == RULES.claims(old, at)
    assert not RULES.pending(new, at)
    assert given_all(new, later, is_new=False).picked == ()
    assert body(new) == body(old)


@given(GOOD_SPECS, GOOD_ANNOTATIONS, CLUSTERS)
@settings(max_examples=150, deadline=None)
def test_the_manifest_can_be_sent_again(spec, annotations, at):
    """What the server chose stays when the client sends again what it sent at first.

    Two manifests are exceptions, as for the API server: one that asks for a nodePort, which a second protocol shares on
    create only, and one that names a single family, which the server made two and the client then seems to drop.
    """
    if len(spec.get("ipFamilies", ())) == 1:
        del spec["ipFamilies"]
    spec["ports"] = [{key: value for key, value in port.items() if key != "nodePort"} for port in spec["ports"]]
    old = settled(spec, at, annotations)
    if old is None:
        return
    new, causes = updated(spec, old, at, annotations=annotations)
    assert causes == []
    given_all(new, at, is_new=False)
    assert spec_of(new) == spec_of(old)


@given(GOOD_SPECS, CLUSTERS)
@settings(max_examples=150, deadline=None)
def test_pending_is_exact(spec, at):
    """Something is pending as long as an allocation from full pools would still give something, and no longer."""
    new, causes = created(spec, at)
    if causes:
        return
    lacked = RULES.pending(new, at)
    given_now = given_all(new, at)
    assert given_now.shortages == ()
    assert not RULES.pending(new, at)
    assert lacked == bool(given_now.picked or asked_frontends(new))


def asked_frontends(new):
    asked = new.spec.load_balancer_ip
    return asked and any(point.ip == asked for point in new.status.load_balancer.ingress or [])


SPELLED = ["20.0.0.5", "20.0.0.6", "fd02::5", "FD02::5", "fd02:0::6"]
FRONTENDS = st.sampled_from(SPELLED)
FRONTEND_ANNOTATIONS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys([*ADDRESS_KEYS.values(), *NAME_KEYS.values()], FRONTENDS),
        ADDITIONAL_ADDRESSES: st.lists(FRONTENDS, max_size=3).map(",".join),
        HIGH_AVAILABILITY_PORTS: st.sampled_from(["true", "false"]),
    },
)


@given(FRONTEND_ANNOTATIONS, FRONTENDS, st.lists(FRONTENDS, max_size=3))
@settings(max_examples=200, deadline=None)
def test_frontends_come_to_rest_and_none_is_claimed_shared_and_for_itself(annotations, asked, shown):
    """However the same address is spelled, and in whichever places it is asked for or shown."""
    spec = {"type": "LoadBalancer", "ports": [{"port": 80, "protocol": "TCP"}], "loadBalancerIP": asked}
    status = {"loadBalancer": {"ingress": [{"ip": text} for text in shown]}}
    at = cluster(V4, V6, ours=True, pools=POOLS)
    one = service({**spec, "ipFamilies": ["IPv4", "IPv6"]}, annotations=annotations, status=status)
    reserved = dict.fromkeys([f"shop/{text}" for text in SPELLED], "20.0.0.5")
    at = msgspec.structs.replace(at, addresses=Known({} if NAME_KEYS["IPv6"] in annotations else reserved))
    pools, _ = laid_out(at)
    for _ in range(2):
        allocate(one, pools, at, created=False)
    at_rest = body(one)
    allocate(one, pools, at, created=False)
    assert body(one) == at_rest
    addresses = [claimed_address(claim.key) for claim in RULES.claims(one, at) if claim.table == "lb_addresses"]
    assert len(set(addresses)) == len(addresses)
