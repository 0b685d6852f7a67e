"""Which traffic of a Service a data plane has, and which members take it."""

import msgspec
import pytest

from app.domain.kinds.endpoint_slice import EndpointSlice
from app.domain.kinds.service import Service
from app.domain.rules.cluster import Cluster
from app.domain.rules.pool_description import PoolDescription
from app.domain.wanted.plane_traffic import traffic_of
from app.domain.wanted.traffic import EVERYBODY, NOTHING, PlaneProfile, Probing

PREFIX = "service.beta.kubernetes.io/"
CLUSTER = Cluster(
    service_cidrs=("10.96.0.0/16",),
    node_port_range=(30000, 32767),
    cluster_domain="cluster.local",
    manages_load_balancers=True,
    now="2026-01-01T00:00:00Z",
    pools=(
        PoolDescription.of("external", "external", ["198.18.0.0/16"]),
        PoolDescription.of("other", "external", ["203.0.113.0/24"]),
    ),
)
EDGE = PlaneProfile()
HTTP = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080, "nodePort": 30080}


def service(annotations=None, address="198.18.0.7", **spec):
    document = {
        "metadata": {"name": "web", "namespace": "shop", "uid": "b7c9c1de-9c0c-4b0c-8d4e-000000000001"},
        "spec": {"type": "LoadBalancer", "ports": [HTTP], "ipFamilies": ["IPv4"], **spec},
        "status": {"loadBalancer": {"ingress": [{"ip": address}] if address else []}},
    }
    document["metadata"]["annotations"] = annotations
    return msgspec.convert(document, type=Service)


def slices(*endpoints, port=8080, name="http", protocol="TCP"):
    document = {
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], **more} for address, more in endpoints],
        "ports": [{"name": name, "port": port, "protocol": protocol}],
    }
    return [msgspec.convert(document, type=EndpointSlice)]


def state(*, ready=True, serving=True, terminating=False, node=None):
    found = {"conditions": {"ready": ready, "serving": serving, "terminating": terminating}}
    return found | ({"nodeName": node} if node else {})


ONE = ("10.1.0.1", state())


def traffic(asked, found=None, profile=EDGE):
    return traffic_of(asked, slices(ONE) if found is None else found, CLUSTER, profile)


def test_a_port_of_a_frontend():
    found = traffic(service())
    (backend,), (listener,) = found.backends, found.listeners
    assert (listener.name, listener.backend, listener.sources) == ("TCP/198.18.0.7/80", "shop/web/TCP/80", EVERYBODY)
    assert listener.idle_timeout == 240
    assert [(each.address, each.port, each.probe_port) for each in backend.members] == [("10.1.0.1", 8080, 8080)]
    assert backend.probing == Probing("Tcp", "", 5, 2)
    assert (found.health_listeners, found.limitations) == ((), ())


@pytest.mark.parametrize(
    ("profile", "address", "served"),
    [
        (PlaneProfile(scopes=("internal",)), "198.18.0.7", False),
        (PlaneProfile(scopes=("external",)), "198.18.0.7", True),
        (PlaneProfile(pools=("external",)), "198.18.0.7", True),
        (PlaneProfile(pools=("other",)), "198.18.0.7", False),
        (PlaneProfile(pools=("other",)), "203.0.113.9", True),
        (EDGE, "", False),
    ],
)
def test_a_data_plane_serves_its_scopes_and_pools(profile, address, served):
    assert bool(traffic(service(address=address), profile=profile).listeners) is served


@pytest.mark.parametrize("spec", [{"type": "ClusterIP"}, {"type": "ExternalName"}])
def test_other_types_have_no_traffic_here(spec):
    assert traffic(service(**spec)) == NOTHING


def test_a_service_of_another_controller_has_only_its_node_ports():
    asked = service(loadBalancerClass="example.org/other")
    found = traffic(asked, profile=PlaneProfile(node_addresses=("192.0.2.1",)))
    assert [each.name for each in found.listeners] == ["TCP/192.0.2.1/30080"]


@pytest.mark.parametrize(
    ("endpoint", "member"),
    [
        (state(), "well"),
        (state(terminating=True), "well"),
        (state(ready=False, terminating=True), "fallback"),
        (state(ready=False), None),
        (state(ready=False, serving=False, terminating=True), None),
    ],
)
def test_which_endpoints_take_traffic(endpoint, member):
    (backend,) = traffic(service(), slices(("10.1.0.1", endpoint))).backends
    assert [("fallback" if each.fallback else "well") for each in backend.members] == ([member] if member else [])


