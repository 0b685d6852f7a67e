"""Every process is killed in turn under traffic: what is established goes on, and what is new is served."""

import asyncio
import itertools
import logging
import time

import httpx
import psutil
import pytest

from tests.dataplane.backends import Backend, greeting
from tests.e2e.waiting import eventually

_log = logging.getLogger(__name__)

ROLES = ("xds", "reconciler", "api", "postgres", "envoy")
WEB = "/api/v1/namespaces/default/services/lasting"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


class Talk:
    """An established connection, on which something is said again and again."""

    def __init__(self, address):
        self._address = address
        self._writer = None

    def close(self):
        if self._writer is not None:
            self._writer.close()

    async def open(self):
        self.close()
        self._reader, self._writer = await asyncio.open_connection(self._address, 80)
        assert await self._reader.readline() == b"one\n"

    async def goes_on(self):
        try:
            self._writer.write(b"there?\n")
            return await asyncio.wait_for(self._reader.readline(), 20) == b"there?\n"
        except OSError:
            return False


async def prepared(api, port):
    spec = {"type": "LoadBalancer", "ports": [{"port": 80, "targetPort": port}]}
    made = await api.post(WEB.removesuffix("/lasting"), json={"metadata": {"name": "lasting"}, "spec": spec})
    assert made.status_code == 201, made.text
    document = {
        "metadata": {"name": "lasting", "labels": {"kubernetes.io/service-name": "lasting"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"]}],
        "ports": [{"name": "", "port": port}],
    }
    assert (await api.post(SLICES, json=document)).status_code == 201
    return made.json()["status"]["loadBalancer"]["ingress"][0]["ip"]


async def kill_in_turn(serving, rounds):
    async with httpx.AsyncClient(base_url=serving.url, timeout=60) as api, Backend("one") as one:
        address = await prepared(api, one.port)

        async def is_served():
            return await greeting(address, 80) == "one"

        await eventually(is_served, timeout=60)
        talk = Talk(address)
        await talk.open()
        for role in itertools.islice(itertools.cycle(ROLES), rounds):
            victim = serving.child(role)
            victim.kill()
            began = time.monotonic()
            if role == "envoy":
                # Only its own death ends connections.
                await eventually(is_served, timeout=60)
                await talk.open()
            else:
                assert await is_served(), f"{role} was killed, and a new connection was not served"
                assert await talk.goes_on(), f"{role} was killed, and an established connection ended"
            _log.info("%s was killed: traffic as before after %.2f s", role, time.monotonic() - began)

            async def is_back(role=role, before=victim):
                found = serving.child(role)
                return found is not None and found.pid != before.pid and found.status() != psutil.STATUS_ZOMBIE

            await eventually(is_back, timeout=60)

            async def has_kept_its_address():
                try:
                    found = await api.get(WEB)
                except httpx.TransportError:
                    return False
                return found.is_success and found.json()["status"]["loadBalancer"]["ingress"][0]["ip"] == address

            await eventually(has_kept_its_address, timeout=60)
        await converges(api, one.port)
        assert await talk.goes_on()
        talk.close()
        assert (await api.delete(WEB)).is_success


async def converges(api, port):
    """What is made after all that is served as well."""
    document = {
        "metadata": {"name": "after", "labels": {"kubernetes.io/service-name": "after"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"]}],
        "ports": [{"name": "", "port": port}],
    }
    collection = WEB.removesuffix("/lasting")
    spec = {"type": "LoadBalancer", "ports": [{"port": 80}]}

    async def is_made():
        return (await api.post(collection, json={"metadata": {"name": "after"}, "spec": spec})).status_code in (
            201,
            409,
        )

    await eventually(is_made, timeout=60)
    assert (await api.post(SLICES, json=document)).status_code == 201

    async def is_served():
        found = (await api.get(f"{collection}/after")).json()
        ingress = found["status"]["loadBalancer"].get("ingress")
        return bool(ingress) and await greeting(ingress[0]["ip"], 80) == "one"

    await eventually(is_served, timeout=60)
    assert (await api.delete(f"{collection}/after")).is_success


@pytest.mark.soak
async def test_each_process_is_killed_again_and_again(serving):
    await kill_in_turn(serving, 100)
