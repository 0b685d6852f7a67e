"""The loop: who is told what and when, what fails shows, and nobody holds up anybody else."""

import asyncio
import contextlib
from dataclasses import dataclass

import pytest

from app.controllers.controller import Controller, Targets
from app.domain.declarations.event import EVENT
from app.domain.declarations.node import NODE
from app.domain.declarations.service import SERVICE
from app.domain.errors import Permanent, Requeue, ServiceUnavailable, Temporary
from app.reconciler import failures
from app.store.leases import Leases
from app.telemetry.metrics import FAILURES
from tests.e2e.waiting import eventually


@dataclass(frozen=True)
class Place:
    """A key that can be compared for equality only, and says nothing by itself."""

    namespace: str
    name: str


class Probe(Controller[Place]):
    """Works on Services, and remembers what it was asked to do.

    Attributes:
        answers: What `reconcile` answers for a Service, by name.
        open: While it is not set, `reconcile` does not come to its end.
    """

    name = "probe"
    resync = 3600.0

    def __init__(self, mirror, answers=None):
        self._mirror = mirror
        self.answers = answers or {}
        self.open = asyncio.Event()
        self.open.set()
        self.calls = []
        self.observed = []
        self.asked = []
        self.done = []

    async def learn(self):
        self.calls.append("learn")

    def observe(self, changes):
        self.observed += [each.entry.name for each in changes if each.entry.kind == SERVICE.key]

    async def take_over(self):
        self.calls.append("take over")

    async def let_go(self):
        self.calls.append("let go")

    def keys_of(self, changes):
        keys = [place(each.entry) for each in changes if each.entry.kind == SERVICE.key]
        self.asked += [key.name for key in keys]
        return keys

    def all_keys(self):
        return [place(entry) for entry in self._mirror.list(SERVICE.key, "default")]

    def object_of(self, key):
        return self._mirror.get(SERVICE.key, key.namespace, key.name)

    async def reconcile(self, keys, lease):
        assert lease
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.calls.append("cancelled")
            raise
        self.done += [key.name for key in keys]
        answers = {key: self.answers.get(key.name) for key in keys}
        for answer in answers.values():
            if isinstance(answer, ArithmeticError):
                raise answer
        return {key: answer for key, answer in answers.items() if answer is not None}


class Grouping(Probe):
    """The first time, a part of its work fails beside the others."""

    async def reconcile(self, keys, lease):
        if not self.done:
            self.done.append("a part")
            async with asyncio.TaskGroup() as group:
                group.create_task(self._fail())
        return await super().reconcile(keys, lease)

    async def _fail(self):
        raise ServiceUnavailable("away")


def place(entry):
    return Place(entry.namespace, entry.name)


class Machines(Targets):
    """A target for each Node."""

    kinds = (NODE.key,)

    def __init__(self, mirror):
        self._mirror = mirror
        self.controllers = {}
        self.former = {}

    def names(self):
        return [f"lb:{entry.name}" for entry in self._mirror.list(NODE.key, None)]

    def controller(self, target):
        if target in self.controllers:
            self.former[target] = self.controllers[target]
        made = self.controllers[target] = Probe(self._mirror)
        if target == "lb:slow":
            made.open.clear()
        return made


async def add(world, name):
    spec = {"clusterIP": "None", "ports": [{"port": 80}]}
    return await world.create(SERVICE, {"metadata": {"name": name}, "spec": spec})


async def until(condition):
    await eventually(lambda: asyncio.sleep(0, condition()))


@pytest.fixture
def probe(world):
    return Probe(world.parts.mirror)


async def lease(world, change):
    await world.parts.database.fetch(f"UPDATE leases SET {change} WHERE name = 'probe'")  # noqa: S608 - constants


async def steal_lease(world):
    in_an_hour = "clock_timestamp() + interval '1 hour'"
    await lease(world, f"holder = 'thief', epoch = epoch + 1, ttl = '1 hour', expires_at = {in_an_hour}")


async def test_changes_are_observed_in_every_process_and_keys_asked_for_in_the_owner(world, probe):
    standby = Probe(world.parts.mirror)
    async with contextlib.AsyncExitStack() as stack:
        async with world.reconciling(probe):
            await until(lambda: "take over" in probe.calls)
            await stack.enter_async_context(world.reconciling(standby))
            await until(lambda: standby.calls == ["learn"])
            await add(world, "one")
            await until(lambda: "one" in probe.done)
            assert standby.observed == ["one"]
            assert (standby.asked, standby.done) == ([], [])
        # What it is told while it stands by need not be learnt when it takes over.
        await until(lambda: "one" in standby.done)
        assert standby.calls == ["learn", "take over"]
        await add(world, "two")
        await until(lambda: "two" in standby.done)
    assert standby.asked == ["two"]
    assert (probe.observed, probe.asked) == (["one", "two"], ["one"])


