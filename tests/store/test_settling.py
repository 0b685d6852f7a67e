"""What becomes of a write when the connection, the server or the time is lost on the way."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import asyncpg
import pytest

from app.domain.errors import ApiError, InternalError, ServiceUnavailable, Timeout, TooManyRequests
from app.store.batch import arguments
from app.store.sealing import NO_KEYS
from app.store.store import Store
from app.store.writes import ClaimHeld, Committed, NameTaken
from app.supervisor.postgres import EmbeddedPostgres
from tests.store.proxy import proxied
from tests.store.witnesses import Witnesses, logged
from tests.store.writing import committed, eventually, running, service, session, shop, uid, waiters, write_lock

pytestmark = pytest.mark.anyio


async def test_a_write_whose_session_is_terminated_before_its_turn_is_stored_once(store: Store):
    await shop(store)
    owner = uid()
    async with write_lock(store) as holder:
        writing = asyncio.create_task(store.writer.write(service("create", "web", owner)))
        cut = await eventually(lambda: waiters(holder))
        await holder.execute("SELECT pg_terminate_backend($1)", cut[0])

        async def settles() -> bool:
            return bool(set(await waiters(holder)) - set(cut))

        await eventually(settles)
    outcome = await writing
    assert isinstance(outcome, Committed)
    assert await logged(store) == {owner: outcome.revision}


async def test_a_stored_batch_whose_answer_is_lost_is_found_again(
    store: Store, postgres: EmbeddedPostgres, tmp_path: Path
):
    await shop(store)
    await committed(store, service("create", "holder", uid(), "node_ports 1"))
    writes = [
        service("create", "web", uid()),
        service("create", "holder", uid()),
        service("create", "wants", uid(), "node_ports 1"),
    ]
    async with proxied(postgres, tmp_path) as (lossy, proxy):
        await committed(lossy, service("create", "first", uid()))
        proxy.deaf = True
        writing = asyncio.create_task(lossy.writer.write_all(writes))

        async def stored() -> bool:
            return writes[0].uid in await logged(store)

        await eventually(stored)
        proxy.cut()
        web, holder, wants = await writing
    assert web == Committed((await logged(store))[writes[0].uid])
    assert holder == NameTaken(True)
    assert isinstance(wants, ClaimHeld)
    assert wants.owner_name == "holder"


async def test_a_batch_that_never_arrived_is_sent_again(store: Store, postgres: EmbeddedPostgres, tmp_path: Path):
    await shop(store)
    owner = uid()
    async with proxied(postgres, tmp_path) as (lossy, proxy):
        await committed(lossy, service("create", "first", uid()))
        proxy.mute = True
        writing = asyncio.create_task(lossy.writer.write(service("create", "web", owner)))
        await asyncio.wait([writing], timeout=0.1)
        proxy.cut()
        outcome = await writing
    assert (await logged(store))[owner] == outcome.revision


async def test_a_batch_that_was_given_up_stores_nothing_when_it_runs_late(store: Store):
    await shop(store)
    batch, owner = uuid.uuid4(), uid()
    async with session(store) as connection:
        for _ in range(2):
            settled = await connection.fetchrow("SELECT * FROM fairlead_settle($1)", batch)
            assert settled["outcomes"] is None
        late = (batch, False, *arguments([service("create", "web", owner)], NO_KEYS))
        places = ", ".join(f"${number}" for number in range(1, len(late) + 1))
        with pytest.raises(asyncpg.PostgresError) as refused:
            await connection.fetchrow(f"SELECT * FROM fairlead_write({places})", *late)
    assert refused.value.sqlstate == "FL001"
    assert await logged(store) == {}
    assert not await store.reader.unpublished(1)


async def test_when_the_outcome_stays_unknown_the_caller_is_told_so(database_url: str):
    async with running(database_url, deadline=0.5) as store:
        await shop(store)
        async with write_lock(store) as holder:
            writing = asyncio.create_task(store.writer.write(service("create", "web", uid())))
            (pid,) = await eventually(lambda: waiters(holder))
            await holder.execute("SELECT pg_terminate_backend($1)", pid)
            with pytest.raises(Timeout):
                await writing


async def test_when_the_lock_cannot_be_had_certainly_nothing_was_stored(database_url: str):
    async with running(database_url, deadline=0.3) as store:
        await shop(store)
        async with write_lock(store):
            with pytest.raises(ServiceUnavailable) as told:
                await store.writer.write(service("create", "web", uid()))
        assert told.value.retry_after == 1
        assert await logged(store) == {}
        await committed(store, service("create", "web", uid()))


async def test_while_others_write_everybody_gets_his_turn_however_long_they_take(database_url: str):
    async with running(database_url, deadline=0.3) as store:
        await shop(store)
        async with write_lock(store) as holder:
            first = asyncio.create_task(store.writer.write(service("create", "first", uid())))
            tries = {*await eventually(lambda: waiters(holder))}
            queued = asyncio.create_task(store.writer.write(service("create", "queued", uid())))
            while len(tries) < 5 and not first.done():  # each waited for a third of the deadline
                tries |= {*await waiters(holder)}
        assert isinstance(await first, Committed)
        assert isinstance(await queued, Committed)


BAD = {
    "claim": service("create", "bad", uid(), "cluster_ips nonsense"),
    "port": service("create", "bad", uid(), "node_ports 99999999999"),
    "name": service("create", "b\0d", uid()),
    "uid": service("create", "bad", "no uuid"),
    "text": service("create", "\ud800", uid(), body=b"{}"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_write_that_postgres_refuses_harms_no_other(store: Store, case: str):
    await shop(store)
    good = [service("create", f"good-{number}", uid()) for number in range(3)]
    async with write_lock(store) as holder:
        # The first one waits for the lock, so that the others share a batch.
        tasks = [asyncio.create_task(store.writer.write(write)) for write in [good[0], BAD[case], *good[1:]]]
        await eventually(lambda: waiters(holder))
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes.pop(1), InternalError)
    assert all(isinstance(outcome, Committed) for outcome in outcomes)
    assert set(await logged(store)) == {write.uid for write in good}
    with pytest.raises(InternalError):
        await store.writer.write_together([BAD[case], service("create", "good-4", uid())])
    assert len(await logged(store)) == len(good)


async def test_the_queue_is_bounded(database_url: str):
    async with running(database_url, queue_limit=10) as store:
        await shop(store)
        async with write_lock(store) as holder:
            first = asyncio.create_task(store.writer.write(service("create", "first", uid())))
            await eventually(lambda: waiters(holder))
            rest = [asyncio.create_task(store.writer.write(service("create", f"{n}", uid()))) for n in range(11)]
            with pytest.raises(TooManyRequests) as told:
                await rest[-1]
            assert told.value.retry_after == 1
            bulk = asyncio.create_task(
                store.writer.write_together([service("create", f"b{n}", uid()) for n in range(50)])
            )
            with pytest.raises(TooManyRequests):
                await bulk
        outcomes = await asyncio.gather(first, *rest[:-1])
        assert all(isinstance(outcome, Committed) for outcome in outcomes)
        outcomes = await store.writer.write_all([service("create", f"a{n}", uid()) for n in range(50)])
        assert all(isinstance(outcome, Committed) for outcome in outcomes)


async def test_closing_stores_what_is_waiting_and_takes_no_more(database_url: str):
    async with running(database_url) as store:
        await shop(store)
        tasks = [asyncio.create_task(store.writer.write(service("create", f"{n}", uid()))) for n in range(50)]
        await asyncio.sleep(0)
    assert all(isinstance(task.result(), Committed) for task in tasks)
    with pytest.raises(ServiceUnavailable):
        await store.writer.write(service("create", "late", uid()))


async def test_a_caller_that_gives_up_harms_no_other(store: Store):
    await shop(store)
    async with write_lock(store) as holder:
        tasks = [asyncio.create_task(store.writer.write(service("create", f"{n}", uid()))) for n in range(3)]
        await eventually(lambda: waiters(holder))
        tasks[1].cancel()
    assert isinstance(await tasks[0], Committed)
    assert isinstance(await tasks[2], Committed)


async def test_a_killed_postgres_loses_nothing_that_was_acknowledged(database_url: str, postgres: EmbeddedPostgres):
    async with running(database_url, deadline=1) as store:
        await shop(store)
        await _write_through_kills(store, postgres)


async def _write_through_kills(store: Store, postgres: EmbeddedPostgres) -> None:
    witnesses = Witnesses(store)
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(witnesses.work())
        for _ in range(3):
            await witnesses.more(Committed, 100)
            _kill(postgres)
            # Away until the writers are told, then back.
            await witnesses.more(ApiError, 1)
            postgres.start()
        await witnesses.more(Committed, 100)
        witnesses.stop()
    await witnesses.compare()


def _kill(postgres: EmbeddedPostgres) -> None:
    assert postgres.pid is not None
    os.kill(postgres.pid, signal.SIGKILL)
    assert postgres._process is not None
    postgres._process.wait()


async def test_a_stopped_or_killed_process_does_not_keep_others_from_writing(store: Store):
    await shop(store)
    rng = random.Random(0)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.store.stopped_writer", store.database.url, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"writing\n"
        for number in range(20):
            await asyncio.sleep(rng.uniform(0, 0.02))
            process.send_signal(signal.SIGSTOP)
            await committed(store, service("create", f"meanwhile-{number}", uid()))
            process.send_signal(signal.SIGCONT)
    finally:
        process.kill()
        await process.wait()
    await committed(store, service("create", "afterwards", uid()))
    names = {change.name for change in (await store.reader.tail(0, 100_000)).changes}
    assert sum(name.startswith("stopped-") for name in names) > 20
