"""What is particular about HAProxy: reloads, its file, and what it does not do."""

import asyncio
import signal
import socket

import pytest

from app.domain.wanted.traffic import Member, Traffic
from app.providers.lb.haproxy import HAProxy
from app.providers.lb.pushes import FakeLoadBalancer, LoadBalancerError
from tests.dataplane.backends import Backend, greeting
from tests.dataplane.envoys import OWNER, QUICK_PROBE, traffic, until_greeted
from tests.dataplane.haproxies import HAProxyProcess

VIP = "127.21.0.1"


@pytest.fixture
async def haproxy(directory):
    async with HAProxyProcess(directory) as process:
        yield process


async def test_members_change_without_a_reload(haproxy, port):
    async with Backend("one") as one, Backend("two") as two:
        await haproxy.put(traffic([(VIP, port)], [one], probing=QUICK_PROBE))
        assert await greeting(VIP, port) == "one"
        before = await haproxy.reloads()
        await haproxy.put(traffic([(VIP, port)], [two], probing=QUICK_PROBE))
        await until_greeted(VIP, port, "two")
        await haproxy.put(traffic([(VIP, port)], [one, two], probing=QUICK_PROBE))
        await until_greeted(VIP, port, "one")
        await haproxy.put(traffic([(VIP, port)], [], probing=QUICK_PROBE))
        await until_greeted(VIP, port, "")
        assert await haproxy.reloads() == before


async def test_an_established_connection_outlives_a_reload(haproxy, port):
    async with Backend("one") as one:
        await haproxy.put(traffic([(VIP, port)], [one]))
        reader, writer = await asyncio.open_connection(VIP, port)
        assert await reader.readline() == b"one\n"
        await haproxy.put(traffic([(VIP, port + 1_000)], [one], name="shop/other/TCP/80"), ("shop", "other"))
        await until_greeted(VIP, port + 1_000, "one")
        writer.write(b"still there\n")
        assert await reader.readline() == b"still there\n"
        writer.close()


async def test_a_start_finds_what_was_there(haproxy, port):
    async with Backend("one") as one, Backend("two") as two:
        await haproxy.put(traffic([(VIP, port)], [one]))
        await haproxy.put(traffic([(VIP, port)], [two]))
        haproxy.stop()
        await haproxy.start()
        await until_greeted(VIP, port, "two")


async def test_another_owner_of_the_lease_reloads_nothing(haproxy, port):
    async with Backend("one") as one:
        await haproxy.put(traffic([(VIP, port)], [one]))
        before = await haproxy.reloads()
        other = HAProxy(haproxy.directory)
        assert await other.push(haproxy.wanted) == {}
        assert await haproxy.reloads() == before
        assert (await other.version()).startswith("haproxy 2.")


async def test_a_port_that_is_taken_harms_no_other_service(haproxy, port):
    async with Backend("one") as one:
        with socket.create_server((VIP, port)):
            unserved = await haproxy.put(traffic([(VIP, port)], [one]))
            assert "cannot bind" in unserved[OWNER]
            good = ("shop", "good")
            unserved = await haproxy.put(traffic([(VIP, port + 1_000)], [one], name="shop/good/TCP/80"), good)
            assert set(unserved) == {OWNER}
            assert await greeting(VIP, port + 1_000) == "one"
        assert await haproxy.driver.push(haproxy.wanted) == {}
        await until_greeted(VIP, port, "one")


async def test_udp_is_said(haproxy, port):
    unserved = await haproxy.put(traffic([(VIP, port)], [], name="shop/dns/UDP/53", protocol="UDP"))
    assert unserved == {OWNER: "HAProxy takes no UDP"}


async def test_what_goes_is_let_go(haproxy, port):
    async with Backend("one") as one:
        await haproxy.put(traffic([(VIP, port)], [one]))
        await haproxy.put(Traffic())
        await until_greeted(VIP, port, None)


async def test_one_that_does_not_run_is_said_with_what_starts_it(directory):
    with pytest.raises(LoadBalancerError, match="haproxy -W -S") as failed:
        await HAProxy(directory).push({})
    assert failed.value.reason == "NotRunning"


async def test_a_stuck_one_is_said_and_heals(haproxy, port):
    async with Backend("one") as one:
        await haproxy.put(traffic([(VIP, port)], [one]))
        haproxy.process.send_signal(signal.SIGSTOP)
        changed = traffic([(VIP, port + 1_000)], [one])
        with pytest.raises(LoadBalancerError):
            await HAProxy(haproxy.directory).push({OWNER: changed})
        haproxy.process.send_signal(signal.SIGCONT)
        await haproxy.put(changed)
        await until_greeted(VIP, port + 1_000, "one")


async def test_a_path_cannot_break_out_of_its_line(haproxy, port):
    async with Backend("one") as one:
        probing = QUICK_PROBE.__class__("Http", "/a b\"c'd#e$f\\g", 1, 2)
        member = Member("127.0.0.1", one.port, one.port)
        assert await haproxy.put(traffic([(VIP, port)], [member], probing=probing)) == {}


async def test_the_fake_keeps_what_it_was_told():
    fake = FakeLoadBalancer()
    fake.refused = {OWNER: "no"}
    assert await fake.push({OWNER: Traffic()}) == {OWNER: "no"}
    assert fake.wanted == {OWNER: Traffic()}
    fake.failure = LoadBalancerError("NotRunning", "gone")
    with pytest.raises(LoadBalancerError):
        await fake.push({})
    assert await fake.version() == "fake"
