"""What belongs to something goes with it: in the background, in the foreground, or not at all."""

import random
from functools import partial

import msgspec
import pytest

from app.controllers.garbage_collection import GarbageCollection
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.lease import LEASE
from app.domain.declarations.node import NODE
from app.domain.declarations.service import SERVICE
from app.domain.documents.objects import OwnerReference
from app.domain.rules.deletion import FOREGROUND_FINALIZER
from tests.e2e.waiting import eventually

GONE = "99999999-9999-4999-8999-999999999999"
HOLD = "example.com/hold"


def collector(world):
    parts = world.parts
    return GarbageCollection(parts.writer, parts.mirror, parts.kinds, parts.cluster)


@pytest.fixture
async def collecting(world):
    async with world.reconciling(collector(world)):
        yield world


def reference(owner, **fields):
    meta = owner.metadata
    return {"apiVersion": owner.api_version, "kind": owner.kind, "name": meta.name, "uid": meta.uid, **fields}


def lease(name, *references, finalizers=None):
    metadata = {"name": name}
    if references:
        metadata["ownerReferences"] = list(references)
    if finalizers:
        metadata["finalizers"] = finalizers
    return {"metadata": metadata, "spec": {"holderIdentity": "somebody"}}


def service(name):
    return {"metadata": {"name": name}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}}


def slice_of(owner):
    return {
        "metadata": {"generateName": "slice-", "ownerReferences": [reference(owner)]},
        "addressType": "IPv4",
        "endpoints": [],
        "ports": [],
    }


async def settled(world, expected):
    """Wait until exactly these leases are there."""

    async def is_settled():
        return await world.names(LEASE) == set(expected)

    await eventually(is_settled)


async def test_what_belongs_to_a_service_goes_with_it(collecting):
    owner = await collecting.create(SERVICE, service("web"))
    for _ in range(3):
        await collecting.create(ENDPOINT_SLICE, slice_of(owner))
    await collecting.delete(SERVICE, "web")

    async def none_left():
        return not await collecting.names(ENDPOINT_SLICE)

    await eventually(none_left)


async def test_a_chain_goes_to_its_end(collecting):
    owner = await collecting.create(LEASE, lease("l-0"))
    for number in range(1, 6):
        owner = await collecting.create(LEASE, lease(f"l-{number}", reference(owner)))
    await collecting.delete(LEASE, "l-0")
    await settled(collecting, [])


async def test_the_last_owner_takes_it_along_and_the_others_leave_its_references(collecting):
    one, two = [await collecting.create(LEASE, lease(name)) for name in ("one", "two")]
    await collecting.create(LEASE, lease("shared", reference(one), reference(two)))
    await collecting.delete(LEASE, "one")
    left = await collecting.becomes(LEASE, "shared", lambda obj: len(obj.metadata.owner_references) == 1)
    assert left.metadata.owner_references[0].uid == two.metadata.uid
    await collecting.delete(LEASE, "two")
    await settled(collecting, [])


@pytest.mark.parametrize(
    "wrong",
    [
        {"uid": GONE},
        {"name": "another"},
        {"kind": "Service", "apiVersion": "v1"},
    ],
)
async def test_an_owner_that_never_was_is_gone(collecting, wrong):
    owner = await collecting.create(LEASE, lease("owner"))
    await collecting.create(LEASE, lease("stray", {**reference(owner), **wrong}))
    await settled(collecting, ["owner"])


async def test_an_owner_in_another_namespace_is_none(collecting):
    owner = await collecting.create(LEASE, lease("owner"), "kube-public")
    await collecting.create(LEASE, lease("stray", reference(owner)))
    await settled(collecting, [])


async def test_a_node_may_own_what_is_in_a_namespace(collecting):
    node = await collecting.create(NODE, {"metadata": {"name": "n1"}})
    await collecting.create(LEASE, lease("n1", reference(node)), "kube-node-lease")
    await collecting.create(LEASE, lease("stray", {**reference(node), "uid": GONE}))
    await settled(collecting, [])
    assert await collecting.get(LEASE, "n1", "kube-node-lease")
    await collecting.delete(NODE, "n1")
    await collecting.gone(LEASE, "n1", "kube-node-lease")


async def test_what_cannot_be_known_is_not_collected(collecting):
    foreign = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": GONE}
    derived = {"apiVersion": "fairlead.io/v1", "kind": "DNSRecordSet", "name": "web.a", "uid": GONE}
    namespaced = {"apiVersion": "v1", "kind": "Service", "name": "web", "uid": GONE}
    await collecting.create(LEASE, lease("foreign", foreign))
    await collecting.create(LEASE, lease("derived", derived))
    await collecting.create(NODE, {"metadata": {"name": "n1", "ownerReferences": [namespaced]}})
    # What comes after them is collected, so they have been looked at.
    await collecting.create(LEASE, lease("stray", namespaced))
    await settled(collecting, ["foreign", "derived"])
    assert await collecting.get(NODE, "n1")


