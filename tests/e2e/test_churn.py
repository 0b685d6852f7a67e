"""A steady load over hours: memory, descriptors, tables and latency stay as they are.

The figures are written to `churn.csv`, and drawn to `churn.svg`, in the directory `FAIRLEAD_SOAK_DIRECTORY`.
"""

import asyncio
import csv
import itertools
import os
import time
from pathlib import Path
from statistics import quantiles

import asyncpg
import pytest
from matplotlib.figure import Figure

from tests.e2e.bodies import node_port, service
from tests.e2e.client import Connection
from tests.e2e.follower import Follower
from tests.e2e.serving import Serving

SERVICES = "/api/v1/namespaces/default/services"
PATCH = {"Content-Type": "application/merge-patch+json"}
SIZE = 200
CLIENTS = 8
OPERATIONS = 100
"""A second, by all clients: in turn a PATCH, a GET, a list, a DELETE and a POST."""
SECONDS = float(os.environ.get("FAIRLEAD_SOAK_SECONDS", "7200"))
FULL = min(1500.0, 0.4 * SECONDS)
"""Seconds until the log and the outcomes of batches have their lengths: these are kept a quarter of an hour at most."""
SETTLED = min(1200.0, 0.2 * SECONDS)
"""Seconds from then on whose figures are compared with all later ones. How many batches there are depends on what else
the machine does meanwhile."""
EVERY = min(10.0, SECONDS / 60)
TABLES = ("objects", "changes", "batches", "leases", "cluster_ips", "node_ports")
SIZES = "SELECT t, pg_total_relation_size(t::regclass) FROM unnest($1::text[]) t"


class Churn:
    """Clients that create, read, change and delete Services at a steady rate; the number of Services stays the same."""

    def __init__(self, url, end):
        self._url = url
        self._end = end
        self._begin = time.monotonic()
        self._numbers = itertools.count()
        self._seconds = []

    async def run(self):
        await asyncio.gather(*map(self._work, range(CLIENTS)))

    def latencies(self):
        """Number, median and 99th percentile of the operations since the last call, in milliseconds."""
        seconds, self._seconds = self._seconds, []
        parts = quantiles(seconds, n=100) if len(seconds) > 1 else [0.0] * 99
        return len(seconds), 1000 * parts[49], 1000 * parts[98]

    async def _work(self, client):
        connection = Connection(self._url)
        names = [f"churn-{client}-{number}" for number in range(SIZE // CLIENTS)]
        try:
            for name in names:
                await self._ask(connection, 201, "POST", SERVICES, service(name, node_port()))
            for number in itertools.count():
                at, name = number % len(names), f"churn-{client}-next-{number}"
                old, names[at] = names[at], name
                annotations = {"metadata": {"annotations": {"text": "x" * (number * 37 % 500)}}}
                for status, *request in (
                    (200, "PATCH", f"{SERVICES}/{old}", annotations, PATCH),
                    (200, "GET", f"{SERVICES}/{old}"),
                    (200, "GET", f"{SERVICES}?limit=50"),
                    (200, "DELETE", f"{SERVICES}/{old}"),
                    (201, "POST", SERVICES, service(name, node_port())),
                ):
                    if not await self._in_turn():
                        return
                    await self._ask(connection, status, *request)
        finally:
            connection.close()

    async def _in_turn(self):
        """Wait for the next operation's time; whether there is one."""
        moment = self._begin + next(self._numbers) / OPERATIONS
        await asyncio.sleep(moment - time.monotonic())
        return time.monotonic() < self._end

    async def _ask(self, connection, status, *request):
        begin = time.monotonic()
        reply = await connection.request(*request)
        self._seconds.append(time.monotonic() - begin)
        assert reply.status == status, reply.document


async def sample(serving, churn, connection):
    """All figures of one moment, by name."""
    count, median, slow = churn.latencies()
    figures = {"operations": count, "latency p50 ms": median, "latency p99 ms": slow}
    for word in ("api", "reconciler"):
        processes = serving.children(word)
        figures[f"{word} MiB"] = max(process.memory_info().rss for process in processes) / 2**20
        figures[f"{word} descriptors"] = max(process.num_fds() for process in processes)
    rows = await connection.fetch(SIZES, TABLES)
    return figures | {f"table {name} MiB": size / 2**20 for name, size in rows}


async def samples_of(serving, churn, end):
    """Figures of every few seconds, each with its time."""
    begin = time.monotonic()
    found = []
    connection = await asyncpg.connect(serving.database_url)
    try:
        while time.monotonic() < end:
            await asyncio.sleep(EVERY)
            found.append((time.monotonic() - begin, await sample(serving, churn, connection)))
    finally:
        await connection.close()
    return found


def write(samples, directory):
    """Keep the figures as a table and as a picture."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "churn.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["seconds", *samples[0][1]])
        table.writeheader()
        table.writerows({"seconds": round(at)} | figures for at, figures in samples)
    groups = ("operations", "latency", "MiB", "descriptors", "table")
    figure = Figure(figsize=(9, 10), layout="constrained")
    for axes, group in zip(figure.subplots(len(groups), sharex=True), groups, strict=True):
        names = [name for name in samples[0][1] if group in name and (group == "table" or "table" not in name)]
        for name in names:
            axes.plot([at / 60 for at, _ in samples], [figures[name] for _, figures in samples], label=name)
        axes.set_ylim(bottom=0)
        axes.legend(fontsize="small", loc="lower right")
    axes.set_xlabel("minutes")
    figure.savefig(directory / "churn.svg")


def check(samples):
    """Nothing has grown since everything had its length."""
    settled = [figures for at, figures in samples if FULL <= at < FULL + SETTLED]
    later = [figures for at, figures in samples if at >= FULL + SETTLED]
    for each in (settled, later):
        done = sum(figures["operations"] for figures in each) / (len(each) * EVERY)
        assert done > 0.9 * OPERATIONS, f"the machine is too busy to tell: {done:.0f} operations a second"
    for name in samples[0][1]:
        if "latency" in name or name == "operations":
            continue  # it is drawn: what else the machine does shows in it
        first, last = (max(figures[name] for figures in each) for each in (settled, later))
        # A small thing may have a little more.
        assert last <= 1.1 * first + (5 if "descriptors" in name else 1), (name, first, last)


@pytest.mark.soak
async def test_nothing_grows_under_a_steady_load(tmp_path):
    with Serving(tmp_path / "data") as serving:
        end = time.monotonic() + SECONDS
        churn = Churn(serving.url, end)
        follower = Follower(lambda: serving.url, "default")
        async with asyncio.TaskGroup() as group:
            following = group.create_task(follower.run())
            group.create_task(churn.run())
            samples = await samples_of(serving, churn, end)
            following.cancel()
    write(samples, Path(os.environ.get("FAIRLEAD_SOAK_DIRECTORY", tmp_path)))
    check(samples)
