"""Every example of `/openapi.json`, sent as it stands, in the order in which a reader would try them."""

from collections import defaultdict

import httpx
import pytest

ORDER = ("post", "put", "patch", "get", "list", "delete")
PUT_NEEDS_REVISION = ("Lease", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
"""Kubernetes asks for `metadata.resourceVersion` in a PUT of these, which nobody can write into an example."""
NOT_HERE = ("DataPlane", "AddressHistory")
"""The product of the tests has no data plane, and the names of histories are made by the server: read a list first."""


@pytest.fixture(scope="module")
def document(product):
    return httpx.get(f"{product.url}/openapi.json").json()


def calls(document):
    """Each operation with its example: method, path, media type, body; sections in order, verbs as they are used."""
    found = defaultdict(list)
    for template, item in document["paths"].items():
        for method, operation in item.items():
            parameters = [each for each in operation.get("parameters", []) if "name" in each]
            path = template
            for each in parameters:
                if each["in"] == "path":
                    path = path.replace(f"{{{each['name']}}}", each["example"])
            contents = operation.get("requestBody", {}).get("content", {"": {}})
            for media_type, content in contents.items():
                body = content.get("example")
                found[operation["tags"][0]].append((method, operation, path, media_type, body))
    for tag in document["tags"]:
        yield from sorted(found[tag["name"]], key=lambda call: ORDER.index(call[0]))


def test_examples_are_there_for_what_takes_a_body(document):
    without = {
        operation["operationId"]
        for method, operation, _, _, body in calls(document)
        if method in ("post", "put", "patch") and body is None
    }
    assert without == set()


def test_each_example_works(product, document):
    failed, later = [], []
    with httpx.Client(base_url=product.url, timeout=30) as client:
        for method, operation, path, media_type, body in calls(document):
            if method == "delete":
                later.append((operation, path))
            elif not _is_expected(operation, method, _send(client, method, path, media_type, body)):
                failed.append((method, path, media_type, _send(client, method, path, media_type, body).text[:300]))
        for operation, path in _single_objects(later):
            reply = client.delete(path)
            if reply.is_error and operation["tags"][0] not in NOT_HERE:
                failed.append(("delete", path, "", reply.text[:300]))
    assert not failed, "\n".join(map(str, failed))


def _send(client, method, path, media_type, body):
    query = {"fieldManager": "example", "force": "true"} if media_type.startswith("application/apply-patch") else {}
    headers = {"content-type": media_type} if media_type else {}
    return client.request(method, path, params=query, json=body, headers=headers)


def _is_expected(operation, method, reply):
    kind = operation["tags"][0]
    if method == "put" and kind in PUT_NEEDS_REVISION:
        return reply.is_success or (reply.status_code == 422 and "resourceVersion" in reply.text)
    return not reply.is_error or kind in NOT_HERE


def _single_objects(operations):
    """The deletions of one object, the last that was made first; whole collections belong to other tests, too."""
    return [each for each in reversed(operations) if "Collection" not in each[0]["operationId"]]