async def test_in_the_foreground_the_owner_goes_last(collecting):
    owner = await collecting.create(LEASE, lease("owner"))
    blocking = reference(owner, blockOwnerDeletion=True)
    middle = await collecting.create(LEASE, lease("middle", blocking))
    await collecting.create(LEASE, lease("end", reference(middle, blockOwnerDeletion=True), finalizers=[HOLD]))
    await collecting.create(LEASE, lease("aside", reference(owner)))
    await collecting.delete(LEASE, "owner", propagation="Foreground")
    await settled(collecting, ["owner", "middle", "end"])
    for name in ("owner", "middle"):
        held = await collecting.becomes(LEASE, name, lambda obj: obj.metadata.finalizers == [FOREGROUND_FINALIZER])
        assert held.metadata.deletion_timestamp
    end = await collecting.becomes(LEASE, "end", lambda obj: obj.metadata.deletion_timestamp)
    assert end.metadata.finalizers == [HOLD]
    await collecting.change(LEASE, "end", release)
    await settled(collecting, [])


async def test_a_dependent_with_another_owner_does_not_hold_up_a_foreground_deletion(collecting):
    owner, other = [await collecting.create(LEASE, lease(name)) for name in ("owner", "other")]
    await collecting.create(LEASE, lease("shared", reference(owner, blockOwnerDeletion=True), reference(other)))
    await collecting.delete(LEASE, "owner", propagation="Foreground")
    await settled(collecting, ["other", "shared"])
    shared = await collecting.get(LEASE, "shared")
    assert [each.name for each in shared.metadata.owner_references] == ["other"]


async def test_a_circle_in_the_foreground_ends(collecting):
    one = await collecting.create(LEASE, lease("one"))
    two = await collecting.create(LEASE, lease("two", reference(one, blockOwnerDeletion=True)))
    await collecting.change(LEASE, "one", partial(own, reference=reference(two, blockOwnerDeletion=True)))
    await collecting.delete(LEASE, "one", propagation="Foreground")
    await settled(collecting, [])


async def test_orphans_stay_without_their_owner(collecting):
    owner = await collecting.create(LEASE, lease("owner"))
    for name in ("one", "two"):
        await collecting.create(LEASE, lease(name, reference(owner, blockOwnerDeletion=True)))
    await collecting.delete(LEASE, "owner", propagation="Orphan")
    await settled(collecting, ["one", "two"])
    for name in ("one", "two"):
        assert (await collecting.get(LEASE, name)).metadata.owner_references is None


async def test_the_mind_can_be_changed_while_the_owner_waits(collecting):
    owner = await collecting.create(LEASE, lease("owner", finalizers=[HOLD]))
    await collecting.create(LEASE, lease("held", reference(owner, blockOwnerDeletion=True), finalizers=[HOLD]))
    await collecting.delete(LEASE, "owner", propagation="Foreground")
    await collecting.becomes(LEASE, "held", lambda obj: obj.metadata.deletion_timestamp)
    await collecting.delete(LEASE, "owner", propagation="Orphan")
    await collecting.becomes(LEASE, "held", lambda obj: obj.metadata.owner_references is None)
    await collecting.change(LEASE, "owner", release)
    await settled(collecting, ["held"])


async def test_what_happened_while_nobody_collected_is_made_up_for(world):
    owner = await world.create(LEASE, lease("owner"))
    await world.create(LEASE, lease("one", reference(owner)))
    await world.delete(LEASE, "owner")
    waiting = await world.create(LEASE, lease("waiting"))
    await world.create(LEASE, lease("two", reference(waiting, blockOwnerDeletion=True)))
    await world.delete(LEASE, "waiting", propagation="Foreground")
    leaving = await world.create(LEASE, lease("leaving"))
    await world.create(LEASE, lease("three", reference(leaving)))
    await world.delete(LEASE, "leaving", propagation="Orphan")
    async with world.reconciling(collector(world)):
        await settled(world, ["three"])


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_left_of_many_is_what_still_has_an_owner(collecting, seed):
    chance = random.Random(seed)
    objects, owners = {}, {}
    for number in range(60):
        name = f"l-{number}"
        chosen = chance.sample(sorted(objects), k=min(len(objects), chance.choice([0, 0, 1, 1, 2])))
        references = [reference(objects[each], blockOwnerDeletion=chance.random() < 0.5) for each in chosen]
        objects[name] = await collecting.create(LEASE, lease(name, *references))
        owners[name] = set(chosen)
    doomed = chance.sample([name for name in objects if not owners[name]], k=8)
    for name in doomed:
        await collecting.delete(LEASE, name, propagation=chance.choice(["Background", "Foreground", ""]))
    left = set(objects) - set(doomed)
    while lost := {name for name in left if owners[name] and not owners[name] & left}:
        left -= lost
    await settled(collecting, left)
    for name in left:
        expected = owners[name] & left
        await collecting.becomes(LEASE, name, lambda obj, expected=expected: owner_names(obj) == expected)


def owner_names(obj):
    return {each.name for each in obj.metadata.owner_references or []}


def release(obj):
    obj.metadata.finalizers = [each for each in obj.metadata.finalizers or [] if each != HOLD] or None


def own(obj, reference):
    obj.metadata.owner_references = [msgspec.convert(reference, type=OwnerReference)]
