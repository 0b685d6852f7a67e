"""Discovery, OpenAPI, health: what is told about the API itself."""

import json
import re

import pytest
from openapi_spec_validator import validate

from app.domain.declarations.catalog import Kinds

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList,application/json"
SWAGGER_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"


async def test_every_kind_is_discovered(api):
    groups = {group["name"] for group in (await api.get("/apis")).json()["groups"]}
    for kind in Kinds():
        path = f"/apis/{kind.group}/{kind.version}" if kind.group else "/api/v1"
        listed = {each["name"]: each for each in (await api.get(path)).json()["resources"]}
        assert listed[kind.plural]["verbs"] == list(kind.verbs)
        assert listed[kind.plural]["namespaced"] is kind.namespaced
        assert (f"{kind.plural}/status" in listed) is kind.has_status
        assert not kind.group or kind.group in groups


async def test_a_group_tells_its_versions(api):
    group = (await api.get("/apis/discovery.k8s.io")).json()
    assert group["kind"] == "APIGroup"
    assert group["preferredVersion"] == {"groupVersion": "discovery.k8s.io/v1", "version": "v1"}
    assert (await api.get("/api")).json()["versions"] == ["v1"]
    assert (await api.get("/apis/")).json() == (await api.get("/apis")).json()


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
async def test_discovery_is_aggregated_for_those_who_ask(api, version):
    core = await api.get("/api", headers={"accept": AGGREGATED.format(version)})
    assert core.headers["content-type"].endswith(f"v={version};as=APIGroupDiscoveryList")
    document = core.json()
    assert (document["kind"], document["apiVersion"]) == ("APIGroupDiscoveryList", f"apidiscovery.k8s.io/{version}")
    resources = {each["resource"]: each for each in document["items"][0]["versions"][0]["resources"]}
    assert resources["services"]["scope"] == "Namespaced"
    assert resources["services"]["shortNames"] == ["svc"]
    assert [each["subresource"] for each in resources["services"]["subresources"]] == ["status"]
    others = (await api.get("/apis", headers={"accept": AGGREGATED.format(version)})).json()
    assert "discovery.k8s.io" in [group["metadata"]["name"] for group in others["items"]]
    unknown = await api.get("/apis", headers={"accept": AGGREGATED.format("v9")})
    assert unknown.json()["kind"] == "APIGroupList"


async def test_the_version_is_kubernetes_with_ours_behind(api):
    assert (await api.get("/version")).json()["gitVersion"] == "v1.36.0+fairlead.0.0.0"


async def test_the_root_lists_paths_that_are_there(api):
    paths = (await api.get("/")).json()["paths"]
    assert {"/api/v1", "/apis/fairlead.io/v1", "/docs", "/version"} <= set(paths)
    assert {path: (await api.get(path)).status_code for path in paths} == dict.fromkeys(paths, 200)


async def test_documents_have_heads(api):
    for path in (
        "/",
        "/api",
        "/docs",
        "/healthz",
        "/livez/ping",
        "/metrics",
        "/openapi.json",
        "/openapi/v3",
        "/version",
    ):
        head = await api.head(path)
        assert (head.status_code, head.content) == (200, b""), path
        assert head.headers["content-type"] == (await api.get(path)).headers["content-type"]
    assert (await api.head("/api/v1/nodes")).status_code == 405


async def test_documents_are_only_read(api):
    answer = await api.post("/apis", json={})
    assert answer.status_code == 405


@pytest.mark.parametrize(
    "path", ["/openapi.json", "/openapi/v2", "/openapi/v3/api/v1", "/openapi/v3/apis/discovery.k8s.io/v1"]
)
async def test_the_openapi_documents_are_valid(api, path):
    validate((await api.get(path)).json())


