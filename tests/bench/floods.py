"""What others notice of a flood: POST and GET of one user, alone and beside another user who lists without end.

Run with `python -m tests.bench.floods [--rounds 3] [--seconds 3]`. One API process has 2,000 Services, and 300
connections of the other user list them all. Quiet and flooded rounds take turns.
"""

import argparse
import tempfile
from contextlib import nullcontext
from pathlib import Path
from statistics import median

import uvloop

from tests.bench.bodies import SERVICES, encoded
from tests.bench.client import Server
from tests.bench.product import Product
from tests.bench.workloads import Bench
from tests.e2e.flooding import Flood

_SERVICES, _FLOOD, _CLIENTS = 2000, 300, 8
_USERS = ("worker", "lister")
_GROUP = "team"
_BINDING = {
    "metadata": {"name": _GROUP},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": _GROUP}],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each workload runs quiet and flooded")
    parser.add_argument("--seconds", type=float, default=3, help="for each workload")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        tokens = directory / "tokens.csv"
        lines = [f'{_token(user)},{user},,"{_GROUP}"\n' for user in _USERS]
        tokens.write_text("".join([*lines, f'{_token("admin")},admin,,"system:masters"\n']))
        tokens.chmod(0o600)
        flags = ("--workers", "1", "--token-file", tokens, "--insecure-http")
        with Product(directory / "data", *flags) as product:
            uvloop.run(_measure(product, options))


def _token(user):
    return f"token-of-{user}-which-is-long-enough"


async def _measure(product, options):
    admin = Server(product.url, _token("admin"))
    path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    code, text = await admin.send("POST", path, encoded(_BINDING))
    assert code == 201, text
    bench = Bench(Server(product.url, _token("worker")), product, options.seconds, lambda _: None)
    await bench.namespace()
    await bench.fill(_SERVICES)
    found = {False: {}, True: {}}
    for turn in range(2 * options.rounds):
        flooded = bool(turn % 2)
        flood = Flood(product.url, _token("lister"), SERVICES, _FLOOD) if flooded else nullcontext()
        with flood:
            known = len(bench.rows)
            await bench.posts("ClusterIP", _CLIENTS)
            await bench.gets(_CLIENTS)
            for row in bench.rows[known:]:
                found[flooded].setdefault(row.work, []).append(row)
            if flooded:
                print(f"the flood was answered {flood.stop()}", flush=True)
    print(f"\nbeside {_FLOOD} connections of another user that list {_SERVICES:,} Services")
    print(f"{'work':<20}{'p50 ms':>10}{'flooded':>10}{'p99 ms':>10}{'flooded':>10}{'failed':>10}")
    for work, quiet in found[False].items():
        flooded = found[True][work]
        cells = [median(getattr(row, figure) for row in rows) for figure in ("p50", "p99") for rows in (quiet, flooded)]
        failed = sum(row.failed for row in (*quiet, *flooded))
        print(f"{work:<20}{''.join(f'{cell:>10.1f}' for cell in cells)}{failed:>10}")


if __name__ == "__main__":
    main()
