"""Files as they are published: several objects, some of kinds that are not served here."""

import httpx
import pytest
import yaml

SERVICE = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}}


def manifest(*unserved):
    """A Service, what is not served, and another Service."""
    between = [{**each, "metadata": {"name": "unserved"}} for each in unserved]
    first, second = ({**SERVICE, "metadata": {"name": name}} for name in ("first", "second"))
    return yaml.safe_dump_all([first, *between, second])


def names(product, namespace, plural="services"):
    items = httpx.get(f"{product.url}/api/v1/namespaces/{namespace}/{plural}").json()["items"]
    return [item["metadata"]["name"] for item in items]


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "PersistentVolumeClaim"),
        ("networking.k8s.io/v1", "Ingress"),
        ("coordination.k8s.io/v1beta1", "Lease"),
        ("apps/v1", "Deployment"),
    ],
)
def test_what_is_served_of_a_file_is_applied(product, namespace, kubectl, api_version, kind):
    file = manifest({"apiVersion": api_version, "kind": kind})
    said = kubectl("apply", given=file, status=1)
    assert said == "service/first created\nservice/second created\n"
    assert f'no matches for kind "{kind}" in version "{api_version}"' in kubectl.errors
    assert names(product, namespace) == ["first", "second"]


def test_no_other_way_to_apply_a_file_stops_either(product, namespace, kubectl):
    file = manifest({"apiVersion": "v1", "kind": "LimitRange"}, {"apiVersion": "batch/v1", "kind": "Job"})
    kubectl("create", given=file, status=1)
    assert kubectl.errors.count("no matches for kind") == 2
    assert names(product, namespace) == ["first", "second"]
    kubectl("apply", "--server-side", "--force-conflicts", given=file, status=1)
    assert kubectl.errors.count("no matches for kind") == 2
    kubectl("replace", given=file, status=1)
    kubectl("delete", given=file, status=1)
    assert names(product, namespace) == []


def test_custom_kinds_are_not_discovered(kubectl):
    kubectl("get", "customresourcedefinitions", status=1)
    assert "the server doesn't have a resource type" in kubectl.errors
    assert "apiextensions" not in kubectl("api-versions")
