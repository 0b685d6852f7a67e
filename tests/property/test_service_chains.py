"""Any chain of changes holds exactly the addresses and ports that the Service shows at its end."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from app.domain.declarations.service import SERVICE
from app.domain.kinds.service import Service
from app.domain.pools.allocation import allocate
from app.domain.pools.pool_set import PoolSet
from app.domain.rules.addresses import canonical
from app.domain.rules.pool_description import PoolDescription
from app.store.claim_tables import exclude, thing
from tests.property.service_specs import GOOD_ANNOTATIONS, GOOD_SPECS
from tests.unit.rules.builders import V4, V6, cluster, created, updated

POOLS = (
    PoolDescription.of("internal", "internal", ["10.240.0.0/28", "fd01::/124"]),
    PoolDescription.of("external", "external", ["20.0.0.0/28"]),
)
"""Public addresses of IPv6 are missing, so that some Services stay pending."""

AT = replace(cluster(V4, V6, ours=True, pools=POOLS), node_port_range=(30000, 30030))
RULES = SERVICE.strategy


class Registry:
    """A store of claims, in which no two Services hold what excludes each other, and pools that follow it."""

    def __init__(self):
        self.pools = PoolSet(lambda _size: 0, lambda: 0.0)
        self.pools.describe(AT)
        self.held = {}
        self.services = {}

    def write(self, name, service):
        """Take what the Service shows and let go of the rest; False when somebody else holds some of it."""
        wanted = set(RULES.claims(service, AT))
        others = [claim for owner, held in self.held.items() if owner != name for claim in held]
        if any(exclude(claim, other) for claim in wanted for other in others):
            return False
        self.held[name] = wanted
        self.pools.moved(self.services.get(name), service, AT)
        self.services[name] = msgspec.json.decode(msgspec.json.encode(service), type=Service)
        return True

    def settle(self, name, service, *, is_new):
        """Claim what is asked for, then pick what is missing, then claim that."""
        if not self.write(name, service):
            return False
        allocate(service, self.pools.pools, AT, created=is_new)
        assert self.write(name, service)
        return True


def shown(service):
    """Every address and port that stands in the document, read without the rules."""
    document = msgspec.to_builtins(service)
    spec, status = document["spec"], document["status"]
    if spec["type"] == "ExternalName":
        return set()
    found = {("cluster_ips", canonical(text)) for text in spec.get("clusterIPs", []) if text != "None"}
    if spec["type"] in ("NodePort", "LoadBalancer"):
        found |= {("node_ports", str(port["nodePort"])) for port in spec["ports"] if port.get("nodePort")}
    if "healthCheckNodePort" in spec:
        found.add(("node_ports", str(spec["healthCheckNodePort"])))
    if "loadBalancerClass" not in spec:
        for point in status["loadBalancer"].get("ingress", []):
            found.add(("lb_addresses", point["ip"]))
            found |= {("lb_ports", f"{point['ip']}/{port['protocol']}/{port['port']}") for port in spec["ports"]}
    return found


def held_by(registry, name):
    return {thing(claim) for claim in registry.held.get(name, ())}


def complete(service):
    """Whether everything its type promises is there."""
    spec = service.spec
    if spec.type == "ExternalName":
        return not (spec.cluster_ips or spec.ip_families or spec.ip_family_policy)
    headless = spec.cluster_ip == "None"
    addresses = headless or len(spec.cluster_ips) == len(spec.ip_families)
    numbers = (
        spec.type == "ClusterIP"
        or spec.allocate_load_balancer_node_ports is False
        or all(port.node_port for port in spec.ports)
    )
    local = spec.type == "LoadBalancer" and spec.external_traffic_policy == "Local"
    ours = spec.type == "LoadBalancer" and spec.load_balancer_class is None
    points = service.status.load_balancer.ingress or []
    frontends = len(points) == len(spec.ip_families) if ours else not points
    return addresses and numbers and bool(spec.health_check_node_port) == local and frontends


@given(st.lists(st.tuples(GOOD_SPECS, GOOD_ANNOTATIONS), min_size=2, max_size=6))
@settings(max_examples=120, deadline=None)
def test_a_chain_holds_what_its_end_shows(steps):
    registry = Registry()
    neighbour, _ = created({"ports": [{"port": 80}], "type": "NodePort"}, AT)
    assert registry.settle("neighbour", neighbour, is_new=True)
    before = held_by(registry, "neighbour")
    stored = None
    for spec, annotations in steps:
        if stored is None:
            new, causes = created(spec, AT, annotations=annotations)
        else:
            new, causes = updated(spec, stored, AT, annotations=annotations)
        if causes or not registry.settle("web", new, is_new=stored is None):
            continue
        stored = msgspec.json.decode(msgspec.json.encode(new), type=Service)
        if RULES.pending(stored, AT):
            assert any(reason in str(stored.status.conditions) for reason in ("Exhausted", "NoPool", "NotFound"))
        else:
            assert complete(stored)
        assert shown(stored) <= held_by(registry, "web")
        asked = {("lb_addresses", stored.spec.load_balancer_ip)}
        extra = {key for key in held_by(registry, "web") - shown(stored) if key[0] != "lb_ports"} - asked
        assert extra == set()
    assert held_by(registry, "neighbour") == before
