"""What access costs: a server with tokens, 1,000 bindings and an audit log beside one that lets everybody do all.

Run with `python -m tests.bench.access [--rounds 5] [--seconds 3]`. The user of the first server is no master: each
request is authenticated by its token, authorized by one of the bindings, and written into the audit log. Both servers
run the same work in turn.
"""

import argparse
import asyncio
import tempfile
import time
from functools import partial
from pathlib import Path

import uvloop

from app.domain.declarations.default_roles import default_cluster_roles
from app.domain.rules.access.requests import ResourceRequest
from app.domain.rules.access.rights import Rights, compiled
from tests.bench.against import compare, head
from tests.bench.bodies import NAMESPACE, encoded
from tests.bench.client import Server
from tests.bench.credentials import costs
from tests.bench.product import Product
from tests.bench.workloads import BULK, Bench

BINDINGS = 1_000
USER, ADMIN = "bench-token", "admin-token"
_STORED = 2_000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each workload runs on each server")
    parser.add_argument("--seconds", type=float, default=3, help="for each workload")
    options = parser.parse_args()
    for works, value in (decisions() | costs()).items():
        print(f"{works}: {value * 1e6:.2f} us")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        tokens = directory / "tokens.csv"
        tokens.touch(0o600)
        tokens.write_text(f'{ADMIN},admin,1,"system:masters"\n{USER},user-0,2,"team-0,staff"\n')
        flags = ("--token-file", tokens, "--insecure-http", "--audit-log-path", directory / "audit.log")
        with Product(directory / "guarded", *flags) as guarded, Product(directory / "open") as unguarded:
            uvloop.run(_measure(guarded, unguarded, options))


def decisions():
    """Seconds for one decision: asked before, and asked for the first time since the bindings changed."""
    edit = next(compiled(role.rules) for role in default_cluster_roles() if role.metadata.name == "edit")
    requests = [ResourceRequest("get", "", "services", "", f"n{number}", "x") for number in range(BINDINGS)]
    rights = Rights((), {request.namespace: edit for request in requests})
    timed = {}
    for works in ("a decision, the first", "a decision, remembered"):
        started = time.perf_counter()
        assert all(map(rights.allows, requests))
        timed[works] = (time.perf_counter() - started) / BINDINGS
    return timed


async def _measure(guarded, unguarded, options):
    admin = Server(guarded.url, ADMIN)
    benches = [Bench(Server(guarded.url, USER), guarded, options.seconds, lambda _: None),
               Bench(Server(unguarded.url), unguarded, options.seconds, lambda _: None)]  # fmt: skip
    await Bench(admin, None, 0, lambda _: None).namespace()
    await benches[1].namespace()
    code, text = await admin.send(
        "POST", BULK, encoded({"apiVersion": "v1", "kind": "List", "items": list(bindings())})
    )
    assert code == 200, text
    print(f"\nwith tokens, {BINDINGS:,} bindings and an audit log, against a server without\n{head()}")
    say = partial(print, flush=True)
    await asyncio.gather(*(each.fill(services=_STORED) for each in benches))
    await compare(*benches, options.rounds, [Bench.reads, partial(Bench.posts, of_type="ClusterIP", clients=32)], say)


def bindings():
    """A RoleBinding of `edit` for each of many users and groups, the one of the user who is measured among them."""
    for number in range(BINDINGS):
        kind, name = ("Group", f"team-{number}") if number % 2 == 0 else ("User", f"user-{number}")
        yield {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": f"b{number}", "namespace": NAMESPACE},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}],
        }


if __name__ == "__main__":
    main()
