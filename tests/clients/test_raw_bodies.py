"""Bodies that no client should send: each is refused with a Status that says why, and none harms the server."""

import json
import random

import httpx
import pytest

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
DEEP = 100_000
MEGABYTE = 2**20
OPEN, CLOSE = '{"port":80,"x', '":0}'
HUGE = "1" + "0" * 5_000


def service(**fields):
    return {"metadata": {"name": "fuzz"}, "spec": {"ports": [{"port": 80}]}, **fields}


def nested(opening, closing):
    return opening * DEEP + closing * DEEP


def laughs():
    """A YAML document of a few lines that its aliases make into one of 10^9 words."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    return "\n".join(lines)


def duplicates_below_a_long_name():
    pairs = ",".join(f'"{n}":0,"{n}":0' for n in range(5_000))
    return f'{{"{"k" * 200_000}":{{{pairs}}}}}'


def unknown_fields_and_duplicates():
    unknown = ",".join(f'"u{n}":0' for n in range(20_000))
    duplicates = ",".join(f'"l{n}":"","l{n}":""' for n in range(8_000))
    return f'{{{unknown},"metadata":{{"labels":{{{duplicates}}}}}}}'


BODIES = {
    "nothing": (JSON, b""),
    "half a document": (JSON, b'{"metadata":{"name":"fuzz"'),
    "two documents": (JSON, b'{"metadata":{"name":"fuzz"}}{}'),
    "a list": (JSON, b"[]"),
    "a number": (JSON, b"1"),
    "null": (JSON, b"null"),
    "a text": (JSON, b'"fuzz"'),
    "no JSON": (JSON, b"metadata: {name: fuzz}"),
    "a byte order mark": (JSON, b"\xef\xbb\xbf" + json.dumps(service()).encode()),
    "UTF-16": (JSON, json.dumps(service()).encode("utf-16")),
    "invalid UTF-8": (JSON, b'{"metadata":{"name":"fuzz","labels":{"a":"\xff\xfe"}},"spec":{"ports":[{"port":80}]}}'),
    "an overlong encoding": (JSON, b'{"metadata":{"name":"fuzz","annotations":{"a":"\xc0\x80"}}}'),
    "half a surrogate pair": (JSON, b'{"metadata":{"name":"fuzz","labels":{"a":"\\ud800"}},"spec":{"ports":[]}}'),
    "a control character": (JSON, b'{"metadata":{"name":"fu\nzz"}}'),
    "NUL in a name": (JSON, b'{"metadata":{"name":"fu\\u0000zz"},"spec":{"ports":[{"port":80}]}}'),
    "NUL in a label": (JSON, b'{"metadata":{"name":"fuzz","labels":{"a":"\\u0000"}},"spec":{"ports":[{"port":80}]}}'),
    "NaN": (JSON, b'{"metadata":{"name":"fuzz"},"spec":{"ports":[{"port":NaN}]}}'),
    "infinity": (JSON, b'{"metadata":{"name":"fuzz"},"spec":{"ports":[{"port":1e999}]}}'),
    "a huge integer": (JSON, f'{{"metadata":{{"name":"fuzz"}},"spec":{{"ports":[{{"port":{HUGE}}}]}}}}'.encode()),
    "2^63": (JSON, json.dumps(service(spec={"ports": [{"port": 2**63}]})).encode()),
    "-2^63 - 1": (JSON, json.dumps(service(spec={"ports": [{"port": -(2**63) - 1}]})).encode()),
    "2^31": (JSON, json.dumps(service(spec={"ports": [{"port": 80, "targetPort": 2**31}]})).encode()),
    "a fraction": (JSON, json.dumps(service(spec={"ports": [{"port": 80.5}]})).encode()),
    "a huge generation": (JSON, json.dumps(service(metadata={"name": "fuzz", "generation": 2**64})).encode()),
    "deep lists": (JSON, nested("[", "]").encode()),
    "deep objects": (JSON, nested('{"a":', "}").replace("{}", "{1}").encode()),
    "a deep field": (JSON, f'{{"metadata":{{"name":"fuzz"}},"spec":{nested("[", "]")}}}'.encode()),
    "a deep unknown field": (JSON, f'{{"metadata":{{"name":"fuzz"}},"what":{nested("[", "]")}}}'.encode()),
    "ten megabytes of spaces": (JSON, b" " * (10 * MEGABYTE)),
    "ten megabytes of a name": (JSON, json.dumps(service(metadata={"name": "a" * 10 * MEGABYTE})).encode()),
    "ten megabytes of an annotation": (
        JSON,
        json.dumps(service(metadata={"name": "fuzz", "annotations": {"a": "b" * 10 * MEGABYTE}})).encode(),
    ),
    "a megabyte of annotations": (
        JSON,
        json.dumps(service(metadata={"name": "fuzz", "annotations": {"a": "b" * MEGABYTE}})).encode(),
    ),
    "a hundred thousand ports": (
        JSON,
        json.dumps(
            service(spec={"ports": [{"name": f"p{n}", "port": n % 65535 + 1} for n in range(100_000)]})
        ).encode(),
    ),
    "deep YAML": (YAML, nested("[", "]").encode()),
    "YAML in deep blocks": (YAML, "\n".join(" " * n + "a:" for n in range(3_000)).encode()),
    "laughs": (YAML, laughs().encode()),
    "duplicates below a long name": (JSON, duplicates_below_a_long_name().encode()),
    "unknown fields and duplicates": (JSON, unknown_fields_and_duplicates().encode()),
    "aliases of a long text": (YAML, f"a: &a {'x' * MEGABYTE}\nb: [{', '.join(['*a'] * 2_000)}]".encode()),
    "tags with a long prefix": (YAML, f"%TAG !e! tag:{'x' * MEGABYTE}\n--- [{'!e!a 1, ' * 100_000}]".encode()),
    "many prefixes of tags": (YAML, ("".join(f"%TAG !e{n}! x\n" for n in range(100_000)) + "--- 1").encode()),
    "many maps to merge": (
        YAML,
        f"{{{', '.join(f'k{n}: 0' for n in range(50_000))}, <<: [{'{}, ' * 50_000}]}}".encode(),
    ),
    "a million objects": (JSON, f'{{"spec":{{"ports":[{",".join(["{}"] * 900_000)}]}}}}'.encode()),
    "a YAML object": (YAML, b"metadata: !!python/object/apply:os.system [ls]"),
    "an alias of itself": (YAML, b"metadata: &a {name: fuzz, labels: *a}"),
    "YAML with a tab": (YAML, b"metadata:\n\tname: fuzz"),
    "YAML that is no UTF-8": (YAML, b"metadata: {name: \xff}"),
    "two YAML documents": (YAML, b"metadata: {name: fuzz}\n---\nmetadata: {name: fuzz}"),
    "a number for a name": (YAML, b"metadata: {name: 20260102}\nspec: {ports: [{port: 80}]}"),
    "protobuf without its head": (PROTOBUF, b"\x0a\x00"),
    "protobuf that ends": (PROTOBUF, b"k8s\x00\x0a\x10\x0a\x02v1\x12"),
    "protobuf of noise": (PROTOBUF, b"k8s\x00" + random.Random(1).randbytes(4_000)),
    "protobuf that holds noise": (PROTOBUF, b"k8s\x00\x0a\x0d\x0a\x02v1\x12\x07Service\x12\x08" + b"\xff" * 8),
    "another kind": (JSON, json.dumps({"kind": "Pod", **service()}).encode()),
    "another version": (JSON, json.dumps({"apiVersion": "v2", **service()}).encode()),
    "a strange media type": ("application/x-www-form-urlencoded", b"a=b"),
    "no media type that there is": ("json", json.dumps(service()).encode()),
}
PATCHES = {
    "half a document": (MERGE, b'{"spec":'),
    "a list to merge": (MERGE, b"[1]"),
    "a text to merge": (MERGE, b'"a"'),
    "deep to merge": (MERGE, nested('{"a":', "}").replace("{}", "{1}").encode()),
    "wrong types to merge": (MERGE, b'{"spec":{"ports":{"port":80}}}'),
    "nothing left of the spec": (MERGE, b'{"spec":null}'),
    "a name to merge": (MERGE, b'{"metadata":{"name":"other"}}'),
    "an unknown directive": (STRATEGIC, b'{"spec":{"$patch":"vanish"}}'),
    "a directive of a wrong type": (STRATEGIC, b'{"spec":{"$patch":["replace"]}}'),
    "an item without its key": (STRATEGIC, b'{"spec":{"ports":[{"name":"a"}]}}'),
    "an order of a wrong type": (STRATEGIC, b'{"spec":{"$setElementOrder/ports":7}}'),
    "keys to retain of a wrong type": (STRATEGIC, b'{"spec":{"$retainKeys":{"a":1}}}'),
    "deletions of a wrong type": (STRATEGIC, b'{"metadata":{"$deleteFromPrimitiveList/finalizers":"a"}}'),
    "one item a hundred thousand times": (
        STRATEGIC, f'{{"spec":{{"ports":[{",".join(f"{OPEN}{n}{CLOSE}" for n in range(100_000))}]}}}}'.encode()
    ),
    "an object for operations": (JSON_PATCH, b"{}"),
    "no operation": (JSON_PATCH, b'[{"path":"/spec"}]'),
    "an unknown operation": (JSON_PATCH, b'[{"op":"vanish","path":"/spec"}]'),
    "no such path": (JSON_PATCH, b'[{"op":"replace","path":"/spec/a/b/c","value":1}]'),
    "no pointer": (JSON_PATCH, b'[{"op":"add","path":"spec","value":1}]'),
    "an index beyond the end": (JSON_PATCH, b'[{"op":"add","path":"/spec/ports/99","value":{"port":1}}]'),
    "a huge index": (JSON_PATCH, b'[{"op":"remove","path":"/spec/ports/99999999999999999999999"}]'),
    "the whole document": (JSON_PATCH, b'[{"op":"remove","path":""}]'),
    "a document moved into itself": (JSON_PATCH, b'[{"op":"move","from":"/spec","path":"/spec/ports"}]'),
    "a failed test": (JSON_PATCH, b'[{"op":"test","path":"/spec/type","value":"NodePort"}]'),
    "the first place of a long list": (
        JSON_PATCH,
        json.dumps([{"op": "add", "path": "/x", "value": [0] * 500_000}]
                   + [{"op": "add", "path": "/x/0", "value": 0}] * 9_000).encode(),
    ),
    "a copy of what is nested without end": (
        JSON_PATCH,
        json.dumps([{"op": "add", "path": "/b", "value": {}}, {"op": "move", "from": "/spec", "path": "/b/a"},
                    {"op": "move", "from": "/b", "path": "/spec"}] * 3_000
                   + [{"op": "copy", "from": "/spec", "path": "/c"}]).encode(),
    ),
    "copies of copies": (
        JSON_PATCH,
        json.dumps([{"op": "add", "path": "/metadata/annotations", "value": {"a": "b" * 200}}]
                   + [{"op": "copy", "from": "/metadata", "path": "/metadata/annotations/a"}] * 60).encode(),
    ),
    "a million operations": (JSON_PATCH, b"[" + b'{"op":"test","path":"/kind","value":"Service"},' * 60_000 + b"{}]"),
    "an apply without a kind": (APPLY, b"metadata: {name: fuzz}"),
    "an apply of noise": (APPLY, b"\x00\x01\x02"),
    "laughs to apply": (APPLY, laughs().encode()),
    "managed fields to apply": (
        APPLY,
        b"apiVersion: v1\nkind: Service\nmetadata: {name: fuzz, managedFields: [{manager: a, operation: Apply}]}",
    ),
    "noise": (STRATEGIC, random.Random(2).randbytes(1_000)),
}  # fmt: skip


@pytest.fixture(scope="module")
def client(product):
    with httpx.Client(base_url=product.url, timeout=30) as made:
        yield made


@pytest.fixture
def services(namespace):
    return f"/api/v1/namespaces/{namespace}/services"


def check_refusal(reply):
    assert 400 <= reply.status_code < 500, f"{reply.status_code} {reply.text[:500]}"
    status = reply.json()
    assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", reply.status_code)
    assert status["message"]
    assert status["reason"] not in ("", "InternalError")
    assert len(reply.content) < 64 * 1024, "an answer need not repeat all that it refuses"


@pytest.mark.parametrize("name", BODIES)
def test_what_cannot_be_created(client, services, name):
    media_type, body = BODIES[name]
    headers = {"content-type": media_type}
    check_refusal(client.post(services, content=body, headers=headers))
    check_refusal(client.put(f"{services}/fuzz", content=body, headers=headers))
    assert client.get(services).json()["items"] == []


@pytest.mark.parametrize("name", PATCHES)
def test_what_cannot_be_patched(client, services, name):
    media_type, body = PATCHES[name]
    made = client.post(services, json=service()).json()
    params = {"fieldManager": "tests"} if media_type == APPLY else {}
    check_refusal(client.patch(f"{services}/fuzz", content=body, headers={"content-type": media_type}, params=params))
    assert client.get(f"{services}/fuzz").json() == made


def test_what_cannot_be_options_of_a_deletion(client, services):
    client.post(services, json=service())
    bodies = [b"{", b"[]", b'{"kind":"Service"}', b'{"preconditions":7}', b'{"propagationPolicy":"Sometimes"}',
              b'{"gracePeriodSeconds":"long"}', b'{"dryRun":["Some"]}', b"\xff", nested("[", "]").encode()]  # fmt: skip
    for body in bodies:
        check_refusal(client.request("DELETE", f"{services}/fuzz", content=body, headers={"content-type": JSON}))
    assert client.get(f"{services}/fuzz").status_code == 200


def random_json(chance, depth=0):
    kinds = ["null", "bool", "number", "text"] + ["list", "object"] * (depth < 5)
    match chance.choice(kinds):
        case "null":
            return None
        case "bool":
            return chance.random() < 0.5
        case "number":
            return chance.choice(
                [0, -1, chance.randrange(-(2**70), 2**70), chance.random() * 10 ** chance.randrange(300)]
            )
        case "text":
            return "".join(chance.choice('aé\U0001f600\u0000\ud800"\\/ 0-.') for _ in range(chance.randrange(9)))
        case "list":
            return [random_json(chance, depth + 1) for _ in range(chance.randrange(4))]
        case _:
            words = ["metadata", "spec", "ports", "port", "labels", "type", "clusterIPs", "status", "a"]
            return {chance.choice(words): random_json(chance, depth + 1) for _ in range(chance.randrange(5))}


@pytest.mark.parametrize("rounds", [400, pytest.param(50_000, marks=pytest.mark.soak)])
def test_random_json(client, services, rounds):
    """It has no name, so nothing of it can be right; as a patch it can, and the object must stay one."""
    chance = random.Random(rounds)
    fuzz = f"{services}/fuzz"
    client.post(services, json=service())
    for number in range(rounds):
        document = random_json(chance)
        body = json.dumps(document).encode()
        check_refusal(client.post(services, content=body, headers={"content-type": JSON}))
        patch = json.dumps({"spec": document} if number % 2 else document).encode()
        headers = {"content-type": (MERGE, STRATEGIC)[number // 2 % 2]}
        reply = client.patch(fuzz, content=patch, headers=headers)
        if reply.status_code == 200:
            assert client.put(fuzz, json=reply.json()).status_code == 200, "what was stored is refused"
        else:
            check_refusal(reply)
    assert [each["metadata"]["name"] for each in client.get(services).json()["items"]] == ["fuzz"]


@pytest.mark.parametrize("rounds", [400, pytest.param(50_000, marks=pytest.mark.soak)])
def test_random_bytes(client, services, rounds):
    """Noise, and documents with a few bytes of noise in them that are no documents any more, or have no name."""
    chance = random.Random(rounds)
    whole = json.dumps({"metadata": {"labels": {"a": "b"}}, "spec": {"ports": [{"port": 80}]}}).encode()
    for number in range(rounds):
        if number % 2:
            body = bytearray(whole)
            for _ in range(chance.randrange(1, 6)):
                body[chance.randrange(len(body))] = chance.randrange(256)
        else:
            body = chance.randbytes(chance.randrange(1, 2_000))
        media_type = chance.choice([JSON, YAML, PROTOBUF])
        prefix = b"k8s\x00" if media_type == PROTOBUF else b""
        check_refusal(client.post(services, content=prefix + bytes(body), headers={"content-type": media_type}))
    assert client.get(services).json()["items"] == []
