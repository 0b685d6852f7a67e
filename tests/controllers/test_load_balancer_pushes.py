"""Load balancers are told the traffic of all Services, and what becomes of that shows on their DataPlane."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.cluster.service_slices import ServiceSlices
from app.controllers import programming
from app.controllers.load_balancer_pushes import LoadBalancerParts, LoadBalancerTargets, PushedPlane
from app.controllers.programming import Programming
from app.domain.declarations.data_plane import DATA_PLANE
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.service import SERVICE
from app.domain.rules.service.conditions import find_condition
from app.domain.wanted.traffic import PlaneProfile
from app.main.reconciler import allocation_of, memory_of
from app.providers.lb.pushes import FakeLoadBalancer, LoadBalancerError
from app.telemetry import tracing
from tests.controllers.world import running
from tests.e2e.waiting import eventually

KEY = ("default", "web")


@pytest.fixture
async def world(database_url):
    async with running(database_url) as world:
        yield world


def reconciling(world, fake):
    parts = world.parts
    shared = LoadBalancerParts(parts.writer, parts.mirror, ServiceSlices(parts.mirror), parts.cluster)
    plane = PushedPlane("edge", "HAProxy", PlaneProfile(), fake)
    conditions = Programming(parts.writer, parts.mirror, parts.cluster)
    allocation = allocation_of(parts, memory_of(parts))
    return world.reconciling(allocation, conditions, targets=[LoadBalancerTargets(shared, [plane])])


async def make_service(world, port=80):
    return await world.create(
        SERVICE, {"metadata": {"name": "web"}, "spec": {"type": "LoadBalancer", "ports": [{"port": port}]}}
    )


async def make_members(world, *addresses):
    await world.create(
        ENDPOINT_SLICE,
        {
            "metadata": {"name": "web", "labels": {"kubernetes.io/service-name": "web"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [each]} for each in addresses],
            "ports": [{"name": "", "port": 8080}],
        },
    )


def programmed(status, reason):
    def fulfilled(service):
        found = find_condition(service, "Programmed")
        return found is not None and (found.status, found.reason) == (status, reason)

    return fulfilled


def says(message):
    return lambda service: find_condition(service, "Programmed").message == message


def condition(plane, type_):
    return next((each.status, each.reason) for each in plane.status.conditions if each.type == type_)


async def test_it_is_told_of_services_and_members_and_reports(world):
    fake = FakeLoadBalancer()
    async with reconciling(world, fake):
        await make_service(world)
        await world.becomes(SERVICE, "web", programmed("True", "Programmed"))
        await make_members(world, "10.1.0.1")

        async def has_member():
            backends = fake.wanted[KEY].backends if KEY in fake.wanted else ()
            return [member.address for each in backends for member in each.members] == ["10.1.0.1"]

        await eventually(has_member)
        plane = await world.becomes(DATA_PLANE, "edge", lambda plane: plane.status.services == 1)
        assert (plane.spec.type, plane.status.version) == ("HAProxy", "fake")
        assert condition(plane, "Connected") == ("True", "Connected")
        await world.delete(SERVICE, "web")

        async def is_forgotten():
            return KEY not in fake.wanted

        await eventually(is_forgotten)


async def test_what_it_refuses_shows_on_the_service(world):
    fake = FakeLoadBalancer()
    fake.refused = {KEY: "cannot bind"}
    async with reconciling(world, fake):
        await make_service(world)
        service = await world.becomes(SERVICE, "web", programmed("False", "Rejected"))
        assert find_condition(service, "Programmed").message == "edge: cannot bind"
        fake.refused = {}
        await world.change(SERVICE, "web", lambda service: setattr(service.spec.ports[0], "port", 81))
        await world.becomes(SERVICE, "web", programmed("True", "Programmed"))


async def test_one_that_is_gone_shows_on_its_data_plane_and_heals(world):
    fake = FakeLoadBalancer()
    fake.failure = LoadBalancerError("NotRunning", "it is gone")
    async with reconciling(world, fake):
        await make_service(world)
        await world.becomes(DATA_PLANE, "edge", lambda plane: condition(plane, "Connected") == ("False", "NotRunning"))
        fake.failure = LoadBalancerError("NotReloaded", "it is stuck")
        await world.becomes(DATA_PLANE, "edge", lambda plane: condition(plane, "Current") == ("False", "NotReloaded"))
        fake.failure = None
        await world.becomes(SERVICE, "web", programmed("True", "Programmed"))


@pytest.mark.parametrize("reason", ["NotWritten", "NotReloaded"])
async def test_one_that_does_not_take_its_file_says_why_on_the_service_and_heals(world, monkeypatch, reason):
    monkeypatch.setattr(programming, "LATE_SECONDS", 0.5)
    fake = FakeLoadBalancer()
    async with reconciling(world, fake):
        await make_service(world)
        await world.becomes(SERVICE, "web", programmed("True", "Programmed"))
        fake.failure = LoadBalancerError(reason, "no room")
        await world.change(SERVICE, "web", lambda service: setattr(service.spec.ports[0], "port", 81))
        service = await world.becomes(SERVICE, "web", says("not taken over yet by edge (no room)"))
        assert programmed("False", "NotServed")(service)
        plane = await world.get(DATA_PLANE, "edge", "")
        assert condition(plane, "Connected") == ("True", "Connected")
        fake.failure = None
        await world.becomes(SERVICE, "web", programmed("True", "Programmed"))


async def test_what_is_traced_is_told_once_it_is_there(world):
    spans, fake = InMemorySpanExporter(), FakeLoadBalancer()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    tracing.use(provider.get_tracer("test"))
    try:
        async with reconciling(world, fake):
            root = tracing.begin("request")
            token = tracing.enter(root)
            await make_service(world)
            tracing.leave(token)
            delivered = await eventually(lambda: found("deliver", spans))
    finally:
        tracing.use(None)
    assert delivered.attributes["fairlead.plane"] == "edge"
    assert delivered.context.trace_id == root.get_span_context().trace_id
    assert delivered.parent.span_id in {each.context.span_id for each in spans.get_finished_spans()}


async def found(name, spans):
    return next((each for each in spans.get_finished_spans() if each.name == name), None)
