"""An xDS server with one Envoy for each test that asks for them."""

import gc
import itertools
import tempfile
from pathlib import Path

import pytest

from tests.dataplane.envoys import envoy_with_control
from tests.dataplane.haproxies import HAProxyProcess

_ports = itertools.count(21_000)


@pytest.fixture(autouse=True)
async def collected():
    """A server of gRPC that is collected schedules work on its event loop, so that has to be open still."""
    yield
    gc.collect()


@pytest.fixture
def directory():
    """A short path: that of a Unix socket may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="fl-") as path:
        yield Path(path)


@pytest.fixture
def port():
    """A port of a frontend that no other test uses."""
    return next(_ports)


@pytest.fixture
async def plane(directory):
    """An xDS server, and an Envoy on it."""
    async with envoy_with_control(directory, drain_seconds=1) as (control, envoy):
        yield control, envoy


@pytest.fixture(params=["envoy", "haproxy"])
async def balancer(request, directory):
    """One after the other a real Envoy and a real HAProxy, which take the traffic that `put` gives a Service."""
    if request.param == "envoy":
        async with envoy_with_control(directory, drain_seconds=1) as (control, _):
            yield control
    else:
        async with HAProxyProcess(directory) as process:
            yield process
