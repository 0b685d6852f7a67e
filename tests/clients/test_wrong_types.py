"""Every field of every kind, given a value of a type that the document does not allow."""

import httpx
import pytest

WRONG = {
    "string": [7, True, ["a"], {"a": "b"}],
    "integer": ["7", 1.5, [7], True],
    "number": ["7", [7], True],
    "boolean": ["true", 1, [True]],
    "array": ["a", {"a": "b"}, 7],
    "object": ["a", ["a"], 7],
    "int-or-string": [1.5, True, ["a"], {"a": "b"}],
    "quantity": ["many", True, ["a"], {"a": "b"}],
}
DEEPEST = 8


@pytest.fixture(scope="module")
def document(product):
    return httpx.get(f"{product.url}/openapi.json").json()


@pytest.fixture(scope="module")
def client(product):
    with httpx.Client(base_url=product.url, timeout=30) as made:
        yield made


def creations(document):
    """The path of each operation that creates, and the schema of its body."""
    for path, item in document["paths"].items():
        post = item.get("post", {})
        if post.get("x-kubernetes-action") == "post":
            yield path, post["requestBody"]["content"]["application/json"]["schema"]


def wrong_documents(document, schema, depth=0):
    """Where a value is wrong, and a document with nothing else in it."""
    schema = resolved(document, schema)
    kind = type_of(schema)
    for value in WRONG.get(kind, []):
        yield "", value
    if schema.get("format") == "date-time":
        yield "", "yesterday"
    if depth == DEEPEST:
        return
    for name, field in schema.get("properties", {}).items():
        for where, wrong in wrong_documents(document, field, depth + 1):
            yield f".{name}{where}", {name: wrong}
    if kind == "array":
        for where, wrong in wrong_documents(document, schema["items"], depth + 1):
            yield f"[0]{where}", [wrong]
    if isinstance(schema.get("additionalProperties"), dict):
        for where, wrong in wrong_documents(document, schema["additionalProperties"], depth + 1):
            yield f"[a]{where}", {"a": wrong}


def type_of(schema):
    if schema.get("x-kubernetes-int-or-string"):
        return "int-or-string"
    if schema.get("format") == "quantity":
        return "quantity"  # as in Kubernetes a text, and numbers are taken, too
    kind = schema.get("type")
    return next(each for each in kind if each != "null") if isinstance(kind, list) else kind


def resolved(document, schema):
    for part in schema.get("allOf", []):
        schema = {**resolved(document, part), **schema}
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        return resolved(document, document["components"]["schemas"][name]) | schema
    return schema


def test_each_is_refused_by_name(document, client, namespace):
    """Each answer is a 400 that says which field is wrong."""
    tried = 0
    for path, schema in creations(document):
        collection = path.replace("{namespace}", namespace)
        for where, body in wrong_documents(document, schema):
            reply = client.post(collection, json=body)
            assert reply.status_code == 400, f"{path} {where} {body}: {reply.status_code} {reply.text[:300]}"
            last = where.rpartition(".")[2].partition("[")[0]
            assert last in reply.json()["message"], f"{path} {where} {body}: {reply.json()['message']}"
            tried += 1
    assert tried > 1_000
