"""Events of both APIs in one store: told, counted, and gone after an hour."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from app.controllers.event_expiry import EventExpiry
from app.controllers.event_recorder import EventRecorder, Note
from app.domain.declarations.event import EVENT
from app.domain.declarations.events_event import EVENTS_EVENT
from app.domain.documents.objects import ObjectMeta
from app.domain.errors import Invalid
from app.domain.kinds.events_event import EventSeries
from app.domain.kinds.service import Service
from app.domain.timestamps import format_micro_time, format_time
from app.registry.options import ListOptions, WatchOptions
from app.registry.target import Target
from tests.e2e.waiting import eventually

REGARDING = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "n1"}


class Clock:
    """What the cluster takes for the present."""

    def __init__(self, cluster):
        self._cluster = cluster
        self.ahead = timedelta()

    def __call__(self):
        return msgspec.structs.replace(self._cluster(), now=format_time(datetime.now(UTC) + self.ahead))


@contextlib.asynccontextmanager
async def expiring(world, clock):
    async with world.reconciling(EventExpiry(world.parts.writer, world.parts.mirror, clock)):
        yield


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(EventExpiry, "resync", 0.05)


def moment(hours=0):
    return format_micro_time(datetime.now(UTC) + timedelta(hours=hours))


def newer(name, **fields):
    """As kube-proxy posts it."""
    return {
        "metadata": {"name": name},
        "eventTime": moment(),
        "reportingController": "kube-proxy",
        "reportingInstance": "kube-proxy-n1",
        "action": "StartKubeProxy",
        "reason": "Starting",
        "regarding": REGARDING,
        "type": "Normal",
        **fields,
    }


def older(name, **fields):
    return {
        "metadata": {"name": name},
        "involvedObject": {**REGARDING, "namespace": "default"},
        "reason": "Starting",
        "type": "Normal",
        "count": 1,
        "lastTimestamp": format_time(datetime.now(UTC)),
        **fields,
    }


async def listed(world, kind, selector=""):
    page = await world.registry.list(Target(kind, "default"), ListOptions(field_selector=selector))
    return [entry.name for entry in page.entries]


async def test_what_is_told_through_one_api_is_read_and_counted_through_the_other(world):
    await world.create(EVENTS_EVENT, newer("proxy", note="hello"))
    latest = (await world.create(EVENT, older("old"))).metadata.resource_version
    assert await listed(world, EVENT) == await listed(world, EVENTS_EVENT) == ["old", "proxy"]
    assert await listed(world, EVENT, "involvedObject.name=n1,reportingComponent=kube-proxy") == ["proxy"]
    assert await listed(world, EVENTS_EVENT, "regarding.name=n1,reportingController=kube-proxy") == ["proxy"]
    told = await world.get(EVENT, "proxy")
    assert (told.involved_object.name, told.message, told.reporting_component) == ("n1", "hello", "kube-proxy")

    watch = await world.registry.watch(Target(EVENT, "default"), WatchOptions(resource_version=latest))
    await world.change(EVENTS_EVENT, "proxy", count_up(2))
    (event,) = await watch.next(5)
    watch.close()
    assert event.type == "MODIFIED"
    assert (await world.get(EVENT, "proxy")).series.count == 2
    await world.change(EVENT, "old", lambda event: setattr(event, "count", 7))
    assert (await world.get(EVENTS_EVENT, "old")).deprecated_count == 7
    with pytest.raises(Invalid, match="message"):
        await world.change(EVENTS_EVENT, "proxy", lambda event: setattr(event, "note", "other"))
    await world.delete(EVENTS_EVENT, "proxy")
    assert await world.get(EVENT, "proxy") is None


async def test_a_controller_counts_what_it_tells_again(world):
    about = Service(api_version="v1", kind="Service", metadata=ObjectMeta(name="web", namespace="default", uid="u"))
    recorder = EventRecorder(world.parts.writer, world.parts.mirror, world.parts.cluster)
    for _ in range(3):
        await world.parts.mirror.fresh()
        await recorder.record([Note(about, "Warning", "PoolExhausted", "no address")])
    await recorder.record([Note(about, "Warning", "PoolExhausted", "no port")])
    found = [await world.get(EVENTS_EVENT, name) for name in await listed(world, EVENTS_EVENT)]
    assert sorted((each.note, each.deprecated_count) for each in found) == [("no address", 3), ("no port", 1)]
    assert {each.regarding.name for each in found} == {"web"}


async def test_what_is_told_at_once_and_by_several_is_counted(world):
    """Nobody has seen yet what the others told."""
    about = Service(api_version="v1", kind="Service", metadata=ObjectMeta(name="web", namespace="default", uid="u"))
    note = Note(about, "Warning", "PoolExhausted", "no address")
    recorders = [EventRecorder(world.parts.writer, world.parts.mirror, world.parts.cluster) for _ in range(2)]
    await world.parts.mirror.fresh()
    for _ in range(3):
        await asyncio.gather(*(recorder.record([note, note]) for recorder in recorders))
    (name,) = await listed(world, EVENT)
    assert (await world.get(EVENT, name)).count == 12


async def test_events_go_an_hour_after_they_were_last_seen(world):
    clock = Clock(world.parts.cluster)
    await world.create(EVENT, older("told-late", lastTimestamp="2020-01-01T00:00:00Z"))
    await world.create(EVENTS_EVENT, newer("once"))
    await world.create(EVENTS_EVENT, newer("series", series={"count": 3, "lastObservedTime": moment(hours=1)}))
    await world.create(EVENT, older("soon", lastTimestamp=format_time(datetime.now(UTC) + timedelta(hours=2))))
    async with expiring(world, clock):
        await world.create(EVENT, older("meanwhile"))
        clock.ahead = timedelta(minutes=59)
        await world.parts.mirror.fresh()
        clock.ahead = timedelta(minutes=61)
        await left(world, "series", "soon")
        await world.change(EVENTS_EVENT, "series", count_up(4, hours=3))
        clock.ahead = timedelta(minutes=181)
        await left(world, "series")
        clock.ahead = timedelta(minutes=241)
        await left(world)


async def left(world, *names):
    async def is_so():
        return await listed(world, EVENT) == sorted(names)

    await eventually(is_so)


def count_up(count, hours=0):
    def change(event):
        event.series = EventSeries(count, moment(hours))

    return change
