"""How fast the product is, as a user starts it: durable, on one machine with whoever drives it.

    python -m tests.bench [--quick] [--server URL [--token TOKEN] [--insecure]] [--services 100000] [--results DIR]
    python -m tests.bench --against URL [--against-pid PID] [--rounds 5] [--quick]

The same table for any server that speaks Kubernetes' API: with --server nothing is started, and what only the product
started here can tell (memory, CPU, start) is left out.
"""

import argparse
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from itertools import repeat
from pathlib import Path

import uvloop

from tests.bench.against import compare
from tests.bench.against import head as against_head
from tests.bench.client import Server, drive
from tests.bench.product import Processes, Product
from tests.bench.report import Row, head, line, write
from tests.bench.workloads import Bench
from tests.bench.yardsticks import empty_route, fsyncs

_STORED = 10_000
_WORKERS = 2


def main():
    options = _options()
    seconds = 1.5 if options.quick else options.seconds
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        yardsticks = {"fdatasync/s": fsyncs(directory)}
        with empty_route(_WORKERS) as url:
            yardsticks["empty FastAPI route/s"] = uvloop.run(_empty(url, seconds))
        for name, value in yardsticks.items():
            print(f"{name}: {value:,.0f}")
        product = None if options.server else stack.enter_context(Product(directory / "data"))
        server = Server(options.server or product.url, options.token, not options.insecure)
        if options.against:
            _run_against(options, server, product, seconds)
            return
        print(head(), flush=True)
        bench = Bench(server, product, seconds, lambda row: print(line(row), flush=True))
        try:
            uvloop.run(_measure(bench, quick=options.quick))
            if product is not None:
                product = _cold_start(stack, bench, directory / "data", 10_000 if options.quick else options.services)
        finally:
            write(bench.rows, yardsticks, vars(options) | {"results": str(options.results)}, options.results)
    print(f"written to {options.results}")


def _run_against(options, server, product, seconds):
    """Compare with a server that runs already."""
    other = Server(options.against, options.token, not options.insecure)
    processes = Processes(options.against_pid) if options.against_pid else None
    benches = [Bench(each, used, seconds, lambda _: None) for each, used in ((server, product), (other, processes))]
    uvloop.run(_compare(*benches, options.rounds, quick=options.quick))


def _options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="each workload for a moment only, fewer of them")
    parser.add_argument("--server", help="URL of a server that runs already")
    parser.add_argument("--against", help="URL of another server: run every workload on both in turn, compare medians")
    parser.add_argument("--against-pid", type=int, help="its process; its CPU is counted with that of its descendants")
    parser.add_argument("--rounds", type=int, default=5, help="how often each workload runs on each of the two")
    parser.add_argument("--token", default="", help="bearer token for it")
    parser.add_argument("--insecure", action="store_true", help="do not check its certificate")
    parser.add_argument("--seconds", type=float, default=5, help="for each workload")
    parser.add_argument("--services", type=int, default=100_000, help="stored at the cold start")
    parser.add_argument("--results", type=Path, default=Path(".data/bench"), help="where bench.txt, .json and .png go")
    return parser.parse_args()


async def _empty(url, seconds):
    server = Server(url)
    deadline = time.monotonic() + 30
    while True:
        try:
            await server.send("GET", "/empty")
            break
        except OSError:
            assert time.monotonic() < deadline
    request = server.request("GET", "/empty")
    await drive(server, [repeat(request)] * 4, seconds=0.5)
    return (await drive(server, [repeat(request) for _ in range(32)], seconds=seconds)).rate


async def _measure(bench, *, quick):
    await bench.namespace()
    for step in (*_posts(quick=quick), partial(Bench.fill, services=_STORED), *_others(quick=quick)):
        await step(bench)


async def _compare(bench, against, rounds, *, quick):
    print(against_head(), flush=True)
    say = partial(print, flush=True)
    for each in (bench, against):
        await each.namespace()
    await compare(bench, against, rounds, _posts(quick=quick), say)
    await compare(bench, against, 1, [partial(Bench.fill, services=_STORED)], say)
    await compare(bench, against, rounds, _others(quick=quick), say)


def _posts(*, quick):
    return [
        partial(Bench.posts, of_type=of_type, clients=clients)
        for of_type in ("ClusterIP", "NodePort", "LoadBalancer")
        for clients in ((1, 32) if quick else (1, 8, 32, 64))
    ]


def _others(*, quick):
    watches = [partial(Bench.watches, watchers=watchers) for watchers in ((1, 100) if quick else (1, 100, 1000))]
    return [Bench.reads, Bench.changes, Bench.load_balancers, *watches, Bench.endpoints]


def _cold_start(stack, bench, data_dir, services):
    """Fill up, stop, and start again; memory is that of a process that has just read everything."""
    uvloop.run(_more(bench, services))
    bench.product.stop()
    product = stack.enter_context(Product(data_dir, "--port", bench.server.url.rpartition(":")[2]))
    started = time.time() - product.started
    bench.product = product
    memory = product.memory()
    told = ", ".join(f"{role} {used / 2**20:,.0f} MB" for role, used in sorted(memory.items()))
    each = memory.get("api", 0) / _WORKERS / services
    row = Row(f"cold start, {services:,} Services", 1, services / started, started * 1000,
              note=f"{told}; {each:,.0f} bytes a Service in an API process")  # fmt: skip
    bench.note(row)
    uvloop.run(bench.posts("ClusterIP", 32))
    return product


async def _more(bench, services):
    await bench.fill(services)


if __name__ == "__main__":
    main()
