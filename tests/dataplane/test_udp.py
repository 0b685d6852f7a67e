"""UDP through a real Envoy."""

from app.domain.wanted.traffic import Member
from tests.dataplane.backends import UdpBackend, datagram
from tests.dataplane.envoys import traffic
from tests.e2e.waiting import eventually

VIP = "127.20.0.1"
NAME = "shop/dns/UDP/53"


def udp(listeners, members, **more):
    return traffic(listeners, members, name=NAME, protocol="UDP", **more)


async def test_a_member_answers(plane, port):
    control, _ = plane
    async with UdpBackend("one") as one:
        await control.put(udp([(VIP, port)], [one]))
        assert await datagram(VIP, port, wait=5) == "one ping"


async def test_each_client_has_a_session(plane, port):
    control, _ = plane
    async with UdpBackend("one") as one, UdpBackend("two") as two:
        await control.put(udp([(VIP, port)], [one, two]))
        answers = [await datagram(VIP, port, wait=5) for _ in range(20)]
        assert set(answers) == {"one ping", "two ping"}
        assert len({*one.clients, *two.clients}) == len(answers)


async def test_a_client_stays_with_its_member(plane, port):
    control, _ = plane
    async with UdpBackend("one") as one, UdpBackend("two") as two, UdpBackend("three") as three:
        await control.put(udp([(VIP, port)], [one, two, three], affinity=True))
        for last in range(1, 5):
            answers = {await datagram(VIP, port, source=f"127.0.9.{last}", wait=5) for _ in range(6)}
            assert len(answers) == 1


async def test_denied_sources_reach_no_member(plane, port):
    control, _ = plane
    async with UdpBackend("secret") as secret:
        await control.put(udp([(VIP, port)], [secret], sources=["127.0.9.0/24"]))
        assert await datagram(VIP, port, source="127.0.9.7", wait=5) == "secret ping"
        assert await datagram(VIP, port, source="127.0.8.7") is None
        assert len(secret.clients) == 1


async def test_a_port_has_tcp_and_udp(plane, port):
    control, _ = plane
    async with UdpBackend("one") as one:
        await control.put(udp([(VIP, port)], [one]))
        await control.put(traffic([(VIP, port)], []), owner=("shop", "other"))
        assert await datagram(VIP, port, wait=5) == "one ping"


async def test_a_member_that_goes_is_replaced(plane, port):
    control, _ = plane
    async with UdpBackend("one") as one, UdpBackend("two") as two:
        await control.put(udp([(VIP, port)], [one]))
        assert await datagram(VIP, port, wait=5) == "one ping"
        await control.put(udp([(VIP, port)], [Member("127.0.0.1", two.port, two.port)]))

        async def is_two():
            return await datagram(VIP, port) == "two ping"

        await eventually(is_two)