async def test_every_operation_is_complete(api):
    document = (await api.get("/openapi.json")).json()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    assert {
        "createCoreV1NamespacedService",
        "listCoreV1ServiceForAllNamespaces",
        "deleteCoreV1CollectionNamespacedService",
        "readCoreV1NamespacedServiceStatus",
        "replaceCoreV1NamespaceFinalize",
        "listFairleadV1NamespacedDNSRecordSet",
    } <= set(ids)
    for operation in operations:
        assert operation["tags"]
        assert operation["summary"]
    for path, item in document["paths"].items():
        for operation in item.values():
            told = {each.get("name") for each in operation.get("parameters", [])}
            assert set(re.findall(r"{(\w+)}", path)) <= told
    status = document["components"]["responses"]["Error422"]["content"]["application/json"]["schema"]["$ref"]
    assert status.endswith("io.k8s.apimachinery.pkg.apis.meta.v1.Status")


async def test_what_is_served_is_described(api):
    """Discovery and OpenAPI are made from the same declarations; every resource of one is in the other."""
    paths = (await api.get("/openapi.json")).json()["paths"]
    for kind in Kinds():
        root = f"/apis/{kind.group}/{kind.version}" if kind.group else "/api/v1"
        place = "/namespaces/{namespace}" if kind.namespaced else ""
        methods = {
            "list": (f"{root}{place}/{kind.plural}", "get"),
            "create": (f"{root}{place}/{kind.plural}", "post"),
            "deletecollection": (f"{root}{place}/{kind.plural}", "delete"),
            "get": (f"{root}{place}/{kind.plural}/{{name}}", "get"),
            "update": (f"{root}{place}/{kind.plural}/{{name}}", "put"),
            "patch": (f"{root}{place}/{kind.plural}/{{name}}", "patch"),
            "delete": (f"{root}{place}/{kind.plural}/{{name}}", "delete"),
        }
        for verb, (path, method) in methods.items():
            assert (method in paths.get(path, {})) is (verb in kind.verbs), (path, method)


async def test_every_field_of_every_kind_is_explained(api):
    index = (await api.get("/openapi/v3")).json()["paths"]
    for each in index.values():
        for name, schema in (await api.get(each["serverRelativeURL"])).json()["components"]["schemas"].items():
            assert schema["description"], name
            properties = schema.get("properties", {})
            assert [wire for wire, described in properties.items() if not described.get("description")] == [], name
            assert set(schema.get("required", [])) <= set(properties)


REQUIRED = {
    "core.v1.ServicePort": ["port"],
    "core.v1.ServiceSpec": None,
    "core.v1.PodSpec": ["containers"],
    "core.v1.Event": ["metadata", "involvedObject"],
    "core.v1.Taint": ["key", "effect"],
    "discovery.v1.EndpointSlice": ["addressType", "endpoints"],
    "discovery.v1.Endpoint": ["addresses"],
    "events.v1.Event": ["eventTime"],
    "networking.v1.ParentReference": ["resource", "name"],
}


async def test_documents_require_what_kubernetes_requires(api):
    complete = (await api.get("/openapi.json")).json()["components"]["schemas"]
    swagger = (await api.get("/openapi/v2")).json()["definitions"]
    for schemas in (complete, swagger):
        assert {name: schemas[f"io.k8s.api.{name}"].get("required") for name in REQUIRED} == REQUIRED


async def test_documents_tell_what_may_be_null(api):
    """A slice without endpoints shows null: a generated client has to know."""
    slices = "io.k8s.api.discovery.v1.EndpointSlice"
    complete = (await api.get("/openapi.json")).json()["components"]["schemas"]
    assert complete[slices]["properties"]["endpoints"]["type"] == ["array", "null"]
    group = (await api.get("/openapi/v3/apis/discovery.k8s.io/v1")).json()["components"]["schemas"]
    assert group[slices]["properties"]["endpoints"]["nullable"] is True


async def test_clients_find_what_they_look_for_in_openapi_v3(api):
    index = (await api.get("/openapi/v3")).json()["paths"]
    url = index["api/v1"]["serverRelativeURL"]
    assert re.fullmatch(r"/openapi/v3/api/v1\?hash=[0-9A-F]+", url)
    document = (await api.get(url)).json()
    patch = document["paths"]["/api/v1/namespaces/{namespace}/services/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "", "version": "v1", "kind": "Service"}
    assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]
    schemas = document["components"]["schemas"]
    ports = schemas["io.k8s.api.core.v1.ServiceSpec"]["properties"]["ports"]
    assert ports["x-kubernetes-patch-merge-key"] == "port"
    assert ports["x-kubernetes-list-map-keys"] == ["port", "protocol"]
    assert schemas["io.k8s.api.core.v1.Service"]["x-kubernetes-group-version-kind"] == [
        {"group": "", "version": "v1", "kind": "Service"}
    ]
    (target_port,) = schemas["io.k8s.api.core.v1.ServicePort"]["properties"]["targetPort"]["allOf"]
    assert schemas[target_port["$ref"].rpartition("/")[2]]["format"] == "int-or-string"


