"""What kubectl shows, in each version, compared with what Kubernetes' own servers make it show."""

import json
import re
from itertools import groupby

import httpx
import pytest

from tests.clients.kubectl import described, rows
from tests.e2e.waiting import until

NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"labels": {"node-role.kubernetes.io/edge": "", "topology.kubernetes.io/zone": "north"}},
    "status": {
        "addresses": [{"type": "InternalIP", "address": "10.1.0.4"}, {"type": "ExternalIP", "address": "192.0.2.4"}],
        "conditions": [{"type": "Ready", "status": "True"}],
        "nodeInfo": {
            "kubeletVersion": "v1.36.0",
            "osImage": "Debian 12",
            "kernelVersion": "6.1.0",
            "containerRuntimeVersion": "containerd://2.0.0",
        },
    },
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web-1", "labels": {"app": "web"}},
    "spec": {"containers": [{"name": "web", "image": "web:1"}]},
    "status": {
        "phase": "Running",
        "podIP": "10.244.0.5",
        "podIPs": [{"ip": "10.244.0.5"}],
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {"name": "web", "ready": True, "restartCount": 2, "image": "web:1", "imageID": "",
             "state": {"running": {"startedAt": "2026-01-02T03:04:05Z"}}}
        ],
    },
}  # fmt: skip
SERVICE_COLUMNS = ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]


def ports(*numbers):
    return [{"name": f"p{number}", "port": number} for number in numbers]


@pytest.fixture
def world(product, namespace):
    """Creates objects, with their status, and tells what the server made of them."""

    def create(document, plural, status=None):
        root = f"{product.url}/api/v1" + ("" if plural == "nodes" else f"/namespaces/{namespace}")
        made = httpx.post(f"{root}/{plural}", json=document)
        assert made.status_code == 201, made.text
        if status:
            made = httpx.put(
                f"{root}/{plural}/{made.json()['metadata']['name']}/status", json={**made.json(), "status": status}
            )
            assert made.status_code == 200, made.text
        return made.json()

    return create


@pytest.fixture
def four(world):
    """A Service of each type."""

    def service(name, spec):
        labels = {"app": name, "tier": "back" if name == "a" else "front"}
        made = world({"metadata": {"name": name, "labels": labels}, "spec": {"selector": {"app": name}, **spec}},
                     "services")  # fmt: skip
        return made["spec"] | made["status"]

    return {
        "a": service("a", {"ports": ports(80, 443)}),
        "b": service("b", {"ports": ports(80), "type": "NodePort"}),
        "c": service("c", {"ports": ports(80), "type": "LoadBalancer"}),
        "d": service("d", {"type": "ExternalName", "externalName": "example.com"}),
        "e": service("e", {"clusterIP": "None"}),
    }


def test_services(kubectl, four):
    a, b, c = four["a"], four["b"], four["c"]
    node_ports = {name: four[name]["ports"][0]["nodePort"] for name in "bc"}
    expected = {
        "a": ["a", "ClusterIP", a["clusterIP"], "<none>", "80/TCP,443/TCP", "AGE"],
        "b": ["b", "NodePort", b["clusterIP"], "<none>", f"80:{node_ports['b']}/TCP", "AGE"],
        "c": ["c", "LoadBalancer", c["clusterIP"], c["loadBalancer"]["ingress"][0]["ip"],
              f"80:{node_ports['c']}/TCP", "AGE"],
        "d": ["d", "ExternalName", "<none>", "example.com", "<none>", "AGE"],
        "e": ["e", "ClusterIP", "None", "<none>", "<none>", "AGE"],
    }  # fmt: skip
    assert kubectl.table("get", "services") == [SERVICE_COLUMNS, *expected.values()]
    assert kubectl.table("get", "svc", "--chunk-size=2") == [SERVICE_COLUMNS, *expected.values()]
    wide = [[*SERVICE_COLUMNS, "SELECTOR"], *([*row, f"app={name}"] for name, row in expected.items())]
    assert kubectl.table("get", "services", "-o", "wide") == wide
    assert kubectl.table("get", "service", "b", "--no-headers") == [expected["b"]]
    assert kubectl.table("get", "all")[1:] == [[f"service/{row[0]}", *row[1:]] for row in expected.values()]
    labelled = kubectl.table("get", "service", "a", "-L", "tier")
    assert labelled == [[*SERVICE_COLUMNS, "TIER"], [*expected["a"], "back"]]


def test_a_load_balancer_that_has_no_address_yet(kubectl, world):
    spec = {"ports": ports(80), "type": "LoadBalancer", "loadBalancerClass": "example.com/other"}
    made = world({"metadata": {"name": "c"}, "spec": spec}, "services")["spec"]
    (row,) = kubectl.table("get", "service", "c", "--no-headers")
    assert row[1:] == ["LoadBalancer", made["clusterIP"], "<pending>", f"80:{made['ports'][0]['nodePort']}/TCP", "AGE"]


