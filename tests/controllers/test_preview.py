"""Dry runs: what would be given, from what nobody holds, with nothing claimed."""

import msgspec
import pytest

from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object
from app.registry.options import WriteOptions
from app.registry.target import Target
from tests.controllers.world import running

TINY = {
    "service_cidrs": "10.96.0.0/29",
    "node_port_range": "30000-30003",
    "internal_pool": "10.224.0.0/30",
    "external_pool": "198.18.0.0/30",
}
PORTS = [{"name": name, "port": port} for name, port in (("a", 80), ("b", 81), ("c", 82))]


@pytest.fixture
async def world(database_url):
    async with running(database_url, **TINY) as world, world.reconciling_everything():
        yield world


async def tried(world, name, **spec):
    """A Service as a dry run would have it."""
    document = {"metadata": {"name": name}, "spec": {"ports": PORTS[:1]} | spec}
    obj = msgspec.convert(document, type=SERVICE.model)
    answer = await world.registry.create(Target(SERVICE, "default"), obj, WriteOptions(dry_run=True))
    return decode_object(SERVICE, answer.entry.wire)


async def made(world, name, **spec):
    document = {"metadata": {"name": name}, "spec": {"ports": PORTS[:1]} | spec}
    return await world.create(SERVICE, document)


def allocated(service):
    (condition,) = [each for each in service.status.conditions if each.type == "Allocated"]
    return condition.status, condition.message


async def test_what_is_shown_is_free_and_stays_free(world):
    taken = {(await made(world, f"web-{number}")).spec.cluster_ip for number in range(4)}
    shown = {(await tried(world, "next")).spec.cluster_ip for _ in range(5)}
    assert shown
    assert not shown & taken
    left = {(await made(world, f"more-{number}")).spec.cluster_ip for number in range(2)}
    assert shown <= left


async def test_all_kinds_of_things_are_shown(world):
    service = await tried(world, "all", type="LoadBalancer", externalTrafficPolicy="Local", ports=PORTS)
    ports = [port.node_port for port in service.spec.ports]
    assert sorted([*ports, service.spec.health_check_node_port]) == [30000, 30001, 30002, 30003]
    assert service.status.load_balancer.ingress[0].ip in {"198.18.0.1", "198.18.0.2"}
    assert allocated(service)[0] == "True"
    assert {claims async for claims in world.parts.reader.claimed("node_ports")} == set()


async def test_a_value_that_is_asked_for_is_not_shown_a_second_time(world):
    ports = [PORTS[0] | {"nodePort": 30001}, *PORTS[1:]]
    service = await tried(world, "asking", type="NodePort", ports=ports)
    assert sorted(port.node_port for port in service.spec.ports)[:2] != [30001, 30001]
    assert len({port.node_port for port in service.spec.ports}) == 3


async def test_what_is_short_is_told_with_its_numbers(world):
    await made(world, "first", type="NodePort", ports=PORTS)
    status, message = allocated(await tried(world, "second", type="NodePort", ports=PORTS))
    assert status == "False"
    assert "1 of 4 are free in node ports 30000-30003" in message
    for number in range(5):
        await made(world, f"web-{number}")
    status, message = allocated(await tried(world, "last"))
    assert status == "False"
    assert "0 of 6 are free in ClusterIP 10.96.0.0/29" in message
