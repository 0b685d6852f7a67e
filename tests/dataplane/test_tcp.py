"""TCP: what a LoadBalancer promises, by traffic through a real Envoy and a real HAProxy."""

import asyncio
import contextlib

import pytest

from app.domain.wanted.traffic import HealthListener, Member, Probing, Traffic
from tests.dataplane.backends import Backend, greeting
from tests.dataplane.envoys import QUICK_PROBE, traffic, until_greeted
from tests.e2e.waiting import eventually

VIP, OTHER_VIP = "127.20.0.1", "127.20.0.2"


async def test_several_frontends_lead_to_one_member(balancer, port):
    async with Backend("one") as one:
        await balancer.put(traffic([(VIP, port), (OTHER_VIP, port)], [one], probing=QUICK_PROBE))
        assert [await greeting(each, port) for each in (VIP, OTHER_VIP)] == ["one", "one"]


async def test_connections_are_divided_among_members(balancer, port):
    async with Backend("one") as one, Backend("two") as two:
        await balancer.put(traffic([(VIP, port)], [one, two], probing=QUICK_PROBE))
        assert {await greeting(VIP, port) for _ in range(20)} == {"one", "two"}


async def test_an_ipv6_frontend(balancer, port):
    async with Backend("six", host="::1") as six:
        await balancer.put(traffic([("::1", port)], [Member("::1", six.port, six.port)], probing=QUICK_PROBE))
        assert await greeting("::1", port) == "six"


async def test_a_client_stays_with_its_member(balancer, port):
    async with contextlib.AsyncExitStack() as stack:
        members = [await stack.enter_async_context(Backend(str(number))) for number in range(5)]
        await balancer.put(traffic([(VIP, port)], members, affinity=True))
        by_source = {}
        for last in range(1, 9):
            source = f"127.0.9.{last}"
            found = {await greeting(VIP, port, source) for _ in range(6)}
            assert len(found) == 1
            by_source[source] = found.pop()
        assert len(set(by_source.values())) > 1


async def test_denied_sources_reach_no_member(balancer, port):
    async with Backend("secret") as secret:
        await balancer.put(traffic([(VIP, port)], [secret], sources=["127.0.9.0/24"]))
        assert await greeting(VIP, port, "127.0.9.7") == "secret"
        before = secret.connections
        assert await greeting(VIP, port, "127.0.8.7") in ("", None)
        assert secret.connections == before


async def test_what_a_denied_client_sends_first_reaches_no_member(balancer, port):
    async with Backend("quiet", speaks_first=False) as quiet:
        await balancer.put(traffic([(VIP, port)], [quiet], sources=["127.0.9.0/24"]))
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(VIP, port, local_addr=("127.0.8.7", 0))
            writer.write(b"let me in")
            await writer.drain()
            assert await reader.read() == b""
            writer.close()
        assert (quiet.connections, quiet.received) == (0, [])


async def test_nobody_is_admitted_where_there_are_no_sources(balancer, port):
    async with Backend("secret") as secret:
        await balancer.put(traffic([(VIP, port)], [secret], sources=[]))
        assert await greeting(VIP, port) is None


async def test_a_dead_member_leaves_and_comes_back(balancer, port):
    async with Backend("one") as one, Backend("two") as two:
        await balancer.put(traffic([(VIP, port)], [one, two], probing=QUICK_PROBE))
        await two.stop()

        async def only_one():
            return {await greeting(VIP, port) for _ in range(8)} == {"one"}

        await eventually(only_one)
        async with Backend("two", port=two.port):
            await until_greeted(VIP, port, "two")


async def test_members_known_to_be_dead_get_nothing_while_one_lives(balancer, port):
    async with contextlib.AsyncExitStack() as stack:
        dead = [Member("127.0.0.1", number, number) for number in range(1, 10)]
        alive = await stack.enter_async_context(Backend("alive"))
        await balancer.put(traffic([(VIP, port)], [*dead, alive], probing=QUICK_PROBE))

        async def only_the_living():
            return {await greeting(VIP, port) for _ in range(30)} == {"alive"}

        await eventually(only_the_living)


