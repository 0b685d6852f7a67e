"""ConfigMaps, Secrets and ServiceAccounts over the wire."""

import base64

import pytest

CORE = "/api/v1/namespaces/kube-public"
SECRETS, CONFIG_MAPS = f"{CORE}/secrets", f"{CORE}/configmaps"
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
MERGE, STRATEGIC, JSON_PATCH, APPLY = (
    {"content-type": f"application/{each}"}
    for each in ("merge-patch+json", "strategic-merge-patch+json", "json-patch+json", "apply-patch+yaml")
)


def b64(text):
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(autouse=True)
async def _cleared(api):
    yield
    for collection in (SECRETS, CONFIG_MAPS):
        assert (await api.delete(collection)).status_code == 200


async def posted(api, collection=SECRETS, **fields):
    answer = await api.post(collection, json={"metadata": {"name": "it"}, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_texts_are_written_and_never_read(api):
    made = await posted(api, data={"a": b64("old"), "b": b64("b")}, stringData={"a": "new"})
    assert (made["data"], made["type"]) == ({"a": b64("new"), "b": b64("b")}, "Opaque")
    assert "stringData" not in made
    replaced = await api.put(f"{SECRETS}/it", json={"metadata": {"name": "it"}, "stringData": {"c": "c"}})
    assert replaced.json()["data"] == {"c": b64("c")}
    assert "stringData" not in (await api.get(f"{SECRETS}/it")).text


@pytest.mark.parametrize(
    ("headers", "patch", "data"),
    [
        (MERGE, {"stringData": {"b": "2"}}, {"a": b64("1"), "b": b64("2")}),
        (MERGE, {"stringData": {"a": "2"}, "data": {"a": b64("3")}}, {"a": b64("2")}),
        (MERGE, {"data": {"a": None}}, None),
        (STRATEGIC, {"stringData": {"b": "2"}, "data": {"a": None}}, {"b": b64("2")}),
        (JSON_PATCH, [{"op": "add", "path": "/stringData", "value": {"b": "2"}}], {"a": b64("1"), "b": b64("2")}),
        (JSON_PATCH, [{"op": "replace", "path": "/data/a", "value": b64("2")}], {"a": b64("2")}),
    ],
)
async def test_every_patch_takes_texts_over(api, headers, patch, data):
    await posted(api, stringData={"a": "1"})
    patched = await api.patch(f"{SECRETS}/it", json=patch, headers=headers)
    assert patched.status_code == 200, patched.text
    assert patched.json().get("data") == data


@pytest.mark.parametrize("headers", [MERGE, STRATEGIC])
async def test_a_patch_without_base64_is_refused(api, headers):
    await posted(api)
    refused = await api.patch(f"{SECRETS}/it", json={"data": {"a": "hunter2"}}, headers=headers)
    assert refused.status_code == 422
    assert refused.json()["details"]["causes"][0]["field"] == "patch"
    assert "hunter2" not in refused.text


async def test_texts_are_applied(api):
    config = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "it"}, "stringData": {"a": "1"}}
    query = {"fieldManager": "me"}
    made = await api.patch(f"{SECRETS}/it", json=config, headers=APPLY, params=query)
    assert (made.status_code, made.json()["data"]) == (201, {"a": b64("1")})
    again = await api.patch(f"{SECRETS}/it", json=config, headers=APPLY, params=query)
    assert again.json() == made.json()
    other = await api.patch(
        f"{SECRETS}/it", json={**config, "stringData": {"b": "2"}}, headers=APPLY, params={"fieldManager": "you"}
    )
    assert other.json()["data"] == {"a": b64("1"), "b": b64("2")}