async def test_who_loses_the_lease_is_stopped_and_lets_go(world, probe):
    async with world.reconciling(probe):
        await until(lambda: "take over" in probe.calls)
        probe.open.clear()
        await add(world, "one")
        await until(lambda: probe.asked == ["one"])
        await steal_lease(world)
        await until(lambda: "let go" in probe.calls)
        assert probe.calls == ["learn", "take over", "cancelled", "let go"]
        probe.open.set()
        await add(world, "two")
        await until(lambda: "two" in probe.observed)
        assert (probe.asked, probe.done) == (["one"], [])
        await lease(world, "expires_at = '-infinity'")
        await until(lambda: {"one", "two"} <= set(probe.done))
        assert probe.calls[4:] == ["take over"]
    assert probe.calls[4:] == ["take over", "let go"]


async def test_who_lost_the_lease_after_a_group_of_tasks_had_failed_takes_it_again(world):
    """Python before 3.13 leaves a task whose TaskGroup fails at its end with a cancellation that nobody asked for."""
    probe = Grouping(world.parts.mirror)
    async with world.reconciling(probe):
        await add(world, "one")
        await until(lambda: "one" in probe.done)
        await steal_lease(world)
        await until(lambda: "let go" in probe.calls)
        await lease(world, "expires_at = '-infinity'")
        await add(world, "two")
        await until(lambda: "two" in probe.done)


async def test_after_missed_changes_everything_is_learnt_anew(world, probe):
    async with world.reconciling(probe):
        await add(world, "one")
        await until(lambda: probe.done == ["one"])
        # Reported as the mirror does when the log no longer reaches back to what it has.
        world.parts.mirror._subscribers.tell_reloaded()
        await until(lambda: probe.done == ["one", "one"])
    assert probe.calls == ["learn", "take over", "learn", "take over", "let go"]


@pytest.mark.parametrize("step", ["learn", "take_over", "let_go"])
@pytest.mark.parametrize("error", [ArithmeticError("a defect"), ServiceUnavailable("away")])
async def test_a_step_that_fails_is_begun_anew_and_stops_nobody_else(world, probe, monkeypatch, step, error):
    fragile = Probe(world.parts.mirror)
    fragile.name = "fragile"
    original = getattr(fragile, step)
    failed = asyncio.Event()

    async def fail_once():
        monkeypatch.setattr(fragile, step, original)
        failed.set()
        raise error

    monkeypatch.setattr(fragile, step, fail_once)
    async with world.reconciling(fragile, probe):
        await add(world, "one")
        await until(lambda: "one" in probe.done)
        await until(lambda: "one" in fragile.done)
    assert failed.is_set()
    assert probe.calls == ["learn", "take over", "let go"]


async def test_a_slow_target_holds_up_no_other(world):
    machines = Machines(world.parts.mirror)
    await world.create(NODE, {"metadata": {"name": "slow"}})
    await world.create(NODE, {"metadata": {"name": "quick"}})
    async with world.reconciling(targets=[machines]):
        await until(lambda: len(machines.controllers) == 2)
        slow, quick = machines.controllers["lb:slow"], machines.controllers["lb:quick"]
        for name in ("one", "two", "three"):
            await add(world, name)
            await until(lambda name=name: name in quick.done)
        assert slow.done == []
        slow.open.set()
        await until(lambda: set(slow.done) == {"one", "two", "three"})


async def test_targets_come_and_go(world):
    machines = Machines(world.parts.mirror)
    leases = Leases(world.parts.database)
    async with world.reconciling(targets=[machines]):
        await add(world, "one")
        await world.create(NODE, {"metadata": {"name": "first"}})
        await until(lambda: "lb:first" in machines.controllers and machines.controllers["lb:first"].done == ["one"])
        assert await leases.live("lb:") == ["lb:first"]
        await world.delete(NODE, "first")
        await until(lambda: "let go" in machines.controllers["lb:first"].calls)
        await eventually(lambda: nobody_holds(leases))
        await world.create(NODE, {"metadata": {"name": "first"}})
        await until(lambda: "lb:first" in machines.former and machines.controllers["lb:first"].done == ["one"])
        await add(world, "two")
        await until(lambda: "two" in machines.controllers["lb:first"].done)
        assert "two" not in machines.former["lb:first"].observed


async def nobody_holds(leases):
    return await leases.live("lb:") == []


async def test_a_target_that_comes_back_waits_for_the_end_of_its_predecessor(world, monkeypatch):
    machines = Machines(world.parts.mirror)
    may_end = asyncio.Event()

    async def let_go(probe):
        await may_end.wait()
        probe.calls.append("let go")

    async with world.reconciling(targets=[machines]):
        await world.create(NODE, {"metadata": {"name": "first"}})
        await until(lambda: "lb:first" in machines.controllers)
        first = machines.controllers["lb:first"]
        await until(lambda: "take over" in first.calls)
        monkeypatch.setattr(Probe, "let_go", let_go)
        await world.delete(NODE, "first")
        await world.create(NODE, {"metadata": {"name": "first"}})
        await world.create(NODE, {"metadata": {"name": "second"}})
        await until(lambda: "lb:second" in machines.controllers)
        assert machines.controllers["lb:first"] is first
        may_end.set()
        await until(lambda: machines.controllers["lb:first"] is not first)
        assert "let go" in first.calls


