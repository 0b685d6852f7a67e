"""Which objects a search finds."""

import pytest

from app.domain.declarations.catalog import ALL
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.search import LONGEST, Search
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import encode_body, wire_bytes
from app.domain.errors import BadRequest
from app.domain.kinds.endpoint_slice import Endpoint, EndpointSlice
from app.domain.kinds.service import LoadBalancerIngress
from tests.unit.rules.builders import DUAL, created, web


def encoded(kind, obj):
    obj.api_version, obj.kind = kind.api_version, kind.name
    return wire_bytes(encode_body(obj), 1)


@pytest.fixture
def service():
    labels = {"app": "Shop-1", "tier": "front"}
    found, _ = created(web(type="LoadBalancer"), DUAL, name="shop", namespace="sales", labels=labels)
    found.spec.cluster_ips = ["10.96.0.7", "fd00::7"]
    found.status.load_balancer.ingress = [LoadBalancerIngress(ip="198.18.0.1"), LoadBalancerIngress(ip="198.18.0.2")]
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", True),
        ("SHOP", True),
        ("sales", True),
        ("ho sal", True),
        ("shop elsewhere", False),
        ("10.96.0.7", True),
        ("fd00::7", True),
        ("198.18.0.2", True),
        ("80/tcp", True),
        ("app=shop-1", True),
        ("tier=back", False),
        ("loadbalancer", True),
        ("metadata", False),
        ("uid", False),
    ],
)
def test_each_word_is_looked_for(service, text, found):
    assert Search(SERVICE, text).finds(encoded(SERVICE, service)) == found


def test_an_endpoint_is_found_that_the_table_does_not_show():
    endpoints = [Endpoint(addresses=[f"172.16.0.{number}"]) for number in range(9)]
    found = EndpointSlice(address_type="IPv4", endpoints=endpoints)
    assert Search(ENDPOINT_SLICE, "172.16.0.8").finds(encoded(ENDPOINT_SLICE, found))


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.key)
def test_every_kind_can_be_searched(kind):
    obj = kind.model()
    obj.metadata.name = "needle"
    assert Search(kind, "needle").finds(encoded(kind, obj))
    assert not Search(kind, "another").finds(encoded(kind, obj))


def test_a_long_search_is_refused():
    with pytest.raises(BadRequest):
        Search(SERVICE, "x" * (LONGEST + 1))
