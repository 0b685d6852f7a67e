"""Dry runs: what would be given, from what nobody holds, with nothing claimed."""

import msgspec
import pytest

from app.domain.declarations.load_balancer import LOAD_BALANCER
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import decode_object
from app.registry.options import DeleteOptions, WriteOptions
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


async def warned(act):
    """The texts of what a dry run would make of computed objects."""
    answer = await act(WriteOptions(dry_run=True))
    return list(answer.preview)


async def test_a_dry_run_tells_what_would_become_of_load_balancer_records_and_addresses(world):
    document = {"metadata": {"name": "web"}, "spec": {"ports": PORTS[:1], "type": "LoadBalancer"}}
    obj = msgspec.convert(document, type=SERVICE.model)
    told = await warned(lambda options: world.registry.create(Target(SERVICE, "default"), obj, options))
    address, cluster_ip = obj.status.load_balancer.ingress[0].ip, obj.spec.cluster_ip
    assert told[0] == (
        f"LoadBalancer web is made: Load-Balancer kubernetes, Addresses {address}, Rules 80/Tcp, Members 0/0,"
        " Pools external, Sources Internet"
    )
    record = f"DNS-Name web.default.svc.cluster.local., Type A, Values {cluster_ip}, TTL 5"
    assert f"DNSRecordSet web.a is made: {record}" in told
    assert f"IPAddress {cluster_ip} is made: ParentRef services/default/web" in told
    assert await world.names(SERVICE) == set()


async def test_a_dry_run_of_a_change_and_of_a_deletion_tells_the_difference(world):
    await made(world, "web", type="LoadBalancer")
    web = Target(SERVICE, "default", "web")
    changed = await world.get(SERVICE, "web")
    changed.spec.load_balancer_source_ranges = ["203.0.113.0/24"]
    told = await warned(lambda options: world.registry.update(web, changed, options))
    assert told[0].startswith("LoadBalancer web changes: ")
    assert "Sources 203.0.113.0/24" in told[0]
    assert any(text.startswith("DNSRecordSet web.a stays: ") for text in told)
    told = await warned(lambda _options: world.registry.delete(web, DeleteOptions(dry_run=True)))
    assert {text.partition(": ")[0].rpartition(" ")[2] for text in told} == {"goes"}
    assert await world.get(LOAD_BALANCER, "web") is not None
