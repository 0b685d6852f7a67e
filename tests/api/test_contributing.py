"""The worked example of a kind in CONTRIBUTING.md does what the page says."""

import re
import sys
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from app.api.protobuf import field_numbers
from tests.api.conftest import running_registry, serving
from tests.conftest import empty

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
MODULES = ("kinds", "rules", "declarations")
PATH = "/apis/scheduling.k8s.io/v1"


@pytest.fixture
def blocks():
    """The pieces of code of the page's section, in order."""
    section = PAGE.read_text().split("\n## A kind\n")[1].split("\n## ")[0]
    assert all(f"`app/domain/{each}/priority_class.py`" in section for each in MODULES)
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


@pytest.fixture
def declared(blocks, monkeypatch):
    """The declaration, from modules as the page would have them written."""
    for floor, text in zip(MODULES, blocks, strict=False):
        module = ModuleType(f"app.domain.{floor}.priority_class")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(text, str(PAGE), "exec"), vars(module))  # noqa: S102 - our own page
    name, _, numbers = blocks[3].strip().rstrip(",").partition(": ")
    monkeypatch.setitem(field_numbers._TABLE, name.strip('"'), numbers.strip('"'))
    yield module.PRIORITY_CLASS
    field_numbers.field_numbers.cache_clear()


async def test_the_example_of_a_kind_works(blocks, declared, migrated_url):
    names = {}
    exec(compile(blocks[4], str(PAGE), "exec"), names)  # noqa: S102 - our own page
    await empty(migrated_url)
    async with (
        running_registry(migrated_url, declared) as registry,
        serving(registry) as (url, _),
        httpx.AsyncClient(base_url=url, timeout=60) as api,
    ):
        await names["test_a_priority_class"](api)
        assert [each["shortNames"] for each in (await api.get(PATH)).json()["resources"]] == [["pc"]]
        schemas = (await api.get(f"/openapi/v3{PATH}")).json()["components"]["schemas"]
        described = schemas["io.k8s.api.scheduling.v1.PriorityClass"]
        assert described["required"] == ["value"]
        assert all(each["description"] for each in described["properties"].values())
        body = {"metadata": {"name": "too-high"}, "value": 2_000_000_000, "preemptionPolicy": "Sometimes"}
        refused = await api.post(f"{PATH}/priorityclasses", json=body)
        assert {cause["field"] for cause in refused.json()["details"]["causes"]} == {"value", "preemptionPolicy"}
