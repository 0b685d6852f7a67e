"""Traffic through the product's own data plane, from the API to the byte."""

import asyncio
import contextlib

import httpx
import pytest

from tests.dataplane.backends import Backend, UdpBackend, datagram, greeting
from tests.e2e.waiting import eventually

MERGE = {"content-type": "application/merge-patch+json"}
PREFIX = "service.beta.kubernetes.io/"
INTERNAL = PREFIX + "azure-load-balancer-internal"


@pytest.fixture
async def api(serving):
    async with httpx.AsyncClient(base_url=serving.url, timeout=30) as client:
        yield client


class Shop:
    """Services without a selector, whose members a test writes itself."""

    def __init__(self, api, namespace):
        self.api = api
        self.services = f"/api/v1/namespaces/{namespace}/services"
        self._slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"

    async def service(self, name, *, annotations=None, ports=({"port": 80},), **spec):
        document = {
            "metadata": {"name": name, "annotations": annotations},
            "spec": {"type": "LoadBalancer", "ports": list(ports), **spec},
        }
        return _checked(await self.api.post(self.services, json=document))

    async def members(self, name, addresses, port, protocol="TCP", **conditions):
        """Give the Service these members instead of those it has."""
        document = {
            "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [each], "conditions": conditions} for each in addresses],
            "ports": [{"name": "", "port": port, "protocol": protocol}],
        }
        reply = await self.api.put(f"{self._slices}/{name}", json=document)
        if reply.status_code == 404:
            reply = await self.api.post(self._slices, json=document)
        return _checked(reply)

    async def patch(self, name, document):
        return _checked(await self.api.patch(f"{self.services}/{name}", json=document, headers=MERGE))

    async def address(self, name):
        found = _checked(await self.api.get(f"{self.services}/{name}"))
        return found["status"]["loadBalancer"]["ingress"][0]["ip"]

    async def until_greeted(self, address, port, by):
        async def is_greeted():
            return await greeting(address, port) == by

        await eventually(is_greeted)


def _checked(reply):
    assert reply.is_success, reply.text
    return reply.json()


@pytest.fixture
async def shop(api, request):
    name = request.node.name.replace("_", "-")[-60:].strip("-")
    _checked(await api.post("/api/v1/namespaces", json={"metadata": {"name": name}}))
    return Shop(api, name)


@contextlib.asynccontextmanager
async def heard_by_clients(address):
    """Clients that connect again and again; gives what they hear."""
    heard, going = [], True

    async def client():
        while going:
            heard.append(await greeting(address, 80))

    clients = [asyncio.create_task(client()) for _ in range(4)]
    try:
        yield heard
    finally:
        going = False
        await asyncio.gather(*clients)


async def going_on(heard):
    """Wait until many more connections were made."""
    seen = len(heard)

    async def has_gone_on():
        return len(heard) > seen + 50

    await eventually(has_gone_on, timeout=60)


async def is_left_alone(member, heard):
    """Wait until many connections were made of which none was to a member."""

    async def was_left_alone():
        before = member.connections
        await going_on(heard)
        return member.connections == before

    await eventually(was_left_alone, timeout=60)


async def test_all_members_are_replaced_at_once_under_traffic(shop):
    async with contextlib.AsyncExitStack() as stack:
        old = await stack.enter_async_context(Backend("old", host="127.1.0.1"))
        more = [await stack.enter_async_context(Backend("old", f"127.1.0.{n}", old.port)) for n in (2, 3)]
        new = [await stack.enter_async_context(Backend("new", f"127.1.0.{n}", old.port)) for n in (4, 5, 6)]
        await shop.service("web")
        await shop.members("web", [each.host for each in (old, *more)], old.port)
        address = await shop.address("web")
        await shop.until_greeted(address, 80, "old")
        async with heard_by_clients(address) as heard:
            await shop.members("web", [each.host for each in new], old.port)
            await shop.until_greeted(address, 80, "new")
            for each in (old, *more):
                await each.stop()
            await going_on(heard)
        assert set(heard) == {"old", "new"}


