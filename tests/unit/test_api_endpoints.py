"""The slices that show where the API is reached: planned anew whenever processes come and go."""

from msgspec import structs

from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.documents.encoding import encode_body
from app.domain.documents.objects import OwnerReference
from app.domain.wanted.api_endpoints import plan_api_endpoints, plan_api_slices

HERE, THERE = ("127.0.0.1", 6443), ("127.0.0.2", 6443)


def stored(obj):
    """As it is read back from the store."""
    meta = structs.replace(obj.metadata, uid="e8f1a5f0-1111-4222-8333-444444444444", resource_version="7")
    return structs.replace(obj, api_version=ENDPOINT_SLICE.api_version, kind=ENDPOINT_SLICE.name, metadata=meta)


def addresses(slice_):
    return [address for endpoint in slice_.endpoints for address in endpoint.addresses]


def test_the_first_slice_has_the_services_name():
    (made,) = plan_api_slices([HERE, THERE], []).create
    assert made.metadata.name == "kubernetes"
    assert addresses(made) == ["127.0.0.1", "127.0.0.2"]


def test_what_is_right_is_left_alone():
    (made,) = plan_api_slices([HERE], []).create
    plan = plan_api_slices([HERE], [stored(made)])
    assert (plan.create, plan.update, plan.delete) == ([], [], [])


def test_a_process_that_goes_leaves_the_slice_which_stays_the_same_object():
    (made,) = plan_api_slices([HERE, THERE], []).create
    before = stored(made)
    (changed,) = plan_api_slices([THERE], [before]).update
    assert addresses(changed) == ["127.0.0.2"]
    assert (changed.api_version, changed.kind, changed.metadata) == (before.api_version, before.kind, before.metadata)
    assert b'"apiVersion"' in encode_body(changed)


def test_a_slice_for_a_port_that_nobody_listens_at_goes_unless_it_belongs_to_somebody():
    first, second = map(stored, plan_api_slices([HERE, ("127.0.0.1", 7443)], []).create)
    assert plan_api_slices([HERE], [first, second]).delete == [second]
    owner = OwnerReference(api_version="v1", kind="Service", name="kubernetes", uid="1")
    owned = structs.replace(second, metadata=structs.replace(second.metadata, owner_references=[owner]))
    assert plan_api_slices([HERE], [first, owned]).delete == []


def test_the_endpoints_object_is_written_only_when_something_changed():
    made = plan_api_endpoints([HERE], None)
    assert plan_api_endpoints([HERE], made) is None
    assert plan_api_endpoints([THERE], made).subsets[0].addresses[0].ip == "127.0.0.2"