@pytest.mark.parametrize(
    ("selectors", "names"),
    [
        (["-l", "tier=front"], "bcde"),
        (["-l", "tier!=front"], "a"),
        (["-l", "app in (a, c), tier"], "ac"),
        (["-l", "app notin (a, b),!legacy"], "cde"),
        (["--field-selector", "spec.type=NodePort"], "b"),
        (["--field-selector", "spec.clusterIP!=None,spec.type!=ExternalName"], "abc"),
        (["--field-selector", "metadata.name=d", "-l", "tier=front"], "d"),
    ],
)
def test_selectors(kubectl, four, selectors, names):
    assert four.keys() >= set(names)
    found = kubectl("get", "services", *selectors, "-o", "name").split()
    assert found == [f"service/{name}" for name in names]


def test_wrong_selectors(kubectl):
    kubectl("get", "services", "--field-selector", "spec.ports=1", status=1)
    assert "(BadRequest)" in kubectl.errors
    assert "field label not supported" in kubectl.errors
    kubectl("get", "services", "-l", "a in b", status=1)
    assert "(BadRequest)" in kubectl.errors or "unable to parse requirement" in kubectl.errors


def test_documents(kubectl, four, product):
    shown = kubectl("get", "service", "a", "-o", "yaml")
    assert re.findall(r"^(\S+):", shown, re.MULTILINE) == ["apiVersion", "kind", "metadata", "spec", "status"]
    assert f"  clusterIP: {four['a']['clusterIP']}\n" in shown
    stored = httpx.get(f"{product.url}/api/v1/namespaces/{kubectl.namespace}/services/a").json()
    assert kubectl.document("get", "service", "a", "--show-managed-fields") == stored
    listed = kubectl.document("get", "services", "--sort-by", "{.spec.type}")
    assert [each["metadata"]["name"] for each in listed["items"]] == ["a", "e", "d", "c", "b"]
    template = "-o=jsonpath={range .items[*]}{.metadata.name}={.spec.type} {end}"
    assert kubectl("get", "services", template).split() == [f"{name}={spec['type']}" for name, spec in four.items()]
    assert kubectl.table("get", "services", "-o=custom-columns=N:.metadata.name,P:.spec.ports[*].port")[1] == (
        ["a", "80,443"]
    )
    kubectl("get", "service", "absent", status=1)
    assert kubectl.errors == 'Error from server (NotFound): services "absent" not found\n'
    kubectl("get", "deployments", status=1)
    assert kubectl.errors == 'error: the server doesn\'t have a resource type "deployments"\n'


def test_watching(kubectl, world):
    world({"metadata": {"name": "a"}, "spec": {"ports": ports(80)}}, "services")
    plain = kubectl.start("get", "services", "-w", "-l", "app!=hidden", "--no-headers")
    events = kubectl.start(
        "get", "services", "-w", "--output-watch-events", "-o", "jsonpath={.type} {.object.spec.type}\n"
    )
    try:
        assert rows(plain.stdout.readline())[0][:2] == ["a", "ClusterIP"]
        assert events.stdout.readline() == "ADDED ClusterIP\n"
        kubectl("create", "service", "nodeport", "b", "--tcp=80")
        kubectl("label", "service", "b", "--overwrite", "app=hidden")
        kubectl("patch", "service", "a", "-p", '{"spec":{"type":"LoadBalancer"}}')
        kubectl("delete", "service", "a")
        # A change of type may be two changes: what is wanted, and what was then allocated.
        shown = [key for key, _ in groupby(iter(events.stdout.readline, "DELETED LoadBalancer\n"))]
        assert shown == ["ADDED NodePort\n", "MODIFIED NodePort\n", "MODIFIED LoadBalancer\n"]
        seen = [rows(plain.stdout.readline())[0][:2] for _ in range(4)]
        assert seen == [["b", "NodePort"], ["b", "NodePort"], ["a", "LoadBalancer"], ["a", "LoadBalancer"]]
    finally:
        for process in (plain, events):
            process.kill()
            process.communicate()


