"""Changing a Service: metadata, status, and stored values that are tolerated."""

import pytest

from app.domain.kinds.service import LoadBalancerIngress
from tests.unit.rules.builders import (
    ALIAS,
    SINGLE,
    faults,
    stored,
    updated,
    wanted,
    web,
)
from tests.unit.rules.shapes import BALANCED, NODE, PLAIN

METADATA_REFUSED = {
    "label": ({"labels": {"a b": "c"}}, ["metadata.labels invalid"]),
    "annotation": ({"annotations": {"a b": "c"}}, ["metadata.annotations invalid"]),
    "finalizer": (
        {"finalizers": ["a b"]},
        ["metadata.finalizers invalid", "metadata.finalizers[0] invalid"],
    ),
    "another name": ({"name": "other"}, ["metadata.name invalid"]),
    "another namespace": ({"namespace": "other"}, ["metadata.namespace invalid"]),
    "another uid": ({"uid": "2"}, ["metadata.uid invalid"]),
    "a deletion": ({"deletionTimestamp": "2026-01-02T03:04:05Z"}, ["metadata.deletionTimestamp invalid"]),
    "a birthday": ({"creationTimestamp": "2026-01-02T03:04:05Z"}, ["metadata.creationTimestamp invalid"]),
    "a grace period": ({"deletionGracePeriodSeconds": 1}, ["metadata.deletionGracePeriodSeconds invalid"]),
}


@pytest.mark.parametrize(("metadata", "lines"), METADATA_REFUSED.values(), ids=METADATA_REFUSED)
def test_metadata_is_refused(metadata, lines):
    _, causes = updated(web(), stored(PLAIN), SINGLE, **metadata)
    assert faults(causes) == wanted(*lines)


def test_no_finalizer_is_added_to_what_is_being_deleted():
    old = stored(PLAIN, finalizers=["example.com/a", "example.com/b"])
    old.metadata.deletion_timestamp = "2026-01-02T03:04:05Z"
    kept = {"deletionTimestamp": old.metadata.deletion_timestamp}
    _, causes = updated(web(), old, SINGLE, finalizers=["example.com/a", "example.com/c"], **kept)
    assert faults(causes) == wanted("metadata.finalizers forbidden")
    _, causes = updated(web(), old, SINGLE, finalizers=["example.com/b"], **kept)
    assert causes == []


def sloppy(**spec):
    """A Service with values that only an older server would have accepted."""
    old = stored(PLAIN | {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]})
    for name, value in spec.items():
        setattr(old.spec, name, value)
    return old


@pytest.mark.parametrize(
    ("stored_values", "sent", "lines"),
    [
        ({"external_ips": ["1.2.3.04"]}, {"externalIPs": ["1.2.3.04"]}, []),
        ({"external_ips": ["1.2.3.04"]}, {"externalIPs": ["5.6.7.8", "1.2.3.04"]}, []),
        ({"external_ips": ["1.2.3.04"]}, {"externalIPs": ["1.2.3.05"]}, ["spec.externalIPs[0] invalid"]),
        ({"external_ips": ["127.0.0.01"]}, {"externalIPs": ["127.0.0.01"]}, ["spec.externalIPs[0] invalid"]),
        ({"load_balancer_source_ranges": ["10.0.0.1/8"]}, {"loadBalancerSourceRanges": ["10.0.0.1/8"]}, []),
        ({"load_balancer_source_ranges": [" 10.0.0.1/8"]}, {"loadBalancerSourceRanges": ["10.0.0.1/8 "]}, []),
        (
            {"load_balancer_source_ranges": ["10.0.0.1/8"]},
            {"loadBalancerSourceRanges": ["10.0.0.2/8"]},
            ["spec.LoadBalancerSourceRanges[0] invalid"],
        ),
        ({"cluster_ip": "10.96.0.09", "cluster_ips": ["10.96.0.09"]}, {}, []),
        (
            {"cluster_ip": "10.96.0.09", "cluster_ips": ["10.96.0.09"]},
            {"clusterIP": "10.96.0.9"},
            ["spec.clusterIPs[0] invalid"],
        ),
    ],
)
def test_what_is_stored_is_tolerated(stored_values, sent, lines):
    _, causes = updated(web(type="LoadBalancer", **sent), sloppy(**stored_values))
    assert faults(causes) == wanted(*lines)


@pytest.mark.parametrize(("ranges", "lines"), [("x", []), ("y", ["invalid"])])
def test_a_stored_source_range_annotation_is_tolerated(ranges, lines):
    key = "service.beta.kubernetes.io/load-balancer-source-ranges"
    old = stored(BALANCED)
    old.metadata.annotations = {key: "x"}
    _, causes = updated(BALANCED, old, annotations={key: ranges})
    assert faults(causes) == wanted(*(f"metadata.annotations[{key}] {line}" for line in lines))


def test_status_stays_as_it_is_stored():
    old = stored(BALANCED, SINGLE)
    old.status.load_balancer.ingress = [LoadBalancerIngress(ip="1.2.3.4", ip_mode="VIP")]
    new, causes = updated(
        BALANCED, old, status={"loadBalancer": {"ingress": [{"ip": "9.9.9.9"}]}, "conditions": [{"type": "X"}]}
    )
    assert causes == []
    assert new.status == old.status


@pytest.mark.parametrize("sent", [NODE, PLAIN, ALIAS])
def test_the_address_of_a_load_balancer_goes_with_its_type(sent):
    old = stored(BALANCED, SINGLE)
    old.status.load_balancer.ingress = [LoadBalancerIngress(ip="1.2.3.4", ip_mode="VIP")]
    new, causes = updated(sent, old)
    assert causes == []
    assert new.status.load_balancer.ingress is None
