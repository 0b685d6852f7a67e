"""The examples of docs/policies.md, as they stand there."""

import re
from pathlib import Path

import pytest
import yaml

from app.domain.declarations.catalog import Kinds

BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", Path("docs/policies.md").read_text(), re.MULTILINE | re.DOTALL)
INTERNAL = "service.beta.kubernetes.io/azure-load-balancer-internal"
NAMESPACES = {"shop-dev": {"environment": "development"}, "shop": {}}


def balancer(name, **annotations):
    metadata = {"name": name, "annotations": annotations, "labels": {"owner": "ann"}}
    return {"metadata": metadata, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}


def path_of(document):
    kinds = {(kind.api_version, kind.name): kind for kind in Kinds()}
    kind = kinds[document["apiVersion"], document["kind"]]
    root = f"/apis/{kind.api_version}" if kind.group else "/api/v1"
    namespace = document["metadata"].get("namespace")
    return f"{root}/namespaces/{namespace}/{kind.plural}" if namespace else f"{root}/{kind.plural}"


@pytest.fixture
async def examples(api):
    """The namespaces, and all examples in force."""
    for name, labels in NAMESPACES.items():
        await api.post("/api/v1/namespaces", json={"metadata": {"name": name, "labels": labels}})
    stored = [document for block in BLOCKS for document in yaml.safe_load_all(block)]
    for document in stored:
        answer = await api.post(path_of(document), json=document)
        assert answer.status_code == 201, answer.text
        assert "warning" not in answer.headers
    for document in stored:
        await api.get(path_of(document))
    yield
    for document in reversed(stored):
        await api.delete(f"{path_of(document)}/{document['metadata']['name']}")
        await api.get(path_of(document))


@pytest.mark.parametrize(
    ("namespace", "service", "code", "said"),
    [
        ("shop-dev", balancer("shop-web"), 403, "load balancers are internal here"),
        ("shop-dev", balancer("shop-web", **{INTERNAL: "true"}), 201, ""),
        ("shop", balancer("shop-web"), 201, ""),
        ("shop", balancer("shop-web", **{INTERNAL: "true", f"{INTERNAL}-subnet": "internal"}), 201, ""),
        ("shop", balancer("shop-web", **{INTERNAL: "true", f"{INTERNAL}-subnet": "other"}), 422,
         "the pool other is none of internal,apps"),
        ("shop", balancer("web"), 201, "a name is TEAM-NAME, such as shop-web"),
        ("shop", {"metadata": {"name": "shop-web"}, "spec": {"ports": [{"port": 80}]}}, 201,
         "Service shop-web needs the label owner"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("examples")
async def test_an_example_does_what_it_says(api, namespace, service, code, said):
    answer = await api.post(f"/api/v1/namespaces/{namespace}/services?dryRun=All", json=service)
    assert answer.status_code == code, answer.text
    told = answer.json()["message"] if code >= 400 else " ".join(answer.headers.get_list("warning"))
    assert said in told


@pytest.mark.usefixtures("examples")
async def test_the_ceiling_of_external_addresses_holds(api):
    path = "/api/v1/namespaces/shop/services"
    for number in (1, 2):
        assert (await api.post(path, json=balancer(f"shop-{number}"))).status_code == 201
    refused = await api.post(path, json=balancer("shop-3"))
    resource = "fairlead.io/external-addresses"
    assert refused.status_code == 403
    assert refused.json()["message"] == (
        f'services "shop-3" is forbidden: exceeded quota: team, requested: {resource}=1, used: {resource}=2, '
        f"limited: {resource}=2"
    )
    assert (await api.post(path, json=balancer("shop-3", **{INTERNAL: "true"}))).status_code == 201
    assert (await api.delete(path)).status_code == 200
