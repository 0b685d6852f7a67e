"""Phrases of Kubernetes that programs look for in the message of an answer, and a request that yields each."""

import pytest

from app.mirror.history import expired
from tests.api.objects import SERVICES, alias, created

MERGE, JSON_PATCH, APPLY = (
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
)

CHANGED = "the object has been modified; please apply your changes to the latest version and try again"
"""Helm's retries, and the loops of many operators that were written without `retry.RetryOnConflict`."""


def sent(method, path="", **options):
    """A request to the collection, or to a path below it."""
    return method, SERVICES + path, options


def _applied(**spec):
    """A server-side apply that changes the spec of `web`."""
    return sent(
        "PATCH",
        "/web",
        params={"fieldManager": "me"},
        headers={"content-type": APPLY},
        json={**alias("web"), "spec": spec},
    )


@pytest.mark.parametrize(
    ("phrase", "request_"),
    [
        # Helm's storage, and every script that greps kubectl's output.
        ('services "none" not found', sent("GET", "/none")),
        ('services "web" already exists', sent("POST", json=alias("web"))),
        ('namespaces "none" not found', ("POST", "/api/v1/namespaces/none/services", {"json": alias("web")})),
        ("Operation cannot be fulfilled on services", sent("PUT", "/web", json=alias("web", resourceVersion="1"))),
        (CHANGED, sent("PUT", "/web", json=alias("web", resourceVersion="1"))),
        # client-go's discovery, and kubectl for a kind that is not served.
        ("the server could not find the requested resource", ("GET", "/apis/none.example.com/v1", {})),
        ("the server does not allow this method on the requested resource", sent("PUT", json=alias("web"))),
        # client-go's reflector, which lists again.
        ("Too large resource version", sent("GET", params={"resourceVersion": str(2**40), "timeoutSeconds": "1"})),
        # Server-side apply of Terraform's provider and of Flux.
        (
            'Apply failed with 1 conflict: conflict with "other"',
            sent(
                "PATCH",
                "/web",
                params={"fieldManager": "me"},
                headers={"content-type": APPLY},
                json={**alias("web"), "spec": {"type": "ExternalName", "externalName": "mine.example.com"}},
            ),
        ),
        (
            "metadata.managedFields must be nil",
            sent(
                "PATCH",
                "/web",
                params={"fieldManager": "me"},
                headers={"content-type": APPLY},
                json=alias("web", managedFields=[{"manager": "a"}]),
            ),
        ),
        # Operators that test a value by a JSON patch (KubeVirt).
        (
            "the server rejected our request due to an error in our request",
            sent(
                "PATCH",
                "/web",
                headers={"content-type": JSON_PATCH},
                json=[{"op": "test", "path": "/metadata/name", "value": "other"}],
            ),
        ),
        # Controllers that patch only the state they have read.
        (
            "testing value /metadata/resourceVersion failed: test failed",
            sent(
                "PATCH",
                "/web",
                headers={"content-type": JSON_PATCH},
                json=[{"op": "test", "path": "/metadata/resourceVersion", "value": "1"}],
            ),
        ),
        # Nelm, and tools that create the object instead when an apply does not fit its kind.
        ("failed to create typed patch object", _applied(colour="red")),
        (".spec.colour: field not declared in schema", _applied(colour="red")),
        # Kuadrant, Nephio and others, for which an object that another one replaced is gone; Calico likewise.
        ("StorageError: invalid object, Code: 4", sent("PUT", "/web", json=alias("web", uid="other"))),
        ("UID in precondition: other, UID in object meta: ", sent("PUT", "/web", json=alias("web", uid="other"))),
        ("UID in precondition: other, UID in object meta: ", sent("PUT", "/none", json=alias("none", uid="other"))),
        # Kubernetes' end-to-end tests of large objects.
        ("Request entity too large: limit is ", sent("POST", content=b"{" + b" " * 4 * 2**20 + b"}")),
        ("metadata.annotations: Too long", sent("POST", json=alias("new", annotations={"a": "x" * 2**18}))),
        # kubectl, and people who read the message only.
        (
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value',
            sent("PATCH", "/web", headers={"content-type": APPLY}, json=alias("web")),
        ),
        ('CreateOptions.meta.k8s.io "" is invalid: dryRun: ', sent("POST", params={"dryRun": "x"}, json=alias("new"))),
        # Validation of client libraries and of kubectl.
        (
            'strict decoding error: unknown field "spec.colour"',
            sent(
                "POST",
                params={"fieldValidation": "Strict"},
                json={**alias("new"), "spec": {"type": "ExternalName", "externalName": "a", "colour": "red"}},
            ),
        ),
        ('Service "new" is invalid:', sent("POST", json={**alias("new"), "spec": {"type": "x"}})),
        ("Required value", sent("POST", json={**alias("new"), "spec": {"type": "ExternalName"}})),
        ("Unsupported value", sent("POST", json={**alias("new"), "spec": {"type": "x"}})),
        # Backup and copying tools, which then leave the field out.
        (
            "resourceVersion should not be set on objects to be created",
            sent("POST", json=alias("new", resourceVersion="1")),
        ),
        (
            "the namespace of the provided object does not match the namespace sent on the request",
            sent("POST", json=alias("new", namespace="other")),
        ),
        (
            "the namespace of the provided object does not match the namespace sent on the request",
            sent("PUT", "/web", json=alias("web", namespace="other")),
        ),
        ("does not match the name on the URL", sent("PUT", "/web", json=alias("other"))),
        (
            "does not match the expected API version",
            sent("POST", json={**alias("new"), "apiVersion": "v2"}),
        ),
        (
            "must be specified for an update",
            (
                "PUT",
                "/apis/coordination.k8s.io/v1/namespaces/default/leases/web",
                {"json": {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "web"}}},
            ),
        ),
        ("Precondition failed: UID in precondition", sent("DELETE", "/web", json={"preconditions": {"uid": "none"}})),
        (
            "the body of the request was in an unknown format - accepted media types include",
            sent("PATCH", "/web", headers={"content-type": "text/plain"}, content=b"{}"),
        ),
        ("field label not supported", sent("GET", params={"fieldSelector": "spec.colour=red"})),
        ("this namespace may not be deleted", ("DELETE", "/api/v1/namespaces/default", {})),
    ],
)
async def test_phrases(api, phrase, request_):
    await api.post(SERVICES, params={"fieldManager": "other"}, json=alias("web"))
    method, path, options = request_
    if "leases" in path:
        await api.post(path.removesuffix("/web"), json=options["json"])
    answer = await api.request(method, path, **options)
    assert not answer.is_success
    assert phrase in answer.json()["message"]