async def test_documents_are_sent_once(api):
    first = await api.get("/openapi/v3/api/v1")
    again = await api.get("/openapi/v3/api/v1", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_swagger_is_also_protobuf(api):
    answer = await api.get("/openapi/v2", headers={"accept": SWAGGER_PROTOBUF})
    assert answer.headers["content-type"] == SWAGGER_PROTOBUF.replace("@", ".")
    assert answer.content.startswith(b"\n\x032.0")
    assert b"io.k8s.api.core.v1.Service" in answer.content
    assert b'{"group":"","version":"v1","kind":"Service"}' in answer.content


async def test_the_docs_need_nothing_from_elsewhere(api):
    page = (await api.get("/docs")).text
    for source in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert source.startswith("/docs/")
        assert (await api.get(source)).status_code == 200


async def test_health_tells_what_was_checked(api):
    for name in ("healthz", "livez", "readyz"):
        assert (await api.get(f"/{name}")).text == "ok"
    verbose = (await api.get("/readyz?verbose")).text
    assert verbose == "[+]ping ok\n[+]mirror ok\nreadyz check passed\n"
    assert (await api.get("/readyz/mirror")).text == "ok"
    assert (await api.get("/livez/mirror")).status_code == 404
    assert "excluded" in (await api.get("/readyz?verbose&exclude=mirror")).text


async def test_requests_are_counted(api):
    await api.get("/api/v1/namespaces/default/services")
    text = (await api.get("/metrics")).text
    assert re.search(r'apiserver_request_total{code="200",resource="services",verb="list"} [1-9]', text)
    assert 'apiserver_request_duration_seconds_count{resource="services",verb="list"}' in text


async def test_reviews_allow_everything(api):
    reviews = "/apis/authorization.k8s.io/v1"
    spec = {"resourceAttributes": {"verb": "create", "resource": "services"}}
    answer = await api.post(f"{reviews}/selfsubjectaccessreviews", json={"spec": spec})
    assert answer.status_code == 201
    assert answer.json()["status"]["allowed"] is True
    assert answer.json()["spec"] == spec
    rules = await api.post(f"{reviews}/selfsubjectrulesreviews", json={"spec": {"namespace": "default"}})
    assert rules.json()["status"]["resourceRules"][0]["verbs"] == ["*"]
    empty = await api.post(f"{reviews}/selfsubjectaccessreviews", json={})
    assert empty.status_code == 422
    who = await api.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json={})
    assert who.json()["status"]["userInfo"]["username"] == "system:anonymous"
    assert (await api.get(f"{reviews}/selfsubjectaccessreviews")).status_code == 405


async def test_every_field_of_a_service_is_explained(api):
    schemas = (await api.get("/openapi/v3/api/v1")).json()["components"]["schemas"]
    explained = [
        ("api.core.v1.Service", ("apiVersion", "kind")),
        ("api.core.v1.ServiceSpec", ()),
        ("api.core.v1.ServicePort", ()),
        ("api.core.v1.LoadBalancerIngress", ()),
        ("apimachinery.pkg.apis.meta.v1.Condition", ()),
    ]
    for name, some in explained:
        properties = schemas[f"io.k8s.{name}"]["properties"]
        silent = [field for field in some or properties if not properties[field].get("description")]
        assert silent in ([], ["sessionAffinityConfig"])


async def test_the_pages_run_only_scripts_of_their_own(api):
    for path in ("/docs", "/redoc"):
        answer = await api.get(path)
        assert "script-src 'self';" in answer.headers["content-security-policy"]
        assert re.findall(r"<script(?! src=)", answer.text) == []
        for source in re.findall(r'(?:src|href)="([^"]+)"', answer.text):
            assert (await api.get(source)).status_code == 200


