"""The list of custom kinds, which is empty: what kubectl and Helm ask before they pass over an unknown kind."""

import json

import pytest

PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "CustomResourceDefinitionList"),
        ("application/json", "CustomResourceDefinitionList"),
        ("application/vnd.kubernetes.protobuf,application/json", "CustomResourceDefinitionList"),
        ("application/vnd.kubernetes.protobuf, */*", "CustomResourceDefinitionList"),
        (f"{TABLE},{TABLE.replace('v1', 'v1beta1')},application/json", "Table"),
        (
            "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json",
            "PartialObjectMetadataList",
        ),
    ],
)
async def test_there_are_none(api, accept, kind):
    answer = await api.get(PATH, headers={"accept": accept}, params={"limit": "500"})
    assert (answer.status_code, answer.json()["kind"]) == (200, kind)
    assert answer.json().get("items", []) == answer.json().get("rows", []) == []
    assert int(answer.json()["metadata"]["resourceVersion"]) > 0


async def test_none_is_found_and_none_can_be_made(api):
    missing = await api.get(f"{PATH}/things.example.com")
    assert missing.status_code == 404
    assert missing.json()["message"].startswith('customresourcedefinitions.apiextensions.k8s.io "things.example.com"')
    made = await api.post(PATH, json={"metadata": {"name": "things.example.com"}})
    assert (made.status_code, made.headers["allow"]) == (405, "GET")


async def test_an_informer_of_them_synchronises(api):
    query = {"watch": "1", "sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "timeoutSeconds": "1",
             "allowWatchBookmarks": "true"}  # fmt: skip
    lines = (await api.get(PATH, params=query)).text.splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["type"] for event in events] == ["BOOKMARK"]
    assert events[0]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_they_are_in_no_document(api):
    assert "apiextensions.k8s.io" not in (await api.get("/apis")).text
    assert "apiextensions.k8s.io" not in (await api.get("/openapi/v3")).text
    assert (await api.get("/apis/apiextensions.k8s.io/v1")).status_code == 404