def test_local_means_the_members_of_the_node_and_its_health():
    asked = service(externalTrafficPolicy="Local", healthCheckNodePort=30999)
    found = slices(("10.1.0.1", state(node="n1")), ("10.1.0.2", state(node="n2")))
    profile = PlaneProfile(node="n1", node_addresses=("192.0.2.1",))
    on_n1 = traffic(asked, found, profile)
    assert [each.address for each in on_n1.backends[0].members] == ["10.1.0.1"]
    (health,) = on_n1.health_listeners
    assert (health.address, health.port, health.members) == ("192.0.2.1", 30999, 1)
    elsewhere = traffic(asked, found, PlaneProfile(node="n3", node_addresses=("192.0.2.1",)))
    assert (elsewhere.backends[0].members, elsewhere.health_listeners[0].members) == ((), 0)


def test_local_needs_a_node():
    asked = service(externalTrafficPolicy="Local", healthCheckNodePort=30999)
    assert "names no node" in traffic(asked).limitations[0]
    embedded = traffic(asked, slices(("127.0.0.1", state())), PlaneProfile(embedded=True))
    assert (len(embedded.backends[0].members), embedded.limitations) == (1, ())


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1"],  # noqa: S104 - refused
)
def test_members_that_are_no_other_machine_are_refused(address):
    found = traffic(service(), slices((address, state()), ONE))
    assert [each.address for each in found.backends[0].members] == ["10.1.0.1"]
    assert address in found.limitations[0]


def test_loopback_is_for_the_embedded_data_plane():
    embedded = PlaneProfile(embedded=True)
    assert traffic(service(), slices(("127.0.0.1", state())), embedded).backends[0].members
    for nowhere in ("169.254.169.254", "0.0.0.0"):  # noqa: S104 - refused
        assert not traffic(service(), slices((nowhere, state())), embedded).backends[0].members
    assert not traffic(service(address="127.64.0.1")).listeners
    assert "loopback" in traffic(service(address="127.64.0.1")).limitations[0]
    assert traffic(service(address="127.64.0.1"), profile=embedded).listeners


def test_node_ports_share_the_members_of_the_frontend_and_admit_everybody():
    profile = PlaneProfile(node_addresses=("192.0.2.1", "2001:db8::1"))
    found = traffic(service(loadBalancerSourceRanges=["10.9.0.0/16"]), profile=profile)
    assert [(each.name, each.backend) for each in found.listeners] == [
        ("TCP/198.18.0.7/80", "shop/web/TCP/80"),
        ("TCP/192.0.2.1/30080", "shop/web/TCP/80"),
    ]
    assert "10.9.0.0/16" in found.listeners[0].sources
    assert found.listeners[1].sources == EVERYBODY


def test_sctp_is_said():
    port = {**HTTP, "protocol": "SCTP"}
    found = traffic(service({PREFIX + "azure-load-balancer-internal": "true"}, ports=[port]))
    assert (found.listeners, found.limitations) == ((), ("port 80/SCTP is not served: data planes know TCP and UDP",))


def test_two_families_have_backends_of_their_own():
    asked = service(ipFamilies=["IPv4", "IPv6"])
    asked.status.load_balancer.ingress = [
        *asked.status.load_balancer.ingress,
        msgspec.structs.replace(asked.status.load_balancer.ingress[0], ip="2001:db8::7"),
    ]
    assert [each.name for each in traffic(asked).backends] == ["shop/web/TCP/80", "shop/web/TCP/80/IPv6"]


def test_what_annotations_and_spec_ask_for():
    asked = service(
        {
            PREFIX + "azure-load-balancer-tcp-idle-timeout": "10",
            PREFIX + "port_80_health-probe_protocol": "http",
            PREFIX + "port_80_health-probe_request-path": "/well",
            PREFIX + "azure-load-balancer-health-probe-interval": "7",
            "fairlead.io/proxy-protocol": "v2",
        },
        sessionAffinity="ClientIP",
    )
    found = traffic(asked)
    (backend,), (listener,) = found.backends, found.listeners
    assert backend.probing == Probing("Http", "/well", 7, 2)
    assert (backend.affinity, listener.affinity, backend.proxy_protocol) == (True, True, 2)
    assert listener.idle_timeout == 600


def test_datagrams_tell_members_no_client():
    asked = service({"fairlead.io/proxy-protocol": "v2"}, ports=[{**HTTP, "protocol": "UDP"}])
    assert [each.proxy_protocol for each in traffic(asked).backends] == [0]
