"""How fast the store alone is: Services through an unpublished create and a publication, beside the disk's own speed.

Run with `python -m tests.bench.store [--writers 32] [--seconds 5] [--database-url URL]`.
"""

import argparse
import asyncio
import random
import re
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path

import uvloop
from msgspec.structs import replace

from app.domain.rules.claim import Claim
from app.store.migrating import migrate
from app.store.store import Store
from app.store.writes import Committed, Write
from app.supervisor.binaries import binaries, unprivileged_user
from app.supervisor.postgres import EmbeddedPostgres

_BODY = (
    b'{"apiVersion":"v1","kind":"Service","metadata":{"annotations":{"text":"%b"}}}'
    % random.Random(0).randbytes(700).hex().encode()
)
_FIRST_ADDRESS = int(IPv4Address("10.0.0.0"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--database-url")
    options = parser.parse_args()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = options.database_url or stack.enter_context(EmbeddedPostgres(directory)).url()
        migrate(url)
        print(f"disk: {_fsyncs(directory):.0f} fdatasync/s")
        for writers in sorted({1, 8, options.writers}):
            uvloop.run(_measure(url, writers, options.seconds))


def _fsyncs(directory: Path) -> float:
    program = binaries(unprivileged_user(directory)) / "pg_test_fsync"
    told = subprocess.run(
        [program, "-s", "1", "-f", directory / "fsync"], capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"fdatasync +([\d.]+) ops/sec", told)
    assert found is not None
    return float(found[1])


async def _measure(url: str, writers: int, seconds: float) -> None:
    store = Store(url)
    await store.start()
    namespace = f"bench-{uuid.uuid4().hex[:8]}"
    await _committed(store, Write("create", "namespaces", "", namespace, str(uuid.uuid4()), _BODY))
    held = [int(IPv4Address(row.key)) async for row in store.reader.claimed("cluster_ips")]
    addresses = count(max([_FIRST_ADDRESS, *held]) + 1)
    latencies: list[float] = []
    written: list[Write] = []
    end = time.monotonic() + seconds
    await asyncio.gather(
        *(_create(store, namespace, writer, addresses, end, latencies, written) for writer in range(writers))
    )
    _report("create and publish", writers, seconds, latencies)
    latencies.clear()
    start = time.monotonic()
    shares = [written[share::writers] for share in range(writers)]
    await asyncio.gather(*(_delete(store, share, latencies) for share in shares))
    _report("delete", writers, time.monotonic() - start, latencies)
    await store.close()


async def _create(
    store: Store,
    namespace: str,
    writer: int,
    addresses: Iterator[int],
    end: float,
    latencies: list[float],
    written: list[Write],
) -> None:
    number = 0
    while (started := time.monotonic()) < end:
        number += 1
        create = Write(
            "create",
            "services",
            namespace,
            f"s-{writer}-{number}",
            str(uuid.uuid4()),
            _BODY,
            published=False,
            pending=True,
        )
        await _committed(store, create)
        claims = (Claim("cluster_ips", str(IPv4Address(next(addresses)))),)
        publish = replace(create, action="publish", claims=claims, published=True, pending=False)
        await _committed(store, publish)
        latencies.append(time.monotonic() - started)
        written.append(publish)


async def _delete(store: Store, share: list[Write], latencies: list[float]) -> None:
    for write in share:
        started = time.monotonic()
        await _committed(store, replace(write, action="delete", claims=()))
        latencies.append(time.monotonic() - started)


async def _committed(store: Store, write: Write) -> None:
    outcome = await store.writer.write(write)
    assert isinstance(outcome, Committed), outcome


def _report(what: str, writers: int, seconds: float, latencies: list[float]) -> None:
    centiles = statistics.quantiles(latencies, n=100)
    print(
        f"{what}, {writers} writers: {len(latencies) / seconds:.0f}/s, "
        f"p50 {centiles[49] * 1000:.1f} ms, p99 {centiles[98] * 1000:.1f} ms"
    )


if __name__ == "__main__":
    main()