async def test_an_object_that_is_being_deleted(api):
    """Operators wait and create the object again when they read this."""
    await created(api, "going", finalizers=["example.com/hold"])
    await api.delete(f"{SERVICES}/going")
    for params in ({}, {"dryRun": "All"}):
        answer = await api.post(SERVICES, params=params, json=alias("going"))
        assert answer.json()["reason"] == "AlreadyExists"
        assert answer.json()["message"] == 'object is being deleted: services "going" already exists'
    patch = {"metadata": {"finalizers": None}}
    assert (await api.patch(f"{SERVICES}/going", headers={"content-type": MERGE}, json=patch)).is_success


async def test_a_namespace_that_is_being_deleted(api):
    """Kubernetes' end-to-end tests, Helm and operators' tests wait for the end of the namespace when they read this."""
    namespace = {"metadata": {"name": "going", "finalizers": ["example.com/hold"]}}
    assert (await api.post("/api/v1/namespaces", json=namespace)).is_success
    await api.delete("/api/v1/namespaces/going")
    answer = await api.post("/api/v1/namespaces/going/services", json=alias("web"))
    assert "unable to create new content in namespace going because it is being terminated" in answer.json()["message"]


def test_a_watch_from_a_revision_that_is_gone():
    """Libraries without a reflector list again when they read this."""
    assert "too old resource version: 1" in expired(1, 2).message
