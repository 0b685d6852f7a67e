"""Two users flood an API process, and 64 others work beside them: the flood is refused, and nobody else."""

import asyncio
import sys
from collections import Counter
from contextlib import ExitStack

import httpx
import pytest

from tests.e2e.flooding import Flood
from tests.e2e.serving import Serving
from tests.e2e.waiting import eventually

WORKERS = 64
FULL = 450
"""Connections that list: more than may wait."""
NAMESPACE = "/api/v1/namespaces/default"
SERVICES = f"{NAMESPACE}/services"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
BINDING = {
    "metadata": {"name": "team"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "team"}],
}


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """One API process, with a user for each client, none of them in system:masters."""
    directory = tmp_path_factory.mktemp("flooded")
    names = ["lister", "watcher", "prober", "keeper", *(f"worker-{number}" for number in range(WORKERS))]
    tokens = directory / "tokens.csv"
    lines = [f'{token(name)},{name},,"team"\n' for name in names]
    tokens.write_text("".join([*lines, f'{token("admin")},admin,,"system:masters"\n']))
    tokens.chmod(0o600)
    with Serving(directory / "data", "--workers", "1", "--token-file", tokens, "--insecure-http") as serving:
        with client(serving.url, "admin") as admin:
            path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
            assert admin.post(path, json=BINDING).status_code == 201
        yield serving


def token(name):
    """The token of a user."""
    return f"token-of-{name}-which-is-long-enough"


def client(url, name, kind=httpx.Client):
    """A client of a user."""
    return kind(base_url=url, headers={"authorization": f"Bearer {token(name)}"}, timeout=60)


def service(name):
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default", "annotations": {"padding": "x" * 1000}},
        "spec": {"ports": [{"port": 80}]},
    }


@pytest.mark.parametrize(
    ("services", "watches", "rounds"), [(1500, 300, 2), pytest.param(10_000, 5000, 40, marks=pytest.mark.soak)]
)
async def test_a_flood_is_refused_and_nobody_else(api, services, watches, rounds):
    with client(api.url, "admin") as admin:
        for start in range(0, services, 500):
            items = [service(f"there-{number}") for number in range(start, min(services, start + 500))]
            body = {"apiVersion": "v1", "kind": "List", "items": items}
            assert admin.post("/apis/fairlead.io/v1/apply", json=body).status_code == 200
    with ExitStack() as stack:
        lists = stack.enter_context(Flood(api.url, token("lister"), SERVICES, FULL))
        watching = f"{SERVICES}?watch=1&resourceVersion=0&fieldSelector=metadata.name=there-1"
        stream = stack.enter_context(Flood(api.url, token("watcher"), watching, watches))
        async with client(api.url, "prober", httpx.AsyncClient) as prober:
            await eventually(lambda: floods(prober, watches), timeout=240, pause=0.5)
            health, renewals, done = Counter(), Counter(), asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(probe(prober, health, done))
                group.create_task(renew(api.url, renewals, done))
                workers = [group.create_task(work(api.url, number, rounds)) for number in range(WORKERS)]
                answers = sum([await worker for worker in workers], Counter())
                done.set()
        flood, opened = lists.stop(), stream.stop()
    told = f"lists {flood}\nwatches {opened}\nworkers {answers}\nhealth {health}\nleases {renewals}\n"
    sys.stderr.write(told)  # shown of a test that fails, and by -s
    assert flood["429"] > 0 < flood["200"]
    assert opened["open"] == watches
    assert answers == Counter({200: 4 * rounds * WORKERS, 201: rounds * WORKERS})
    assert health.keys() == renewals.keys() == {200}


async def floods(prober, watches):
    """Whether all watches are open, and lists are refused."""
    answer = await prober.get("/metrics")
    assert answer.status_code == 200
    values = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    refused = values.get('apiserver_flowcontrol_rejected_requests_total{priority_level="list",reason="queue-full"}', 0)
    return float(values.get('apiserver_longrunning_requests{resource="services"}', 0)) >= watches and float(refused) > 0


async def work(url, number, rounds):
    """What a user does with Services: the answers by their codes."""
    codes, path = Counter(), f"{SERVICES}/of-{number}"
    async with client(url, f"worker-{number}", httpx.AsyncClient) as http:
        for _ in range(rounds):
            made = await http.post(SERVICES, json=service(f"of-{number}"))
            assert made.status_code == 201, made.text
            assert made.json()["spec"]["clusterIP"]
            patch = {"metadata": {"labels": {"app": "web"}}}
            answers = [
                made,
                await http.get(path),
                await http.patch(path, json=patch, headers={"content-type": "application/merge-patch+json"}),
                await http.get(SERVICES, params={"fieldSelector": f"metadata.name=of-{number}"}),
                await http.delete(path),
            ]
            refused = [answer for answer in answers if not answer.is_success]
            assert not refused, [(answer.request.method, answer.status_code, answer.text) for answer in refused]
            codes.update(answer.status_code for answer in answers)
    return codes


async def probe(http, codes, done):
    """Ask for the health of the process until the others have done their work."""
    while not done.is_set():
        for path in ("/healthz", "/readyz", "/livez"):
            codes[(await http.get(path)).status_code] += 1


async def renew(url, codes, done):
    """Hold a lease until the others have done their work."""
    async with client(url, "keeper", httpx.AsyncClient) as http:
        lease = (await http.post(LEASES, json={"metadata": {"generateName": "held-"}, "spec": {}})).json()
        path = f"{LEASES}/{lease['metadata']['name']}"
        while not done.is_set():
            lease["spec"]["holderIdentity"] = f"keeper-{codes.total()}"
            answer = await http.put(path, json=lease)
            codes[answer.status_code] += 1
            lease = answer.json()
