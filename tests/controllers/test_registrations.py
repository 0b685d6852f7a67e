"""A Node or Pod that stops renewing its lease is not ready, its pods and endpoints with it, until it renews."""

import contextlib
from functools import partial

import pytest

from app.controllers.backend_index import BackendIndex
from app.controllers.endpoint_slices import EndpointSlices
from app.controllers.event_recorder import EventRecorder
from app.controllers.registrations import Registrations
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.event import EVENT
from app.domain.declarations.lease import LEASE
from app.domain.declarations.node import NODE
from app.domain.declarations.pod import POD
from app.domain.declarations.service import SERVICE
from app.domain.errors import Invalid
from app.domain.kinds.pod import PodCondition
from app.domain.rules.registration import DURATION_ANNOTATION, RENEW_TIME_ANNOTATION
from tests.e2e.waiting import eventually


class Clock:
    """Counts seconds only when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@contextlib.asynccontextmanager
async def judging(world, clock):
    parts = world.parts
    index = BackendIndex(parts.mirror)
    recorder = EventRecorder(parts.writer, parts.mirror, parts.cluster)
    async with world.reconciling(
        EndpointSlices(parts.writer, parts.mirror, index, parts.cluster),
        Registrations(parts.writer, parts.reader, parts.mirror, index, parts.cluster, recorder, clock=clock),
    ):
        yield world


@pytest.fixture
async def judged(world, clock):
    async with judging(world, clock):
        # Whatever comes from here on is seen as it comes.
        await renewals_are_seen(world, clock)
        yield world


async def later(world, clock, seconds):
    """Let time pass once everything so far has been seen."""
    await world.parts.mirror.fresh()
    clock.now += seconds


async def renewals_are_seen(world, clock):
    """Wait until the controller is at work: it notices that a lease of its own making expires."""
    await register_node(world, "probe", seconds=1)
    await until_ready(world, NODE, "probe", ready=False, clock=clock, passing=0.3)
    await world.delete(NODE, "probe")


async def register_node(world, name, *, seconds=None, ready="True", **metadata):
    conditions = [{"type": "Ready", "status": ready, "reason": "AgentSays"}]
    if seconds is not None:
        metadata["annotations"] = {DURATION_ANNOTATION: str(seconds), RENEW_TIME_ANNOTATION: "0"}
    return await world.create(NODE, {"metadata": {"name": name, **metadata}, "status": {"conditions": conditions}})


async def register_pod(world, name, *, ready="True", node="", annotations=None):
    metadata = {"name": name, "labels": {"app": "web"}, "annotations": annotations}
    spec = {"containers": [{"name": "main"}], "nodeName": node}
    pod = await world.create(POD, {"metadata": metadata, "spec": spec})

    def report(pod):
        pod.status.phase = "Running"
        pod.status.pod_ip = "172.16.0.9"
        pod.status.conditions = [PodCondition(type="Ready", status=ready, reason="AgentSays")]

    await world.change(POD, name, report, subresource="status")
    return pod


async def lease(world, name, namespace, *, seconds=10, owner=None, renewed="2026-01-01T00:00:00.000000Z"):
    metadata = {"name": name}
    if owner is not None:
        references = [{"apiVersion": "v1", "kind": "Pod", "name": owner.metadata.name, "uid": owner.metadata.uid}]
        metadata["ownerReferences"] = references
    spec = {"holderIdentity": "agent", "leaseDurationSeconds": seconds, "renewTime": renewed}
    return await world.create(LEASE, {"metadata": metadata, "spec": spec}, namespace)


async def renew(world, name, namespace, renewed):
    def change(obj):
        obj.spec.renew_time = renewed

    await world.change(LEASE, name, change, namespace)


def renew_by_annotation(obj, mark):
    obj.metadata.annotations[RENEW_TIME_ANNOTATION] = mark


def ready_condition(obj):
    return next(each for each in obj.status.conditions if each.type == "Ready")


async def until_ready(world, kind, name, *, ready, clock=None, passing=0.0):
    async def is_so():
        if clock is not None:
            clock.now += passing
        obj = await world.get(kind, name)
        return obj if ready_condition(obj).status == str(ready) else None

    return await eventually(is_so)


async def endpoints(world):
    await world.parts.mirror.fresh()
    found = [await world.get(ENDPOINT_SLICE, name) for name in await world.names(ENDPOINT_SLICE)]
    return {each.target_ref.name for slice_ in found for each in slice_.endpoints or [] if each.conditions.ready}


async def shown(world, *names):
    async def is_so():
        return await endpoints(world) == set(names)

    await eventually(is_so)


async def test_a_node_whose_lease_expires_is_not_ready_until_it_is_renewed(judged, clock):
    await register_node(judged, "n1")
    await lease(judged, "n1", "kube-node-lease")
    await register_node(judged, "n2")
    await later(judged, clock, 9)
    await renew(judged, "n1", "kube-node-lease", "2026-01-01T00:00:09.000000Z")
    await later(judged, clock, 9)
    await register_node(judged, "short", seconds=1)
    await later(judged, clock, 1.1)
    await until_ready(judged, NODE, "short", ready=False)
    # 10.1 s since the renewal.
    await later(judged, clock, 0.1)
    expired = ready_condition(await until_ready(judged, NODE, "n1", ready=False))
    assert expired.reason == "LeaseExpired"
    assert "10 s" in expired.message
    await renew(judged, "n1", "kube-node-lease", "2026-01-01T00:00:20.000000Z")
    renewed = ready_condition(await until_ready(judged, NODE, "n1", ready=True))
    assert renewed.reason == "LeaseRenewed"
    assert ready_condition(await judged.get(NODE, "n2")).reason == "AgentSays"

    async def told():
        events = [await judged.get(EVENT, name) for name in await judged.names(EVENT)]
        return {"LeaseExpired", "LeaseRenewed"} <= {event.reason for event in events}

    # The Events follow the conditions.
    await eventually(told)


async def test_a_lease_that_expires_again_and_again_is_one_event(judged, clock):
    await register_node(judged, "n1", seconds=5)
    for number in range(3):
        await later(judged, clock, 6)
        await until_ready(judged, NODE, "n1", ready=False)
        await judged.change(NODE, "n1", partial(renew_by_annotation, mark=f"again {number}"))
        await until_ready(judged, NODE, "n1", ready=True)

    async def counted():
        events = [await judged.get(EVENT, name) for name in await judged.names(EVENT)]
        told = [(event.reason, event.count) for event in events if event.involved_object.name == "n1"]
        return sorted(told) == [("LeaseExpired", 3), ("LeaseRenewed", 3)]

    await eventually(counted)


async def test_pods_on_an_expired_node_and_their_endpoints_go_with_it(judged, clock):
    await judged.create(
        SERVICE, {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "clusterIP": "None"}}
    )
    await register_node(judged, "n1")
    await register_node(judged, "n2")
    await lease(judged, "n1", "kube-node-lease")
    for name, node in (("here", "n1"), ("there", "n2"), ("nowhere", "")):
        await register_pod(judged, name, node=node)
    await register_pod(judged, "unwell", node="n1", ready="False")
    await shown(judged, "here", "there", "nowhere")
    await later(judged, clock, 10.1)
    assert ready_condition(await until_ready(judged, POD, "here", ready=False)).reason == "NodeLeaseExpired"
    await shown(judged, "there", "nowhere")
    await register_pod(judged, "late", node="n1")
    assert ready_condition(await until_ready(judged, POD, "late", ready=False)).reason == "NodeLeaseExpired"
    await renew(judged, "n1", "kube-node-lease", "2026-01-01T00:00:20.000000Z")
    await shown(judged, "here", "there", "nowhere", "late")
    assert ready_condition(await judged.get(POD, "unwell")).reason == "AgentSays"


async def test_a_pods_lease_is_the_one_that_it_owns(judged, clock):
    pod = await register_pod(judged, "p1")
    await lease(judged, "agent-7", "default", seconds=5, owner=pod)
    await later(judged, clock, 5.1)
    assert ready_condition(await until_ready(judged, POD, "p1", ready=False)).reason == "LeaseExpired"
    await renew(judged, "agent-7", "default", "2026-01-01T00:00:20.000000Z")
    await until_ready(judged, POD, "p1", ready=True)
    # The longest of several counts, and the end of the last one is the end.
    await lease(judged, "agent-8", "default", seconds=60, owner=pod)
    await register_pod(judged, "p2", annotations={DURATION_ANNOTATION: "7"})
    await later(judged, clock, 7.1)
    await until_ready(judged, POD, "p2", ready=False)
    assert ready_condition(await judged.get(POD, "p1")).status == "True"
    await later(judged, clock, 53)
    await until_ready(judged, POD, "p1", ready=False)


async def test_annotations_carry_a_lease_too(judged, clock):
    await register_pod(judged, "p1", annotations={DURATION_ANNOTATION: "5", RENEW_TIME_ANNOTATION: "one"})
    await later(judged, clock, 4)
    await judged.change(POD, "p1", renewed_at("two"))
    await later(judged, clock, 4)
    await register_node(judged, "short", seconds=1)
    await later(judged, clock, 1.1)
    await until_ready(judged, NODE, "short", ready=False)
    # 5.1 s since the renewal; other writes are none.
    expired = ready_condition(await until_ready(judged, POD, "p1", ready=False))
    assert expired.message.endswith("two")
    await judged.change(POD, "p1", lambda pod: pod.metadata.labels.update(note="x"))
    await judged.change(POD, "p1", renewed_at("three"))
    await until_ready(judged, POD, "p1", ready=True)


def renewed_at(text):
    def change(obj):
        obj.metadata.annotations[RENEW_TIME_ANNOTATION] = text

    return change


async def test_whoever_claims_to_be_ready_without_renewing_is_not_believed(judged, clock):
    pod = await register_pod(judged, "p1")
    await lease(judged, "agent", "default", seconds=5, owner=pod)
    await later(judged, clock, 5.1)
    await until_ready(judged, POD, "p1", ready=False)

    def claim(pod):
        pod.status.conditions = [PodCondition(type="Ready", status="True", reason="AgentSays")]

    await judged.change(POD, "p1", claim, subresource="status")
    again = await until_ready(judged, POD, "p1", ready=False)
    assert ready_condition(again).reason == "LeaseExpired"


async def test_without_its_lease_a_registration_stays_as_it_is(judged, clock):
    pod = await register_pod(judged, "p1")
    await lease(judged, "agent", "default", seconds=5, owner=pod)
    await later(judged, clock, 5.1)
    await until_ready(judged, POD, "p1", ready=False)
    await judged.delete(LEASE, "agent")
    other = await register_pod(judged, "p2")
    await lease(judged, "other", "default", seconds=5, owner=other)
    await later(judged, clock, 5.1)
    await until_ready(judged, POD, "p2", ready=False)
    assert ready_condition(await judged.get(POD, "p1")).reason == "LeaseExpired"

    def claim(pod):
        pod.status.conditions = [PodCondition(type="Ready", status="True", reason="AgentSays")]

    await judged.change(POD, "p1", claim, subresource="status")
    await renew(judged, "other", "default", "2026-01-01T00:00:20.000000Z")
    await until_ready(judged, POD, "p2", ready=True)
    assert ready_condition(await judged.get(POD, "p1")).reason == "AgentSays"


async def test_a_new_owner_spares_the_living_and_remembers_the_dead(world, clock):
    async with judging(world, clock):
        await register_pod(world, "dead", annotations={DURATION_ANNOTATION: "5", RENEW_TIME_ANNOTATION: "one"})
        await later(world, clock, 5.1)
        await until_ready(world, POD, "dead", ready=False, clock=clock, passing=0.5)
    revision = (await world.get(POD, "dead")).metadata.resource_version
    await register_pod(world, "alive", annotations={DURATION_ANNOTATION: "60", RENEW_TIME_ANNOTATION: "one"})
    # The log has forgotten when this one was renewed, and so has its holder's clock.
    await register_node(world, "silent")
    await lease(world, "silent", "kube-node-lease", seconds=30)
    await world.parts.database.fetch("UPDATE changes SET at = at - interval '1 hour' WHERE kind LIKE 'leases%'")
    async with judging(world, clock):
        await register_node(world, "short", seconds=1)
        await until_ready(world, NODE, "short", ready=False, clock=clock, passing=0.2)
        assert ready_condition(await world.get(NODE, "silent")).status == "True"
        await later(world, clock, 10)
        await until_ready(world, NODE, "silent", ready=False)
        assert (await world.get(POD, "dead")).metadata.resource_version == revision
        assert ready_condition(await world.get(POD, "alive")).status == "True"
        await world.change(POD, "dead", renewed_at("two"))
        await until_ready(world, POD, "dead", ready=True)


@pytest.mark.parametrize("text", ["", "0", "-3", "1.5", "soon", "86401", "٣"])
async def test_a_duration_that_is_none_is_refused(world, text):
    with pytest.raises(Invalid, match=r"metadata\.annotations\[fairlead\.io/lease-duration-seconds\]"):
        await register_node(world, "n1", annotations={DURATION_ANNOTATION: text})
