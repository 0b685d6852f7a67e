"""What the controllers keep in step with pods: slices, Endpoints, and slices that mirror hand-written Endpoints."""

import pytest

from app.controllers.backend_index import BackendIndex
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.endpoints import ENDPOINTS
from app.domain.declarations.node import NODE
from app.domain.declarations.pod import POD
from app.domain.declarations.service import SERVICE
from app.domain.kinds.meta import Condition
from app.domain.kinds.pod import PodCondition, PodIP
from app.domain.wanted.endpoint_slices import CONTROLLER
from app.domain.wanted.mirrored_slices import CONTROLLER as MIRRORING
from app.domain.wanted.slice_packing import MANAGED_BY_LABEL
from tests.e2e.waiting import eventually


@pytest.fixture
async def running(world):
    async with world.reconciling_everything():
        yield world


def service(name="web", selector=None, **spec):
    selector = {"app": "web"} if selector is None else selector
    return {"metadata": {"name": name}, "spec": {"selector": selector, "ports": [{"port": 80}], **spec}}


async def test_a_change_of_the_status_alone_concerns_no_endpoints(world):
    index = BackendIndex(world.parts.mirror)

    async def concerned(change, subresource=""):
        await world.change(SERVICE, "web", change, subresource=subresource)
        await world.parts.mirror.fresh()
        return list(index.affected())

    made = service(clusterIP="None")
    await world.create(SERVICE, {**made, "metadata": {"name": "web", "labels": {"app": "web"}}})
    condition = Condition(
        type="example.com/seen", status="True", reason="Seen", last_transition_time="2026-01-01T00:00:00Z"
    )
    assert await concerned(lambda each: each.status.conditions.append(condition), "status") == []
    assert await concerned(lambda each: each.metadata.labels.update(team="a")) == [("default", "web")]


async def register(world, name, *ips, node="", ready=True, labels=None):
    metadata = {"name": name, "labels": labels or {"app": "web"}}
    await world.create(POD, {"metadata": metadata, "spec": {"nodeName": node, "containers": [{"name": "main"}]}})
    await report(world, name, *ips, ready=ready)


async def report(world, name, *ips, ready=True):
    def change(pod):
        pod.status.phase = "Running"
        if ips:
            pod.status.pod_ip, pod.status.pod_ips = ips[0], [PodIP(ip=each) for each in ips]
        pod.status.conditions = [PodCondition(type="Ready", status=str(ready))]

    await world.change(POD, name, change, subresource="status")


async def slices(world, name="web", controller=CONTROLLER):
    found = [await world.get(ENDPOINT_SLICE, each) for each in await world.names(ENDPOINT_SLICE)]
    labels = [(each, each.metadata.labels or {}) for each in found if each is not None]
    return [
        each
        for each, own in labels
        if own.get("kubernetes.io/service-name") == name and own.get(MANAGED_BY_LABEL) == controller
    ]


async def shown(world, expected, name="web", controller=CONTROLLER):
    """Wait until exactly these addresses are shown, each with whether it is ready."""

    async def is_so():
        endpoints = [each for slice_ in await slices(world, name, controller) for each in slice_.endpoints or []]
        return {each.addresses[0]: each.conditions.ready for each in endpoints} == expected

    await eventually(is_so)


async def listed(world, ready, not_ready=(), name="web"):
    """Wait until the Endpoints object has exactly these addresses."""

    def fits(obj):
        subsets = obj.subsets or []
        found = {each.ip for subset in subsets for each in subset.addresses or []}
        unready = {each.ip for subset in subsets for each in subset.not_ready_addresses or []}
        return (found, unready) == (set(ready), set(not_ready))

    return await world.becomes(ENDPOINTS, name, fits)


async def test_pods_come_become_unready_and_go(running):
    await running.create(SERVICE, service())
    await shown(running, {})
    await register(running, "one", "172.16.0.1")
    await register(running, "two", "172.16.0.2", ready=False)
    await register(running, "other", "172.16.0.3", labels={"app": "other"})
    await shown(running, {"172.16.0.1": True, "172.16.0.2": False})
    await listed(running, ["172.16.0.1"], ["172.16.0.2"])
    await report(running, "one", ready=False)
    await report(running, "two")
    await shown(running, {"172.16.0.1": False, "172.16.0.2": True})
    await running.change(POD, "other", lambda pod: pod.metadata.labels.update(app="web"))
    await running.delete(POD, "one")
    await shown(running, {"172.16.0.2": True, "172.16.0.3": True})
    await listed(running, ["172.16.0.2", "172.16.0.3"])
    (one,) = await slices(running)
    assert one.metadata.owner_references[0].kind == "Service"
    assert one.metadata.generate_name == "web-"


async def test_a_change_that_endpoints_do_not_show_writes_nothing(running):
    await running.create(SERVICE, service())
    await register(running, "one", "172.16.0.1")
    await shown(running, {"172.16.0.1": True})
    await listed(running, ["172.16.0.1"])
    (before,) = await slices(running)
    for number in range(5):
        await running.change(POD, "one", lambda pod, number=number: pod.metadata.labels.update(note=str(number)))
        await report(running, "one")
    await register(running, "two", "172.16.0.2")
    await shown(running, {"172.16.0.1": True, "172.16.0.2": True})
    (after,) = await slices(running)
    assert after.metadata.generation == before.metadata.generation + 1


