"""One trace from the request to the data plane, over real processes, as a collector receives it."""

import json
import secrets

import httpx
import pytest

from tests.console.test_console_process import Console
from tests.e2e.bodies import cluster_ip, load_balancer, service
from tests.e2e.serving import Serving
from tests.e2e.waiting import until
from tests.observation.collector import Collector
from tests.ports import free_port

SERVICES = "/api/v1/namespaces/default/services"
CALLER = "00f067aa0ba902b7"


@pytest.fixture(scope="module")
def collector():
    with Collector() as running:
        yield running


@pytest.fixture(scope="module")
def traced(tmp_path_factory, collector):
    flags = ("--otlp-endpoint", collector.endpoint, "--trace-ratio", "0", "--otlp-metric-seconds", "1")
    data = tmp_path_factory.mktemp("traced") / "data"
    flags += ("--log-requests", "--workers", "1", "--dns-workers", "1")
    with Serving(data, *flags, data_plane="envoy", dns_port=str(free_port())) as serving:
        until(lambda: has_data_plane(serving), timeout=60)
        yield serving


def has_data_plane(serving):
    """Whether the Envoy has connected and taken all there is."""
    items = httpx.get(f"{serving.url}/apis/fairlead.io/v1/dataplanes", timeout=30).json()["items"]
    conditions = [each for item in items for each in item["status"]["conditions"]]
    return len(conditions) == 2 and all(each["status"] == "True" for each in conditions)


def sent(serving, method, path, body, flags="01"):
    """Send a request in a trace of its own; answers its id and the reply."""
    trace = secrets.token_hex(16)
    headers = {"traceparent": f"00-{trace}-{CALLER}-{flags}"}
    if method == "PATCH":
        headers["content-type"] = "application/merge-patch+json"
    reply = httpx.request(method, f"{serving.url}{path}", json=body, headers=headers, timeout=30)
    assert reply.is_success, reply.text
    return trace, reply


def chain(collector, trace, *last):
    """A span and those it follows from, the first one first; they arrive one by one."""
    return until(lambda: found_chain(collector.of_trace(trace), last))


def found_chain(spans, last):
    by_id = {each.id: each for each in spans.values()}
    found = [spans.get(last)]
    while found[-1] is not None:
        if found[-1].parent == CALLER:
            return found[::-1]
        found.append(by_id.get(found[-1].parent))
    return None


def names(spans):
    return [(each.process.removeprefix("fairlead-"), each.name) for each in spans]


def test_a_new_service_is_one_trace_from_the_request_to_the_data_plane(traced, collector):
    trace, reply = sent(traced, "POST", SERVICES, service("traced", load_balancer()))
    followed = chain(collector, trace, "fairlead-xds", "deliver")
    assert names(followed) == [
        ("api", "create services"),
        ("api", "store"),
        ("reconciler", "allocate"),
        ("reconciler", "store"),
        ("xds", "deliver"),
    ]
    request, _, _, published, delivered = followed
    answered = chain(collector, trace, "fairlead-dns", "answer with it")
    assert answered[:-1] == followed[:-1]
    assert chain(collector, trace, "fairlead-api", "wait for the allocation")[0] == request
    assert reply.headers["traceresponse"] == f"00-{trace}-{request.id}-01"
    assert request.attributes["http.response.status_code"] == 201
    revision = int(reply.json()["metadata"]["resourceVersion"])
    assert published.attributes["fairlead.revision"] == revision
    assert delivered.attributes["fairlead.plane"]
    for each in collector.of_trace(trace).values():
        assert each.began <= each.ended
        assert not each.failed
        assert request.began <= each.began


def test_an_update_that_needs_an_allocation_is_one_trace(traced, collector):
    sent(traced, "POST", SERVICES, service("updated", cluster_ip()), flags="00")
    trace, _ = sent(traced, "PATCH", f"{SERVICES}/updated", {"spec": {"type": "LoadBalancer"}})
    assert names(chain(collector, trace, "fairlead-reconciler", "store")) == [
        ("api", "patch services"),
        ("api", "store"),
        ("reconciler", "allocate"),
        ("reconciler", "store"),
    ]


def test_what_is_applied_together_is_one_trace(traced, collector):
    items = [service(f"together-{number}", cluster_ip()) for number in range(3)]
    for item in items:
        item["metadata"]["namespace"] = "default"
    together = {"apiVersion": "v1", "kind": "List", "items": items}
    trace, _ = sent(traced, "POST", "/apis/fairlead.io/v1/apply", together)
    assert names(chain(collector, trace, "fairlead-reconciler", "store"))[2] == ("reconciler", "allocate")


def test_who_does_not_trace_is_not_traced_and_learns_the_trace_all_the_same(traced, collector):
    trace, reply = sent(traced, "POST", SERVICES, service("untraced", cluster_ip()), flags="00")
    assert reply.headers["traceresponse"].startswith(f"00-{trace}-")
    line = until(lambda: next((line for line in traced.errors.read_text().splitlines() if trace in line), None))
    assert "create" in line
    until(lambda: collector.metrics)
    assert collector.of_trace(trace) == {}
    assert "traceresponse" not in httpx.get(f"{traced.url}/livez").headers


def test_what_is_created_in_a_console_of_its_own_is_one_trace_from_the_page_on(traced, collector, tmp_path):
    flags = ("--otlp-endpoint", collector.endpoint, "--trace-ratio", "0", "--otlp-metric-seconds", "1")
    trace = secrets.token_hex(16)
    form = {"action": "save", "text": json.dumps(service("by-hand", load_balancer()))}
    with Console(traced.url, tmp_path / "console.log", *flags) as console:
        reply = httpx.post(
            f"{console.url}/console/new/services",
            data=form,
            headers={"traceparent": f"00-{trace}-{CALLER}-01"},
            timeout=30,
        )
        assert reply.status_code == 303, reply.text
        followed = chain(collector, trace, "fairlead-xds", "deliver")
        assert names(followed)[:3] == [
            ("console", "POST /console/new/{resource}"),
            ("api", "create services"),
            ("api", "store"),
        ]
        assert followed[0].attributes["http.response.status_code"] == 303
        httpx.get(f"{console.url}/console/list/services", timeout=30).raise_for_status()
        until(lambda: ("fairlead-console", "fairlead_build_info") in collector.metrics)
    assert {each.trace for each in collector.spans if each.process == "fairlead-console"} == {trace}


@pytest.mark.usefixtures("traced")
def test_every_process_reports_its_metrics(collector):
    processes = {"fairlead-api", "fairlead-reconciler", "fairlead-xds"}
    until(lambda: processes <= {process for process, name in collector.metrics if name == "fairlead_build_info"})
    counted = collector.metrics["fairlead-api", "apiserver_request_total"].sum
    assert counted.is_monotonic
    timed = collector.metrics["fairlead-api", "apiserver_request_duration_seconds"].histogram.data_points
    assert all(sum(point.bucket_counts) == point.count for point in timed)
    assert all(len(point.bucket_counts) == len(point.explicit_bounds) + 1 for point in timed)
