"""One product, started as a user starts it, for all tests that leave it whole."""

import itertools

import httpx
import pytest

from tests.e2e.serving import Serving

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def product(tmp_path_factory):
    with Serving(tmp_path_factory.mktemp("product") / "data") as serving:
        yield serving


@pytest.fixture
def namespace(product):
    """A namespace of the test's own, which is empty at its beginning."""
    name = f"e2e-{next(_numbers)}"
    reply = httpx.post(f"{product.url}/api/v1/namespaces", json={"metadata": {"name": name}}, timeout=30)
    assert reply.status_code == 201, reply.text
    return name
