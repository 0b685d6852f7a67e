"""The Service of the API itself: its endpoints are the API processes that are alive."""

import asyncio
import ipaddress
from contextlib import asynccontextmanager
from functools import partial

import pytest

from app.controllers.api_endpoints import ApiEndpoints
from app.controllers.backend_index import BackendIndex
from app.domain.declarations.endpoint_slice import ENDPOINT_SLICE
from app.domain.declarations.endpoints import ENDPOINTS
from app.domain.declarations.service import SERVICE
from app.domain.declarations.service_cidr import SERVICE_CIDR
from app.domain.wanted.api_endpoints import address_of, lease_name
from app.startup.bootstrap import InitialObjects
from app.startup.presence import Presence, advertised_address
from app.store.leases import Leases
from tests.e2e.waiting import eventually

RANGE = "10.96.0.0/16"


@pytest.fixture
def leases(world):
    return Leases(world.parts.database)


@pytest.fixture
async def pointing(world, leases):
    parts = world.parts
    async with world.reconciling(
        ApiEndpoints(parts.writer, parts.mirror, BackendIndex(parts.mirror), leases, parts.cluster)
    ):
        yield world


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(ApiEndpoints, "resync", 0.05)


async def shown(world, *addresses):
    """Wait until the slices and the Endpoints object both show exactly these addresses."""

    async def is_so():
        found = [await world.get(ENDPOINT_SLICE, name) for name in await world.names(ENDPOINT_SLICE)]
        sliced = {
            (address, slice_.ports[0].port)
            for slice_ in found
            if slice_ is not None
            for endpoint in slice_.endpoints or []
            for address in endpoint.addresses
        }
        endpoints = await world.get(ENDPOINTS, "kubernetes")
        subsets = endpoints.subsets if endpoints else []
        listed = {(each.ip, subset.ports[0].port) for subset in subsets for each in subset.addresses}
        return sliced == listed == set(addresses)

    await eventually(is_so)


async def hold(leases, address, port, ttl=60.0, process="p"):
    holder = f"{process}-{address}"
    return holder, await leases.acquire(lease_name((address, port), holder), holder, ttl)


async def test_processes_come_and_go(pointing, leases):
    await hold(leases, "192.0.2.1", 6443)
    await hold(leases, "192.0.2.1", 6443, process="second")
    holder, second = await hold(leases, "192.0.2.2", 6443)
    await shown(pointing, ("192.0.2.1", 6443), ("192.0.2.2", 6443))
    assert await pointing.names(ENDPOINT_SLICE) == {"kubernetes"}
    made = await pointing.get(ENDPOINT_SLICE, "kubernetes")
    assert made.metadata.labels == {"kubernetes.io/service-name": "kubernetes"}
    assert (made.ports[0].name, made.endpoints[0].conditions.ready) == ("https", True)
    endpoints = await pointing.get(ENDPOINTS, "kubernetes")
    assert endpoints.metadata.labels == {"endpointslice.kubernetes.io/skip-mirror": "true"}
    await leases.release(second, holder)
    await shown(pointing, ("192.0.2.1", 6443))


async def test_one_that_was_killed_leaves_when_its_lease_ends(pointing, leases):
    await hold(leases, "192.0.2.1", 6443)
    await hold(leases, "192.0.2.2", 6443, ttl=0.5)
    await shown(pointing, ("192.0.2.1", 6443), ("192.0.2.2", 6443))
    await shown(pointing, ("192.0.2.1", 6443))


async def test_the_last_ones_stay_when_nobody_is_there(pointing, leases):
    holder, guard = await hold(leases, "192.0.2.1", 6443)
    await shown(pointing, ("192.0.2.1", 6443))
    await leases.release(guard, holder)
    await pointing.delete(ENDPOINT_SLICE, "kubernetes")
    await hold(leases, "192.0.2.2", 6443)
    await shown(pointing, ("192.0.2.2", 6443))


