"""Processes that a module observes."""

import asyncio

import pytest

from tests.e2e.ensemble import create_database


@pytest.fixture(scope="module")
def own_database(postgres, request):
    """URL of a database of the module's own."""
    return asyncio.run(create_database(postgres, request.module.__name__.rpartition(".")[2]))