async def test_no_connection_fails_while_members_are_replaced_one_by_one(shop):
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(Backend("0", host="127.1.0.10"))
        members = [
            first,
            *[await stack.enter_async_context(Backend(f"{n}", f"127.1.0.1{n}", first.port)) for n in range(1, 6)],
        ]
        await shop.service("web")
        await shop.members("web", [each.host for each in members[:3]], first.port)
        address = await shop.address("web")
        for each in members[:3]:
            await shop.until_greeted(address, 80, each.name)
        async with heard_by_clients(address) as heard:
            for number, old in enumerate(members[:3]):
                left = [each.host for each in members[number + 1 : number + 4]]
                await shop.members("web", [old.host, *left], first.port)
                await shop.until_greeted(address, 80, members[number + 3].name)
                # It still answers those who come, until nobody is sent to it.
                await shop.members("web", left, first.port)
                await is_left_alone(old, heard)
                await old.stop()
        assert set(heard) == {each.name for each in members}


async def test_members_that_terminate_serve_until_others_do(shop):
    async with Backend("old", host="127.1.0.1") as old, Backend("new", "127.1.0.2", old.port):
        await shop.service("web")
        await shop.members("web", ["127.1.0.1"], old.port, ready=False, serving=True, terminating=True)
        address = await shop.address("web")
        await shop.until_greeted(address, 80, "old")
        await shop.members("web", ["127.1.0.2"], old.port)
        await shop.until_greeted(address, 80, "new")


async def test_two_services_share_an_address(shop):
    async with Backend("one") as one, UdpBackend("two") as two:
        await shop.service("first")
        address = await shop.address("first")
        ipv4 = {PREFIX + "azure-load-balancer-ipv4": address}
        await shop.service("second", annotations=ipv4, ports=[{"port": 80, "protocol": "UDP"}])
        await shop.members("first", ["127.0.0.1"], one.port)
        await shop.members("second", ["127.0.0.1"], two.port, protocol="UDP")
        assert await shop.address("second") == address
        await shop.until_greeted(address, 80, "one")

        async def is_answered():
            return await datagram(address, 80) == "two ping"

        await eventually(is_answered)


async def test_internal_to_external_and_back_under_traffic(shop):
    async with Backend("one") as one:
        await shop.service("web", annotations={INTERNAL: "true"})
        await shop.members("web", ["127.0.0.1"], one.port)
        was = await shop.address("web")
        await shop.until_greeted(was, 80, "one")
        reader, writer = await asyncio.open_connection(was, 80)
        assert await reader.readline() == b"one\n"
        for internal in (None, "true"):
            await shop.patch("web", {"metadata": {"annotations": {INTERNAL: internal}}})

            async def is_elsewhere(before=was):
                return await shop.address("web") != before

            await eventually(is_elsewhere)
            was = await shop.address("web")
            await shop.until_greeted(was, 80, "one")
        writer.write(b"still here\n")
        assert await reader.readline() == b"still here\n"
        writer.close()


async def test_only_admitted_clients_get_through(shop):
    async with Backend("one") as one:
        await shop.service(
            "web",
            annotations={PREFIX + "azure-deny-all-except-load-balancer-source-ranges": "true"},
            loadBalancerSourceRanges=["127.0.9.0/24"],
        )
        await shop.members("web", ["127.0.0.1"], one.port)
        address = await shop.address("web")

        async def is_admitted():
            return await greeting(address, 80, "127.0.9.7") == "one"

        await eventually(is_admitted)
        before = one.connections
        assert await greeting(address, 80, "127.0.8.7") == ""
        assert one.connections == before
        await shop.patch("web", {"spec": {"loadBalancerSourceRanges": ["127.0.8.0/24"]}})

        async def is_the_other():
            return await greeting(address, 80, "127.0.8.7") == "one" and await greeting(address, 80, "127.0.9.7") == ""

        await eventually(is_the_other)


async def test_local_is_told_at_the_health_check_node_port(shop, api):
    async with Backend("one") as one:
        made = await shop.service("web", externalTrafficPolicy="Local")
        health = f"http://127.0.0.1:{made['spec']['healthCheckNodePort']}/healthz"

        async def status():
            try:
                return (await api.get(health)).status_code
            except httpx.TransportError:
                return None

        async def is_empty():
            return await status() == 503

        async def has_members():
            return await status() == 200

        await eventually(is_empty)
        await shop.members("web", ["127.0.0.1"], one.port)
        await eventually(has_members)
        await shop.until_greeted(await shop.address("web"), 80, "one")


async def test_what_goes_takes_its_address_along(shop, api):
    async with Backend("one") as one:
        await shop.service("web")
        await shop.members("web", ["127.0.0.1"], one.port)
        address = await shop.address("web")
        await shop.until_greeted(address, 80, "one")
        _checked(await api.delete(f"{shop.services}/web"))
        await shop.until_greeted(address, 80, None)