async def test_the_documentation_begins_with_services(api):
    document = (await api.get("/openapi.json")).json()
    names = [tag["name"] for tag in document["tags"]]
    assert names[0] == "Service"
    assert all(tag["description"] for tag in document["tags"])
    used = {tag for item in document["paths"].values() for each in item.values() for tag in each["tags"]}
    assert used == set(names)
    assert 'location.hash = "#/Service"' in (await api.get("/docs/start.js")).text


async def test_operations_are_said_in_sentences(api):
    paths = (await api.get("/openapi.json")).json()["paths"]
    operations = [operation for item in paths.values() for operation in item.values()]
    summaries = {operation["summary"] for operation in operations}
    assert {
        "Create Endpoints",
        "Create an EndpointSlice",
        "Create a Service",
        "Read the status of a Service",
    } <= summaries
    assert [each for each in summaries if re.search(r"\b(a [AEIO]|an [^AEIO]|a Endpoints)", each)] == []
    assert [each["operationId"] for each in operations if not each["description"].endswith(".")] == []


async def test_generators_get_short_names_values_and_what_is_read_only(api):
    schemas = (await api.get("/openapi.json")).json()["components"]["schemas"]
    titles = [schema["title"] for schema in schemas.values()]
    assert len(set(titles)) == len(titles)
    assert schemas["io.k8s.api.core.v1.Service"]["title"] == "Service"
    assert (schemas["io.k8s.api.core.v1.Event"]["title"], schemas["io.k8s.api.events.v1.Event"]["title"]) == (
        "Event",
        "EventsEvent",
    )
    spec = schemas["io.k8s.api.core.v1.ServiceSpec"]["properties"]
    assert spec["type"]["enum"] == ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]
    assert spec["ipFamilies"]["items"]["enum"] == ["IPv4", "IPv6"]
    assert spec["internalTrafficPolicy"]["enum"] == ["Cluster", "Local"]
    closed = {
        ("io.k8s.api.core.v1.ServicePort", "protocol"): {"TCP", "UDP", "SCTP"},
        ("io.k8s.api.core.v1.ContainerPort", "protocol"): {"TCP", "UDP", "SCTP"},
        ("io.k8s.api.core.v1.EndpointPort", "protocol"): {"TCP", "UDP", "SCTP"},
        ("io.k8s.api.core.v1.PodSpec", "restartPolicy"): {"Always", "OnFailure", "Never"},
        ("io.k8s.api.core.v1.PodStatus", "phase"): {"Pending", "Running", "Succeeded", "Failed", "Unknown"},
        ("io.k8s.api.core.v1.Taint", "effect"): {"NoSchedule", "PreferNoSchedule", "NoExecute"},
        ("io.k8s.apimachinery.pkg.apis.meta.v1.Condition", "status"): {"True", "False", "Unknown"},
        ("io.fairlead.v1.DataPlaneSpec", "type"): {"Envoy", "HAProxy"},
    }
    for (schema, field), words in closed.items():
        assert set(schemas[schema]["properties"][field]["enum"]) == words
    metadata = schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]["properties"]
    assert {name for name, each in metadata.items() if each.get("readOnly")} >= {"uid", "creationTimestamp"}
    assert "readOnly" not in metadata["resourceVersion"]
    assert schemas["io.k8s.api.core.v1.Service"]["properties"]["status"]["readOnly"] is True
    assert "readOnly" not in schemas["io.k8s.api.core.v1.Pod"]["properties"]["status"]


async def test_nothing_of_the_document_breaks_the_code_that_is_generated(api):
    text = (await api.get("/openapi.json")).text
    # Descriptions become comments of TypeScript and docstrings of Python.
    assert [end for end in ("*/", r"\"\"\"") if end in text] == []
    titles = {schema["title"] for schema in json.loads(text)["components"]["schemas"].values()}
    assert titles & {"Any", "Dict", "List", "Optional", "Set", "Tuple", "Union"} == set()
