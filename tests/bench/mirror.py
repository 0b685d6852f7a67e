"""How fast and how large the mirror alone is: starting, current reads, pages, and changes to many watchers.

Run with `python -m tests.bench.mirror [--services 100000] [--seconds 2]`.
"""

import argparse
import asyncio
import gc
import tempfile
import time
import uuid
from pathlib import Path

import asyncpg
import psutil
import uvloop

from app.mirror.mirror import Mirror
from app.store.migrating import migrate
from app.store.store import Store
from app.store.writes import Committed, Write
from app.supervisor.postgres import EmbeddedPostgres

# Bodies of about 900 bytes, as a Service with status, conditions and managed fields has.
_FILL = """
    INSERT INTO objects (uid, kind, namespace, name, revision, pending, body)
    SELECT gen_random_uuid(), 'services', 'ns-' || i % 50, 'svc-' || i, i, false, convert_to(
        '{"apiVersion":"v1","kind":"Service","metadata":{"name":"svc-' || i || '","annotations":{"text":"'
        || repeat(md5(i::text), 25) || '"}}}', 'utf8')
    FROM generate_series(1, $1::integer) AS i
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, EmbeddedPostgres(Path(directory)) as postgres:
        migrate(postgres.url())
        uvloop.run(_measure(postgres.url(), options.services, options.seconds))


async def _measure(url: str, services: int, seconds: float) -> None:
    await _fill(url, services)
    process = psutil.Process()
    store = Store(url)
    await store.start()
    mirror = Mirror(store.reader, store.notifications)
    started = time.perf_counter()
    await mirror.start()
    took = time.perf_counter() - started
    gc.collect()
    print(f"start: {took:.2f} s, {process.memory_info().rss / services:,.0f} bytes of the process a Service")
    for readers in (1, 8, 32, 64):
        print(f"current reads, {readers} readers: {await _reads(mirror, readers, seconds):,.0f}/s")
    print(f"pages of 500, joined: {_pages(mirror, seconds):,.0f}/s")
    await store.writer.write(_create("", "default", "namespaces"))
    for watchers in (1, 100, 1000):
        await _watches(store, mirror, watchers, seconds)
    await mirror.close()
    await store.close()


async def _fill(url: str, services: int) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(_FILL, services)
    await connection.execute("UPDATE compaction SET compacted = $1", services)
    await connection.execute("SELECT setval('revisions', $1)", services)
    await connection.close()


async def _reads(mirror: Mirror, readers: int, seconds: float) -> float:
    done = 0
    end = time.perf_counter() + seconds

    async def read() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await mirror.fresh()
            assert mirror.get("services", "ns-7", "svc-7") is not None
            done += 1

    await asyncio.gather(*(read() for _ in range(readers)))
    return done / seconds


def _pages(mirror: Mirror, seconds: float) -> float:
    done, after = 0, None
    started = time.perf_counter()
    while time.perf_counter() < started + seconds:
        page = mirror.page_at("services", None, mirror.revision, after, 500)
        b",".join([entry.wire for entry in page.entries])
        after = (page.entries[-1].namespace, page.entries[-1].name) if page.remaining else None
        done += 1
    return done / seconds


async def _watches(store: Store, mirror: Mirror, watchers: int, seconds: float) -> None:
    """A hundred changes a second; the delay is from the write's answer to the watcher."""
    answered: dict[int, float] = {}
    delays: list[float] = []

    async def watch() -> None:
        watcher = mirror.watch("services", None, mirror.revision)
        while True:
            for change in await watcher.next(None):
                assert change.frame
                delays.append(max(0.0, time.perf_counter() - answered.get(change.revision, time.perf_counter())))

    async def write(name: str) -> None:
        outcome = await store.writer.write(_create("default", name, "services"))
        assert isinstance(outcome, Committed)
        answered[outcome.revision or 0] = time.perf_counter()

    watching = [asyncio.create_task(watch()) for _ in range(watchers)]
    writing = []
    before = time.process_time()
    changes = int(100 * seconds)
    for number in range(changes):
        writing.append(asyncio.create_task(write(f"w{watchers}-{number}")))
        await asyncio.sleep(0.01)
    await asyncio.gather(*writing)
    while len(delays) < changes * watchers:
        await mirror.fresh()
    busy = (time.process_time() - before) / seconds
    for task in watching:
        task.cancel()
    delays.sort()
    p99 = delays[len(delays) * 99 // 100] * 1000
    print(
        f"{watchers} watchers: {len(delays):,} of {changes * watchers:,} events, p99 {p99:.1f} ms, {busy:.0%} of a core"
    )


def _create(namespace: str, name: str, kind: str) -> Write:
    uid = str(uuid.uuid4())
    body = f'{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"{name}","uid":"{uid}"}}}}'.encode()
    return Write("create", kind, namespace, name, uid, body)


if __name__ == "__main__":
    main()