async def test_members_that_terminate_get_traffic_only_when_no_other_can(balancer, port):
    async with contextlib.AsyncExitStack() as stack:
        old = [await stack.enter_async_context(Backend("old")) for _ in range(9)]
        new = await stack.enter_async_context(Backend("new"))
        fallback = [Member("127.0.0.1", each.port, each.port, fallback=True) for each in old]
        await balancer.put(traffic([(VIP, port)], fallback, probing=QUICK_PROBE))
        assert await greeting(VIP, port) == "old"
        await balancer.put(traffic([(VIP, port)], [*fallback, new], probing=QUICK_PROBE))
        await until_greeted(VIP, port, "new")
        assert {await greeting(VIP, port) for _ in range(30)} == {"new"}


@pytest.mark.parametrize("protocol", ["Http", "Tcp"])
async def test_a_probe_of_an_idle_service_notices_a_dead_member(plane, port, protocol):
    control, envoy = plane
    async with Backend("one", speaks_first=False) as one:
        await control.put(traffic([(VIP, port)], [one], probing=Probing(protocol, "/", 1, 2)))
        await one.stop()

        async def is_known():
            hosts = (await envoy.clusters())["shop/web/TCP/80"].values()
            return [host.get("failed_active_health_check") for host in hosts] == [True]

        await eventually(is_known)


async def test_http_probes_ask_for_their_path_at_their_port(balancer, port):
    asked = []

    async def healthz(reader, writer):
        asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0])
        status = b"200 OK" if asked[-1].startswith(b"GET /well ") else b"500 No"
        writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(healthz, "127.0.0.1", 0)
    probe_port = server.sockets[0].getsockname()[1]
    async with Backend("one") as one:
        member = Member("127.0.0.1", one.port, probe_port)
        await balancer.put(traffic([(VIP, port)], [member], probing=Probing("Http", "/well", 1, 1)))
        assert await greeting(VIP, port) == "one"
        await balancer.put(traffic([(VIP, port)], [member], probing=Probing("Http", "/ill", 1, 1)))
        await until_greeted(VIP, port, "")
    server.close()
    assert {line.split()[1] for line in asked} == {b"/well", b"/ill"}


async def test_an_idle_connection_ends(balancer, port):
    async with Backend("one") as one:
        await balancer.put(traffic([(VIP, port)], [one], idle_timeout=1))
        reader, writer = await asyncio.open_connection(VIP, port)
        assert await reader.readline() == b"one\n"
        assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize("version", [1, 2])
async def test_the_proxy_protocol_tells_members_their_client(balancer, port, version):
    async with Backend("one", speaks_first=False) as one:
        await balancer.put(traffic([(VIP, port)], [one], proxy_protocol=version, probing=QUICK_PROBE))
        reader, writer = await asyncio.open_connection(VIP, port, local_addr=("127.0.9.7", 0))
        writer.write(b"hello")
        received = await reader.readuntil(b"hello")
        writer.close()
    if version == 1:
        assert received.startswith(f"PROXY TCP4 127.0.9.7 {VIP} ".encode())
    else:
        assert received.startswith(b"\r\n\r\n\0\r\nQUIT\n")
        assert bytes([127, 0, 9, 7]) in received


async def test_a_node_tells_whether_it_has_members(balancer, port):

    async def healthz():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: n\r\nconnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer

    await balancer.put(Traffic(health_listeners=(HealthListener("127.0.0.1", port, 2),)))
    answer = await healthz()
    assert b"200 OK" in answer
    assert b'"localEndpoints":2' in answer.replace(b" ", b"")
    await balancer.put(Traffic(health_listeners=(HealthListener("127.0.0.1", port, 0),)))

    async def is_unavailable():
        return b"503" in (await healthz()).split(b"\r\n")[0]

    await eventually(is_unavailable)