async def events(world, name):
    found = [await world.get(EVENT, each) for each in await world.names(EVENT)]
    return sorted((e.type, e.reason, e.message, e.count) for e in found if e.involved_object.name == name)


def condition(service, type_="Pushed"):
    found = next((each for each in service.status.conditions or [] if each.type == type_), None)
    return None if found is None else (found.status, found.reason, found.message)


@pytest.fixture
def showing(probe):
    probe.condition = "Pushed"
    return probe


@pytest.mark.parametrize(
    ("failure", "reason", "message"),
    [
        (
            Permanent("PortRefused", "port 80 belongs to somebody else"),
            "PortRefused",
            "port 80 belongs to somebody else",
        ),
        (Temporary("the target does not answer"), "Retrying", "the target does not answer"),
        (
            ArithmeticError("a secret"),
            "Retrying",
            "an error in the controller probe (ArithmeticError); the log says more",
        ),
    ],
)
async def test_what_fails_shows_on_the_object_until_it_succeeds(world, showing, failure, reason, message):
    showing.answers["one"] = failure
    async with world.reconciling(showing):
        await add(world, "one")
        failed = await world.becomes(SERVICE, "one", lambda now: condition(now) is not None)
        assert condition(failed) == ("False", reason, message)
        assert await events(world, "one") == [("Warning", reason, message, 1)]
        del showing.answers["one"]
        await world.change(SERVICE, "one", lambda obj: setattr(obj.metadata, "labels", {"changed": "yes"}))
        healed = await world.becomes(SERVICE, "one", lambda now: condition(now)[0] == "True")
        assert condition(healed) == ("True", "Recovered", "the last attempt succeeded")
        recovered = ("Normal", "Recovered", "the last attempt succeeded", 1)
        await eventually(lambda: tells(world, [recovered, ("Warning", reason, message, 1)]))


async def tells(world, expected):
    return await events(world, "one") == expected


async def test_without_a_condition_of_its_own_a_failure_shows_as_an_event(world, probe):
    probe.answers["one"] = Permanent("Refused", "no")
    async with world.reconciling(probe):
        service = await add(world, "one")
        await eventually(lambda: tells(world, [("Warning", "Refused", "no", 1)]))
    assert (await world.get(SERVICE, "one")).metadata.resource_version == service.metadata.resource_version


async def test_a_requeue_and_a_normal_success_do_not_show(world, showing):
    failures = FAILURES.labels(showing.name)
    before = failures._value.get()
    showing.answers["one"] = Requeue("Stale when it was written", 0.01)
    async with world.reconciling(showing):
        created = await add(world, "one")
        await until(lambda: showing.done.count("one") >= 3)
        del showing.answers["one"]
        await add(world, "two")
        await until(lambda: "two" in showing.done)
    assert await world.names(EVENT) == set()
    assert (await world.get(SERVICE, "one")).metadata.resource_version == created.metadata.resource_version
    assert failures._value.get() == before


async def test_a_failure_that_stays_is_told_now_and_then_with_its_count(world, probe, monkeypatch):
    probe.answers["one"] = Temporary("the target does not answer", 0.01)
    async with world.reconciling(probe):
        await add(world, "one")
        await until(lambda: probe.done.count("one") >= 5)
        assert [each[3] for each in await events(world, "one")] == [1]
        monkeypatch.setattr(failures, "TELL_AGAIN_SECONDS", 0.0)

        async def counted():
            return next(each[3] for each in await events(world, "one")) >= 5

        await eventually(counted)


async def test_the_next_owner_puts_the_condition_of_its_predecessor_right(world, showing):
    showing.answers["one"] = Permanent("Refused", "no")
    async with world.reconciling(showing):
        await add(world, "one")
        await world.becomes(SERVICE, "one", lambda now: condition(now) is not None)
    heir = Probe(world.parts.mirror)
    heir.condition = "Pushed"
    async with world.reconciling(heir):
        await world.becomes(SERVICE, "one", lambda now: condition(now)[0] == "True")
    assert await events(world, "one") == [("Warning", "Refused", "no", 1)]


class Overtaken:
    """A writer that lets somebody else change the Service before it stores its first update."""

    def __init__(self, world):
        self._world = world
        self.happened = False

    async def write_all(self, writes):
        if not self.happened and any(write.action == "update" for write in writes):
            self.happened = True
            await self._world.change(SERVICE, "one", lambda obj: setattr(obj.metadata, "labels", {"changed": "yes"}))
        return await self._world.parts.writer.write_all(writes)


async def test_a_condition_is_written_although_somebody_else_was_faster(world, showing, monkeypatch):
    showing.answers["one"] = Permanent("Refused", "no")
    monkeypatch.setattr(showing, "keys_of", lambda changes: [place(each.entry) for each in changes if is_new(each)])
    writer = Overtaken(world)
    async with world.reconciling(showing, reporting=writer):
        await add(world, "one")
        await world.becomes(SERVICE, "one", lambda now: condition(now) == ("False", "Refused", "no"))
    assert writer.happened
    assert showing.done == ["one"]


def is_new(change):
    return change.type == "ADDED" and change.entry.kind == SERVICE.key