def test_describe(kubectl, world):
    metadata = {"name": "web", "labels": {"app": "web"}, "annotations": {"note": "a word"}}
    spec = {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    made = world({"metadata": metadata, "spec": spec}, "services")
    world(POD, "pods", POD["status"])
    reference = {"apiVersion": "v1", "kind": "Service", "name": "web", "namespace": kubectl.namespace,
                 "uid": made["metadata"]["uid"]}  # fmt: skip
    times = dict.fromkeys(("firstTimestamp", "lastTimestamp"), "2026-01-02T03:04:05Z")
    world({"metadata": {"generateName": "web."}, "involvedObject": reference, "reason": "Tested", "type": "Warning",
           "message": "it was tried", "source": {"component": "tester"}, "count": 3, **times}, "events")  # fmt: skip
    text = until(lambda: shown if "10.244.0.5:8080" in (shown := kubectl("describe", "service", "web")) else "")
    lines = described(text)
    address, node_port = made["spec"]["clusterIP"], made["spec"]["ports"][0]["nodePort"]
    expected = {
        "Name": "web",
        "Namespace": kubectl.namespace,
        "Labels": "app=web",
        "Annotations": "note: a word",
        "Selector": "app=web",
        "Type": "NodePort",
        "IP Family Policy": "SingleStack",
        "IP Families": "IPv4",
        "IP": address,
        "IPs": address,
        "Port": "<unset>  80/TCP",
        "TargetPort": "8080/TCP",
        "NodePort": f"<unset>  {node_port}/TCP",
        "Endpoints": "10.244.0.5:8080",
        "Session Affinity": "None",
        "External Traffic Policy": "Cluster",
    }
    assert {name: lines.get(name) for name in expected} == expected
    assert re.search(r"Warning  Tested  \S+ \(x3 over \S+\)  tester  it was tried$", text.strip())
    assert kubectl.table("events", "--for", "service/web", "--no-headers")[0][1:] == (
        ["Warning", "Tested", "Service/web", "it was tried"]
    )


def test_the_columns_of_every_kind(kubectl, world):
    name = f"node-{kubectl.namespace}"
    node = {**NODE, "metadata": {**NODE["metadata"], "name": name}}
    world(node, "nodes", NODE["status"])
    world({**POD, "spec": {**POD["spec"], "nodeName": name}}, "pods", POD["status"])
    spec = {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
    made = world({"metadata": {"name": "web"}, "spec": spec}, "services")
    reference = {"kind": "Service", "name": "web", "namespace": kubectl.namespace, "uid": made["metadata"]["uid"]}
    event = {"metadata": {"name": "web.1"}, "involvedObject": reference, "reason": "Tested", "type": "Normal",
             "message": "tried", "source": {"component": "tester"}, "count": 3}  # fmt: skip
    world(event, "events")
    (slice_row,) = until(
        lambda: found if "10.244" in str(found := kubectl.table("get", "endpointslices", "--no-headers")) else None
    )
    assert slice_row == [slice_row[0], "IPv4", "8080", "10.244.0.5", "AGE"]
    assert slice_row[0].startswith("web-")
    assert heading(kubectl, "endpointslices") == ["NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE"]
    assert kubectl.table("get", "endpoints", "web") == [["NAME", "ENDPOINTS", "AGE"], ["web", "10.244.0.5:8080", "AGE"]]
    assert kubectl.table("get", "node", name, "-o", "wide") == [
        ["NAME", "STATUS", "ROLES", "AGE", "VERSION", "INTERNAL-IP", "EXTERNAL-IP", "OS-IMAGE", "KERNEL-VERSION",
         "CONTAINER-RUNTIME"],
        [name, "Ready", "edge", "AGE", "v1.36.0", "10.1.0.4", "192.0.2.4", "Debian 12", "6.1.0", "containerd://2.0.0"],
    ]  # fmt: skip
    assert kubectl.table("get", "pod", "-o", "wide") == [
        ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED NODE", "READINESS GATES"],
        ["web-1", "1/1", "Running", "2", "AGE", "10.244.0.5", name, "<none>", "<none>"],
    ]
    wide = kubectl("get", "events", "-o", "wide", "--field-selector", "involvedObject.name=web").splitlines()
    assert re.split(r"\s{2,}", wide[0].strip()) == [
        "LAST SEEN", "TYPE", "REASON", "OBJECT", "SUBOBJECT", "SOURCE", "MESSAGE", "FIRST SEEN", "COUNT", "NAME"
    ]  # fmt: skip
    assert re.search(r" Normal +Tested +service/web +tester +tried +\S+ +3 +web\.1$", wide[1].rstrip())
    assert heading(kubectl, "events", narrow=True) == ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    address = made["spec"]["clusterIP"]
    assert kubectl.table("get", "ipaddresses", address) == [
        ["NAME", "PARENTREF"], [address, f"services/{kubectl.namespace}/web"]
    ]  # fmt: skip
    assert heading(kubectl, "ap") == [
        "NAME", "SCOPE", "ADDRESSES", "IPV4-USED", "IPV4-FREE", "IPV6-USED", "IPV6-FREE", "READY", "AGE", "AUTO-ASSIGN",
        "PRIORITY",
    ]  # fmt: skip
    assert kubectl.table("get", "addresspool", "external")[1][:3] == [
        "external",
        "external",
        "198.18.0.0/16,2001:2::/112",
    ]
    assert kubectl.table("get", "servicecidrs") == [["NAME", "CIDRS", "AGE"], ["kubernetes", "10.96.0.0/16", "AGE"]]


def heading(kubectl, kind, *, narrow=False):
    return rows(kubectl("get", kind, *([] if narrow else ["-o", "wide"])))[0]


def test_explain(kubectl):
    text = kubectl("explain", "service.spec")
    lines = described(text)
    assert (lines["KIND"], lines["VERSION"]) == ("Service", "v1")
    assert "spec <ServiceSpec>" in text
    fields = dict(re.findall(r"^ +(\w+)\t<([^>]+)>", text, re.MULTILINE))
    assert fields == {
        "allocateLoadBalancerNodePorts": "boolean",
        "clusterIP": "string",
        "clusterIPs": "[]string",
        "externalIPs": "[]string",
        "externalName": "string",
        "externalTrafficPolicy": "string",
        "healthCheckNodePort": "integer",
        "internalTrafficPolicy": "string",
        "ipFamilies": "[]string",
        "ipFamilyPolicy": "string",
        "loadBalancerClass": "string",
        "loadBalancerIP": "string",
        "loadBalancerSourceRanges": "[]string",
        "ports": "[]ServicePort",
        "publishNotReadyAddresses": "boolean",
        "selector": "map[string]string",
        "sessionAffinity": "string",
        "sessionAffinityConfig": "SessionAffinityConfig",
        "trafficDistribution": "string",
        "type": "string",
    }
    port = kubectl("explain", "service.spec.ports.targetPort")
    assert "targetPort <IntOrString>" in port
    kubectl("explain", "service.spec.absent", status=1)
    assert 'field "absent" does not exist' in kubectl.errors
    for kind in (
        "endpointslice",
        "dnsrecordset",
        "addresspool.spec.namespaceSelector.matchExpressions",
        "lease.spec",
        "event",
        "namespace.status",
    ):
        assert "FIELDS:" in kubectl("explain", kind)


def test_api_resources(kubectl):
    table = kubectl("api-resources", "--sort-by=name")
    found = {tuple(re.split(r"\s{2,}", line.strip())) for line in table.splitlines()}
    assert found >= {
        ("addresspools", "ap", "fairlead.io/v1", "false", "AddressPool"),
        ("loadbalancers", "lb", "fairlead.io/v1", "true", "LoadBalancer"),
        ("endpoints", "ep", "v1", "true", "Endpoints"),
        ("endpointslices", "discovery.k8s.io/v1", "true", "EndpointSlice"),
        ("events", "ev", "v1", "true", "Event"),
        ("events", "ev", "events.k8s.io/v1", "true", "Event"),
        ("ipaddresses", "ip", "networking.k8s.io/v1", "false", "IPAddress"),
        ("leases", "coordination.k8s.io/v1", "true", "Lease"),
        ("namespaces", "ns", "v1", "false", "Namespace"),
        ("nodes", "no", "v1", "false", "Node"),
        ("pods", "po", "v1", "true", "Pod"),
        ("selfsubjectaccessreviews", "authorization.k8s.io/v1", "false", "SelfSubjectAccessReview"),
        ("servicecidrs", "networking.k8s.io/v1", "false", "ServiceCIDR"),
        ("services", "svc", "v1", "true", "Service"),
    }
    listed = kubectl("api-resources", "-o", "wide", "--api-group=", "--namespaced", "--no-headers")
    (line,) = (line for line in listed.splitlines() if line.startswith("services "))
    verbs = re.findall("[a-z]+", line.partition(" Service ")[2])
    assert verbs[:8] == ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
    assert set(kubectl("api-versions").split()) >= {"v1", "discovery.k8s.io/v1", "fairlead.io/v1"}


def test_the_rest_of_the_server(kubectl, product):
    assert json.loads(kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"].startswith("v1.36.0+fairlead.")
    assert kubectl("get", "--raw", "/readyz") == "ok"
    assert product.url in kubectl("cluster-info")
    assert kubectl("auth", "can-i", "create", "services") == "yes\n"
    assert kubectl("auth", "can-i", "delete", "namespaces", "--all-namespaces").endswith("yes\n")
    listed = kubectl.table("auth", "can-i", "--list")
    assert ["*.*", "[]", "[]", "[*]"] in listed
    if kubectl.minor >= 28:
        assert ["Username", "system:anonymous"] in kubectl.table("auth", "whoami")
