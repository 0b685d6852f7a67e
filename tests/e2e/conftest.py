"""A product with a data plane, for the tests that send traffic."""

import pytest

from tests.e2e.serving import Serving
from tests.ports import free_port


@pytest.fixture(scope="session")
def serving(tmp_path_factory):
    """As a user starts it. Tests may kill what it restarts."""
    with Serving(tmp_path_factory.mktemp("plane") / "data", data_plane="envoy") as served:
        yield served


@pytest.fixture
def unused_port():
    """A port at which nobody listens."""
    return free_port()
