"""Traffic between machines: clients, an Envoy and a member in namespaces of their own."""

import asyncio
import contextlib

import pytest

from app.domain.wanted.traffic import Member
from tests.dataplane.backends import Backend
from tests.dataplane.envoys import Control, EnvoyProcess, traffic
from tests.dataplane.namespaces import Namespace, needs_root
from tests.e2e.waiting import eventually

pytestmark = needs_root

VIP = "203.0.113.10"


class Network:
    """Two clients and a member, each behind a cable of its own to the machine of the Envoy."""

    def __init__(self, stack):
        words = ("lb", "one", "two", "member")
        self.lb, self.one, self.two, self.member = (stack.enter_context(Namespace(each)) for each in words)
        for each, network in ((self.one, "10.77.1"), (self.two, "10.77.2"), (self.member, "10.77.3")):
            self.lb.join(each, network)
            each.ip("route", "add", "default", "via", f"{network}.1")

    def route(self):
        """Have the machine of the Envoy take packets for the frontend, as a router in front of it would bring them."""
        self.lb.ip("route", "add", "local", f"{VIP}/32", "dev", "lo")


@pytest.fixture
def network():
    with contextlib.ExitStack() as stack:
        yield Network(stack)


@pytest.fixture
async def plane(directory, network):
    async with Control(directory / "xds") as control:
        envoy = EnvoyProcess(directory, directory / "xds", drain_seconds=1, command=network.lb.command)
        async with envoy:
            yield control


async def put(plane, found):
    """Have the Envoy take this traffic; what it listens to is seen by clients alone."""
    plane.views.put(found)
    await plane.taken()


async def heard(namespace, port, **how):
    return await asyncio.to_thread(namespace.heard, VIP, port, **how)


async def until_heard(namespace, port, what, **how):
    async def is_heard():
        return await heard(namespace, port, **how) == what

    await eventually(is_heard)


def member_of(backend):
    return Member("10.77.3.2", backend.port, backend.port)


async def test_an_address_that_the_machine_does_not_have_is_bound_and_answers_once_it_is_routed(network, plane, port):
    async with Backend("one", sock=network.member.listening("10.77.3.2")) as one:
        await put(plane, traffic([(VIP, port)], [member_of(one)]))
        assert await heard(network.one, port) is None
        network.route()
        await until_heard(network.one, port, "one")


async def test_sources_are_told_apart_by_the_addresses_of_their_machines(network, plane, port):
    network.route()
    async with Backend("one", sock=network.member.listening("10.77.3.2")) as one:
        for sources, admitted, denied in (
            (["10.77.1.0/24"], network.one, network.two),
            (["10.77.2.2/32"], network.two, network.one),
        ):
            await put(plane, traffic([(VIP, port)], [member_of(one)], sources=sources))
            await until_heard(admitted, port, "one")
            await until_heard(denied, port, "")
            before = one.connections
            assert await heard(denied, port, says=b"let me in") == ""
            assert one.connections == before


async def test_a_member_hears_of_the_original_source(network, plane, port):
    network.route()
    async with Backend("one", speaks_first=False, sock=network.member.listening("10.77.3.2")) as one:
        await put(plane, traffic([(VIP, port)], [member_of(one)], proxy_protocol=1))
        for client, source in ((network.one, "10.77.1.2"), (network.two, "10.77.2.2")):
            said = f"PROXY TCP4 {source} {VIP} "

            async def is_told(client=client, said=said):
                return (await heard(client, port, says=b"hello") or "").startswith(said)

            await eventually(is_told)