async def test_what_a_service_selects_may_change(running):
    await running.create(SERVICE, service())
    await register(running, "one", "172.16.0.1")
    await register(running, "other", "172.16.0.3", labels={"app": "other", "tier": "x"})
    await shown(running, {"172.16.0.1": True})
    await running.change(SERVICE, "web", lambda obj: setattr(obj.spec, "selector", {"app": "other", "tier": "x"}))
    await shown(running, {"172.16.0.3": True})
    await listed(running, ["172.16.0.3"])
    # Without a selector they are somebody else's to keep.
    await running.change(SERVICE, "web", lambda obj: setattr(obj.spec, "selector", None))
    await running.delete(POD, "other")
    await register(running, "late", "172.16.0.4")
    await running.create(SERVICE, service("second"))
    await shown(running, {"172.16.0.1": True, "172.16.0.4": True}, "second")
    await shown(running, {"172.16.0.3": True})


async def test_nodes_decide_about_their_pods(running):
    await running.create(SERVICE, service(trafficDistribution="PreferClose"))
    await register(running, "one", "172.16.0.1", node="n1")
    await register(running, "two", "172.16.0.2")
    await shown(running, {"172.16.0.2": True})
    labels = {"topology.kubernetes.io/zone": "a"}
    await running.create(NODE, {"metadata": {"name": "n1", "labels": labels}})
    await shown(running, {"172.16.0.1": True, "172.16.0.2": True})

    async def zones():
        return [each.zone for slice_ in await slices(running) for each in slice_.endpoints if each.node_name]

    assert await zones() == ["a"]
    await running.change(NODE, "n1", lambda node: node.metadata.labels.update({"topology.kubernetes.io/zone": "b"}))

    async def moved():
        return await zones() == ["b"]

    await eventually(moved)
    await running.delete(NODE, "n1")
    await shown(running, {"172.16.0.2": True})


async def test_with_its_service_everything_goes(running):
    await running.create(SERVICE, service())
    await register(running, "one", "172.16.0.1")
    await shown(running, {"172.16.0.1": True})
    await listed(running, ["172.16.0.1"])
    await running.create(SERVICE, service("by-hand", selector={}))
    await running.create(ENDPOINTS, by_hand("by-hand", "172.16.0.8"))
    await shown(running, {"172.16.0.8": True}, "by-hand", MIRRORING)
    await running.create(ENDPOINTS, by_hand("alone", "172.16.0.9"))
    for name in ("web", "by-hand"):
        await running.delete(SERVICE, name)
        await running.gone(ENDPOINTS, name)

    async def none_left():
        return await running.names(ENDPOINT_SLICE) == set()

    await eventually(none_left)
    assert await running.get(ENDPOINTS, "alone")


async def test_what_somebody_else_deletes_or_writes_over_is_made_up_for(running):
    await running.create(SERVICE, service())
    await register(running, "one", "172.16.0.1")
    await shown(running, {"172.16.0.1": True})
    (made,) = await slices(running)
    await running.delete(ENDPOINT_SLICE, made.metadata.name)
    await running.gone(ENDPOINT_SLICE, made.metadata.name)
    await shown(running, {"172.16.0.1": True})
    (again,) = await slices(running)
    await running.change(ENDPOINT_SLICE, again.metadata.name, lambda obj: setattr(obj, "endpoints", []))
    await shown(running, {"172.16.0.1": True})
    await listed(running, ["172.16.0.1"])
    await running.delete(ENDPOINTS, "web")
    await listed(running, ["172.16.0.1"])


def by_hand(name, *addresses, **metadata):
    subsets = [{"addresses": [{"ip": each} for each in addresses], "ports": [{"port": 8080, "protocol": "TCP"}]}]
    return {"metadata": {"name": name, **metadata}, "subsets": subsets}


async def test_hand_written_endpoints_are_mirrored(running):
    await running.create(ENDPOINTS, by_hand("web", "172.16.0.1"))
    await running.create(SERVICE, service(selector={}))
    await shown(running, {"172.16.0.1": True}, controller=MIRRORING)

    def grow(endpoints):
        endpoints.subsets[0].addresses.append(type(endpoints.subsets[0].addresses[0])(ip="fd00::1"))

    await running.change(ENDPOINTS, "web", grow)
    await shown(running, {"172.16.0.1": True, "fd00::1": True}, controller=MIRRORING)
    assert sorted(each.address_type for each in await slices(running, controller=MIRRORING)) == ["IPv4", "IPv6"]
    for slice_ in await slices(running, controller=MIRRORING):
        await running.delete(ENDPOINT_SLICE, slice_.metadata.name)
    await shown(running, {"172.16.0.1": True, "fd00::1": True}, controller=MIRRORING)
    skip = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    await running.change(ENDPOINTS, "web", lambda obj: setattr(obj.metadata, "labels", skip))
    await shown(running, {}, controller=MIRRORING)
    await running.change(ENDPOINTS, "web", lambda obj: setattr(obj.metadata, "labels", None))
    await shown(running, {"172.16.0.1": True, "fd00::1": True}, controller=MIRRORING)
    await running.delete(ENDPOINTS, "web")
    await shown(running, {}, controller=MIRRORING)


async def test_what_happened_while_nobody_worked_is_made_up_for(world):
    async with world.reconciling_everything():
        await world.create(SERVICE, service())
        await register(world, "one", "172.16.0.1")
        await shown(world, {"172.16.0.1": True})
    await register(world, "two", "172.16.0.2")
    await world.delete(POD, "one")
    async with world.reconciling_everything():
        await shown(world, {"172.16.0.2": True})
        await listed(world, ["172.16.0.2"])


async def test_a_mirror_that_was_read_anew_is_followed(running):
    await running.create(SERVICE, service())
    await register(running, "one", "172.16.0.1")
    await shown(running, {"172.16.0.1": True})
    running.parts.mirror._loaded = False
    await register(running, "two", "172.16.0.2")
    await running.delete(POD, "one")
    await shown(running, {"172.16.0.2": True})
