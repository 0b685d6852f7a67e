"""How a claim that another Service holds is told."""

import pytest

from app.domain.declarations.service import SERVICE
from app.domain.rules.claim import Claim
from app.registry.outcomes import refusal
from app.store.writes import ClaimHeld


@pytest.mark.parametrize(
    ("table", "key", "told"),
    [
        ("cluster_ips", "10.96.0.9", 'Invalid value: "10.96.0.9": provided IP is already allocated'),
        ("node_ports", "30443", "Invalid value: 30443: provided port is already allocated"),
        (
            "lb_addresses",
            "198.18.9.1/shop/shared",
            'Invalid value: "198.18.9.1": the address is already in use as a load balancer\'s',
        ),
        (
            "lb_ports",
            "198.18.9.1/UDP/53",
            "Invalid value: 53: UDP port 53 of load balancer address 198.18.9.1 is already in use",
        ),
        ("dns_labels", "example.org/web", 'Invalid value: "web": the label is already in use in zone example.org'),
    ],
)
@pytest.mark.parametrize(("namespace", "holder"), [("shop", " by services/dns"), ("other", "")])
def test_what_is_held_is_named_and_its_holder_only_to_its_own_namespace(table, key, told, namespace, holder):
    held = ClaimHeld(Claim(table, key, "spec.somewhere"), "services", "shop", "dns")
    (cause,) = refusal(SERVICE, namespace, "new", held).causes
    assert (cause.reason, cause.field, cause.message) == ("FieldValueInvalid", "spec.somewhere", told + holder)