async def test_keys_have_owners(api):
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}}
    mine, yours = ({**config, "data": {key: "x"}} for key in ("mine", "yours"))
    for manager, each in (("me", mine), ("you", yours)):
        applied = await api.patch(f"{CONFIG_MAPS}/it", json=each, headers=APPLY, params={"fieldManager": manager})
        assert applied.status_code in (200, 201)
    taken = {**config, "data": {"yours": "y"}}
    conflict = await api.patch(f"{CONFIG_MAPS}/it", json=taken, headers=APPLY, params={"fieldManager": "me"})
    assert conflict.status_code == 409
    assert conflict.json()["details"]["causes"][0]["field"] == ".data.yours"
    gone = await api.patch(f"{CONFIG_MAPS}/it", json=config, headers=APPLY, params={"fieldManager": "me"})
    assert gone.json()["data"] == {"yours": "x"}


async def test_a_bulk_applies_them(api):
    items = [
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": "it", "namespace": "kube-public"}, field: {"a": "1"}}
        for kind, field in (("Secret", "stringData"), ("ConfigMap", "data"))
    ]
    answer = await api.post(
        "/apis/fairlead.io/v1/apply?fieldManager=me", json={"apiVersion": "v1", "kind": "List", "items": items}
    )
    assert answer.status_code == 200, answer.text
    assert (await api.get(f"{SECRETS}/it")).json()["data"] == {"a": b64("1")}
    assert (await api.get(f"{CONFIG_MAPS}/it")).json()["data"] == {"a": "1"}


async def test_secrets_are_chosen_by_type(api):
    await posted(api)
    login = {"metadata": {"name": "login"}, "type": "kubernetes.io/basic-auth", "stringData": {"username": "u"}}
    assert (await api.post(SECRETS, json=login)).status_code == 201
    for selector, names in (("type=Opaque", ["it"]), ("type!=Opaque", ["login"])):
        listed = await api.get(SECRETS, params={"fieldSelector": selector})
        assert [each["metadata"]["name"] for each in listed.json()["items"]] == names
    assert (await api.get(CONFIG_MAPS, params={"fieldSelector": "type=Opaque"})).status_code == 400
    removed = await api.delete(SECRETS, params={"fieldSelector": "type=kubernetes.io/basic-auth"})
    assert removed.status_code == 200
    assert (await api.get(f"{SECRETS}/login")).status_code == 404


async def test_tables(api):
    await posted(api, stringData={"a": "1", "b": "2"})
    await posted(api, CONFIG_MAPS, data={"a": "1"}, binaryData={"b": "AA=="})
    secrets, config_maps = [(await api.get(each, headers=TABLE)).json() for each in (SECRETS, CONFIG_MAPS)]
    assert [column["name"] for column in secrets["columnDefinitions"]] == ["Name", "Type", "Data", "Age"]
    assert secrets["rows"][0]["cells"][:3] == ["it", "Opaque", 2]
    assert [column["name"] for column in config_maps["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert config_maps["rows"][0]["cells"][:2] == ["it", 2]


async def test_a_deletion_is_answered_with_a_status(api):
    made = await posted(api)
    status = (await api.delete(f"{SECRETS}/it")).json()
    assert (status["kind"], status["details"]["uid"]) == ("Status", made["metadata"]["uid"])
    accounts = f"{CORE}/serviceaccounts"
    await posted(api, accounts, automountServiceAccountToken=False)
    assert (await api.delete(f"{accounts}/it")).json()["automountServiceAccountToken"] is False


async def test_how_they_are_described(api):
    schemas = (await api.get("/openapi/v3/api/v1")).json()["components"]["schemas"]
    secret, config_map, account = (
        schemas[f"io.k8s.api.core.v1.{name}"]["properties"] for name in ("Secret", "ConfigMap", "ServiceAccount")
    )
    assert secret["data"]["additionalProperties"] == {"type": "string", "format": "byte"}
    assert config_map["binaryData"]["additionalProperties"] == {"type": "string", "format": "byte"}
    assert config_map["data"]["additionalProperties"] == {"type": "string"}
    assert account["secrets"]["x-kubernetes-list-map-keys"] == ["name"]
    assert account["imagePullSecrets"]["x-kubernetes-list-type"] == "atomic"