async def test_each_family_and_port_has_its_slice(pointing, leases):
    await hold(leases, "192.0.2.1", 6443)
    await hold(leases, "2001:db8::1", 6443)
    holder, guard = await hold(leases, "192.0.2.1", 8443)
    await shown(pointing, ("192.0.2.1", 6443), ("2001:db8::1", 6443), ("192.0.2.1", 8443))
    assert await pointing.names(ENDPOINT_SLICE) == {"kubernetes", "kubernetes-8443", "kubernetes-ipv6"}
    await leases.release(guard, holder)
    await shown(pointing, ("192.0.2.1", 6443), ("2001:db8::1", 6443))
    assert await pointing.names(ENDPOINT_SLICE) == {"kubernetes", "kubernetes-ipv6"}


async def test_what_was_written_over_is_made_up_for(pointing, leases):
    await hold(leases, "192.0.2.1", 6443)
    await shown(pointing, ("192.0.2.1", 6443))
    await pointing.change(ENDPOINT_SLICE, "kubernetes", lambda obj: setattr(obj, "endpoints", []))
    await pointing.delete(ENDPOINTS, "kubernetes")
    await shown(pointing, ("192.0.2.1", 6443))


async def test_what_is_none_of_ours_is_left_alone(pointing, leases):
    by_hand = {
        "metadata": {"name": "mine", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["192.0.2.9"]}],
        "ports": [{"name": "https", "port": 9443, "protocol": "TCP"}],
    }
    await pointing.create(ENDPOINT_SLICE, by_hand)
    await hold(leases, "192.0.2.1", 6443)

    async def is_there():
        return await pointing.get(ENDPOINT_SLICE, "kubernetes")

    await eventually(is_there)
    assert await pointing.get(ENDPOINT_SLICE, "mine")


@asynccontextmanager
async def present(world, leases):
    stopping = asyncio.Event()
    ensure = partial(InitialObjects([RANGE], 6443).ensure, world.registry)
    presence = Presence(leases, lease_name(("192.0.2.7", 6443), "me"), "me", ensure)
    running = asyncio.create_task(presence.run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await running


async def test_a_process_is_there_from_its_start_to_its_end(pointing, leases):
    await hold(leases, "192.0.2.1", 6443)
    async with present(pointing, leases):
        await shown(pointing, ("192.0.2.1", 6443), ("192.0.2.7", 6443))
        await pointing.becomes(SERVICE, "kubernetes", lambda obj: obj.spec.cluster_ip == "10.96.0.1")
    await shown(pointing, ("192.0.2.1", 6443))


async def test_a_process_makes_up_for_what_is_missing(world, leases, monkeypatch):
    monkeypatch.setattr("app.startup.presence.RENEWAL_SECONDS", 0.05)
    async with present(world, leases):
        await world.becomes(SERVICE, "kubernetes", lambda _: True)
        await world.delete(SERVICE, "kubernetes")
        await world.becomes(SERVICE, "kubernetes", lambda _: True)
        # Its lease may be swept away while it is paused.
        await world.parts.database.fetch("DELETE FROM leases")

        async def is_there():
            return await leases.live("api/")

        await eventually(is_there)


async def test_the_address_may_be_somebody_elses(world):
    holder = {"metadata": {"name": "first"}, "spec": {"clusterIP": "10.96.0.1", "ports": [{"port": 80}]}}
    await world.create(SERVICE, holder)
    surroundings = InitialObjects([RANGE], 6443)
    await surroundings.ensure(world.registry)
    await surroundings.adapt(world.registry)
    assert await world.get(SERVICE, "kubernetes") is None
    assert await world.get(SERVICE_CIDR, "kubernetes")
    await world.delete(SERVICE, "first")
    await surroundings.ensure(world.registry)
    assert (await world.get(SERVICE, "kubernetes")).spec.cluster_ip == "10.96.0.1"


@pytest.mark.parametrize("address", [("192.0.2.1", 6443), ("2001:db8::1", 443)])
def test_the_name_of_a_lease_tells_the_place(address):
    assert address_of(lease_name(address, "host/17/abc")) == address


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", "127.0.0.1"), ("192.0.2.5", "192.0.2.5"), ("2001:DB8::5", "2001:db8::5")]
)
def test_others_reach_what_listens_on_one_address(host, expected):
    assert advertised_address(host) == expected


@pytest.mark.parametrize(("host", "version"), [("0.0.0.0", 4), ("::", 6)])  # noqa: S104 - nothing is bound
def test_of_all_addresses_one_is_told(host, version):
    address = ipaddress.ip_address(advertised_address(host))
    assert address.version == version
    assert not address.is_unspecified
