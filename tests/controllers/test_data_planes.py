"""What becomes of a data plane whose Envoy or server is gone."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from app.controllers import data_planes
from app.controllers.data_planes import DataPlanes
from app.domain.declarations.data_plane import DATA_PLANE
from app.domain.wanted.traffic import PlaneProfile
from app.main.parts import now
from app.serving.xds.planes import Plane, Planes
from app.serving.xds.reports import Reports
from app.serving.xds.session import Session
from app.serving.xds.view import View
from tests.controllers.world import running


@pytest.fixture
async def world(database_url):
    async with running(database_url) as world:
        yield world


class Server:
    """What `fairlead xds` has of the Envoys that are connected to it, and its reports of them."""

    def __init__(self, world, name):
        self._mirror, self._planes = world.parts.mirror, Planes()
        self.offer = SimpleNamespace(problems={}, services=0)
        self._reports = Reports(world.registry, self._mirror, self._planes, lambda _: self.offer, name, now)

    async def connects(self, name="edge"):
        plane = Plane(name, PlaneProfile(), "envoy 1.40.0", Session(View()), now())
        self._planes.enter(plane)
        await self._report()
        return plane

    async def disconnects(self, plane):
        self._planes.leave(plane)
        await self._report()

    async def _report(self):
        # A process reports again and again; here once has to do.
        await self._mirror.fresh()
        await self._reports.report()


def watched(world):
    return world.reconciling(DataPlanes(world.parts.writer, world.parts.mirror, world.parts.cluster))


def connected(status, reason):
    return lambda plane: (
        [(each.status, each.reason) for each in plane.status.conditions if each.type == "Connected"]
        == [(status, reason)]
    )


async def test_an_envoy_that_disconnects_shows_on_its_data_plane(world):
    server = Server(world, "first")
    plane = await server.connects()
    await world.becomes(DATA_PLANE, "edge", connected("True", "Connected"), "")
    await server.disconnects(plane)
    await world.becomes(DATA_PLANE, "edge", connected("False", "Disconnected"), "")


async def test_an_envoy_that_goes_to_another_server_stays_connected(world):
    first, second = Server(world, "first"), Server(world, "second")
    plane = await first.connects()
    await second.connects()
    await world.becomes(DATA_PLANE, "edge", lambda plane: plane.status.server == "second", "")
    await first.disconnects(plane)
    assert connected("True", "Connected")(await world.get(DATA_PLANE, "edge", ""))


async def test_one_whose_server_reports_no_more_counts_as_disconnected(world, monkeypatch):
    monkeypatch.setattr(data_planes, "SILENT_SECONDS", 0.5)
    await Server(world, "killed").connects()
    async with watched(world):
        found = await world.becomes(DATA_PLANE, "edge", connected("False", "NotReported"), "")
    assert found.status.server == "killed"


async def test_one_that_nobody_misses_is_forgotten_and_not_one_that_is_connected(world, monkeypatch):
    monkeypatch.setattr(data_planes, "FORGOTTEN", timedelta())
    server = Server(world, "first")
    await server.disconnects(await server.connects("old"))
    await server.connects("new")
    async with watched(world):
        await world.gone(DATA_PLANE, "old", "")
        assert await world.names(DATA_PLANE) == {"new"}


async def test_what_it_does_not_serve_is_known_of_thousands(world):
    server = Server(world, "first")
    server.offer.problems = {("shop", f"web-{number:04}"): "no room" for number in range(1500)}
    await server.connects()
    found = await world.becomes(DATA_PLANE, "edge", lambda plane: plane.status.rejected_count == 1500, "")
    assert found.status.rejected[999].message == "no room"
    (edge,) = world.parts.cluster().data_planes
    assert edge.state(("shop", "web-1499"), 0)[0] == "Rejected"
