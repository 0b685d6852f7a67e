import gzip
import json
import threading

import pytest
import yaml

from app.api import rendering
from app.domain.documents.decoding import decode_yaml
from tests.api.objects import SERVICES, alias, created

TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}


async def test_a_list_is_a_table_for_those_who_ask(api):
    await created(api, "web")
    table = (await api.get(SERVICES, headers=TABLE)).json()
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [column["name"] for column in table["columnDefinitions"]] == [
        "Name",
        "Type",
        "Cluster-IP",
        "External-IP",
        "Port(s)",
        "Age",
        "Selector",
    ]
    assert [column["priority"] for column in table["columnDefinitions"]] == [0] * 6 + [1]
    row = table["rows"][0]
    assert row["cells"][:5] == ["web", "ExternalName", "<none>", "web.example.com", "<none>"]
    assert row["object"]["metadata"]["name"] == "web"
    assert int(table["metadata"]["resourceVersion"]) > 0


@pytest.mark.parametrize(("include", "kind"), [("Object", "Service"), ("Metadata", "PartialObjectMetadata")])
async def test_rows_carry_what_was_asked_for(api, include, kind):
    await created(api, "web")
    table = (await api.get(f"{SERVICES}/web", headers=TABLE, params={"includeObject": include})).json()
    assert table["rows"][0]["object"]["kind"] == kind


async def test_rows_may_carry_nothing(api):
    await created(api, "web")
    table = (await api.get(SERVICES, headers=TABLE, params={"includeObject": "None"})).json()
    assert table["rows"][0]["object"] is None
    wrong = await api.get(SERVICES, headers=TABLE, params={"includeObject": "Some"})
    assert wrong.status_code == 400


async def test_metadata_alone_is_listed(api):
    await created(api, "web")
    accept = {"accept": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}
    listed = (await api.get(SERVICES, headers=accept)).json()
    assert listed["kind"] == "PartialObjectMetadataList"
    assert set(listed["items"][0]) == {"kind", "apiVersion", "metadata"}


async def test_yaml_is_read_and_written(api):
    headers = {"content-type": "application/yaml", "accept": "application/yaml"}
    answer = await api.post(SERVICES, content=yaml.safe_dump(alias("web")), headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.headers["content-type"] == "application/yaml"
    assert yaml.safe_load(answer.text)["spec"]["externalName"] == "web.example.com"


async def test_others_are_answered_while_much_yaml_is_read_and_written(api, monkeypatch):
    readers, writers = [], []

    def noting(function, threads):
        return lambda *args, **named: (threads.append(threading.current_thread()), function(*args, **named))[1]

    monkeypatch.setattr("app.api.bodies.decode_yaml", noting(decode_yaml, readers))
    monkeypatch.setattr("app.api.rendering._as_yaml", noting(rendering._as_yaml, writers))
    made = alias("web")
    made["metadata"]["annotations"] = {f"a{number}": "x" * 1000 for number in range(100)}
    headers = {"content-type": "application/yaml", "accept": "application/yaml"}
    answer = await api.post(SERVICES, content=yaml.safe_dump(made), headers=headers)
    assert answer.status_code == 201, answer.text
    assert yaml.safe_load(answer.text)["metadata"]["annotations"] == made["metadata"]["annotations"]
    assert len(readers) == len(writers) == 1
    assert threading.main_thread() not in (*readers, *writers)


async def test_duplicate_keys_of_yaml_deserve_one_warning(api):
    body = yaml.safe_dump(alias("web")) + "kind: Service\napiVersion: v1\n"
    answer = await api.post(SERVICES, content=body, headers={"content-type": "application/yaml"})
    assert answer.status_code == 201, answer.text
    assert answer.headers.get_list("warning") == ['299 - "duplicate field \\"kind\\", \\"apiVersion\\""']


async def test_people_get_indented_answers(api):
    await created(api, "web")
    plain = await api.get(f"{SERVICES}/web")
    for pretty in (
        await api.get(f"{SERVICES}/web", params={"pretty": "true"}),
        await api.get(f"{SERVICES}/web", headers={"user-agent": "curl/8.0"}),
    ):
        assert pretty.json() == plain.json()
        assert "\n  " in pretty.text
    assert "\n" not in plain.text
    refused = await api.get(f"{SERVICES}/missing?pretty=%ff", headers={"user-agent": "curl/8.0"})
    assert "\n  " in refused.text
    assert "\n" not in (await api.get(f"{SERVICES}/web?pretty=false", headers={"user-agent": "curl/8.0"})).text


async def test_large_answers_are_compressed_for_those_who_take_it(api):
    for number in range(3):
        await created(api, f"s{number}", annotations={"note": "x" * 100_000})
    packed = await api.get(SERVICES, headers={"accept-encoding": "gzip"})
    plain = await api.get(SERVICES, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < len(plain.content) / 10


async def test_a_long_list_is_sent_in_pieces(api, monkeypatch):
    monkeypatch.setattr("app.api.rendering._STREAM_FROM", 2)
    monkeypatch.setattr("app.api.rendering._ENTRIES_A_PIECE", 2)
    names = [f"s{number}" for number in range(7)]
    for name in names:
        await created(api, name)
    for encoding in ("identity", "gzip"):
        answer = await api.get(SERVICES, headers={"accept-encoding": encoding})
        assert answer.headers["transfer-encoding"] == "chunked"
        assert [item["metadata"]["name"] for item in answer.json()["items"]] == names
    table = (await api.get(SERVICES, headers=TABLE)).json()
    assert [row["cells"][0] for row in table["rows"]] == names


async def test_unknown_fields_are_warned_of_dropped_or_refused(api):
    body = {**alias("web"), "bogus": 1}
    warned = await api.post(SERVICES, json=body)
    assert warned.headers["warning"] == '299 - "unknown field \\"bogus\\""'
    assert "bogus" not in warned.json()
    body["metadata"]["name"] = "quiet"
    assert "warning" not in (await api.post(SERVICES, json=body, params={"fieldValidation": "Ignore"})).headers
    body["metadata"]["name"] = "strict"
    refused = await api.post(SERVICES, json=body, params={"fieldValidation": "Strict"})
    assert (refused.status_code, refused.json()["reason"]) == (400, "BadRequest")
    assert (await api.post(SERVICES, json=body, params={"fieldValidation": "Maybe"})).status_code == 422


async def test_a_refused_patch_warns_of_unknown_fields_too(api):
    await created(api, "web")
    headers = {"content-type": "application/merge-patch+json"}
    body = {"spec": {"bogus": 1, "type": "Nonsense"}}
    refused = await api.patch(f"{SERVICES}/web", content=json.dumps(body), headers=headers)
    assert refused.status_code == 422
    assert "bogus" in refused.headers["warning"]


async def test_what_was_compressed_by_hand_matches(api):
    answer = await api.get("/openapi.json", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    async with api.stream("GET", "/openapi.json", headers={"accept-encoding": "gzip"}) as raw:
        packed = b"".join([chunk async for chunk in raw.aiter_raw()])
    assert json.loads(gzip.decompress(packed)) == answer.json()
