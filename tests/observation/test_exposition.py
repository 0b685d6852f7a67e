"""What a scraper is answered, in the format that it asks for; and a collector that is gone, which holds up nothing."""

import re
import secrets

import httpx
import pytest

from tests.e2e.bodies import cluster_ip, service
from tests.e2e.serving import Serving

OPEN_METRICS = {"accept": "application/openmetrics-text;version=1.0.0"}
EXAMPLE = re.compile(
    r'^apiserver_request_duration_seconds_bucket\{.*resource="services".*\} \S+ '
    r"# \{(?P<labels>.*)\} (?P<seconds>\S+) \S+$",
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """Nobody is at the endpoint: what a scrape shows does not depend on a collector."""
    flags = ("--otlp-endpoint", "http://127.0.0.1:1", "--trace-ratio", "0", "--otlp-metric-seconds", "1")
    with Serving(tmp_path_factory.mktemp("exposition") / "data", *flags, "--workers", "1") as serving:
        yield serving


def test_the_time_to_answer_has_examples_with_their_traces(traced):
    trace = secrets.token_hex(16)
    path = f"{traced.url}/api/v1/services"
    httpx.get(path, headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}, timeout=30).raise_for_status()
    httpx.get(path, timeout=30).raise_for_status()
    reply = httpx.get(f"{traced.url}/metrics", headers=OPEN_METRICS, timeout=30)
    assert reply.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert reply.text.endswith("# EOF\n")
    (example,) = EXAMPLE.finditer(reply.text)
    assert f'trace_id="{trace}"' in example["labels"]
    assert re.search(r'span_id="[0-9a-f]{16}"', example["labels"])
    assert float(example["seconds"]) > 0


def test_an_older_scraper_gets_the_older_format(traced):
    reply = httpx.get(f"{traced.url}/metrics", timeout=30)
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# {" not in reply.text


def test_a_collector_that_is_gone_holds_up_nothing(traced):
    for number in range(3):
        trace = {"traceparent": f"00-{secrets.token_hex(16)}-00f067aa0ba902b7-01"}
        body = service(f"kept-{number}", cluster_ip())
        reply = httpx.post(f"{traced.url}/api/v1/namespaces/default/services", json=body, headers=trace, timeout=30)
        assert reply.status_code == 201, reply.text
    assert traced.stop() == 0
