"""The log of requests: who asked for what, how it ended, and no secret."""

import pytest
from structlog.testing import capture_logs

from app.api.request_log import log_requests
from tests.api.objects import alias

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def requests():
    """The lines of the log of requests."""
    log_requests(wanted=True)
    with capture_logs() as lines:
        yield lambda: [line for line in lines if line["event"] == "request"]
    log_requests(wanted=False)


async def test_each_request_is_a_line(api, requests):
    traced = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    await api.post("/api/v1/namespaces/default/services", json=alias("web"), headers=traced)
    await api.get("/api/v1/namespaces/default/services/nobody?token=secret")
    await api.get("/version")
    created, missing, version = requests()
    assert created["verb"] == "create"
    assert (created["resource"], created["namespace"], created["code"]) == ("services", "default", 201)
    assert created["trace"] == TRACE
    assert created["seconds"] > 0
    assert (missing["verb"], missing["name"], missing["code"]) == ("get", "nobody", 404)
    assert (version["path"], version["code"]) == ("/version", 200)
    assert "secret" not in str(requests())


async def test_without_the_setting_there_is_none(api):
    with capture_logs() as lines:
        await api.get("/version")
    assert [line for line in lines if line["event"] == "request"] == []
