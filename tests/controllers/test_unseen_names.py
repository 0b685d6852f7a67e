"""A name that is held by an object nobody can see yet: whoever meets it waits until the object can be seen."""

import asyncio

import msgspec
import pytest

from app.domain.declarations.service import SERVICE
from app.domain.errors import AlreadyExists
from app.domain.kinds.service import Service
from app.registry.bulk_preparation import BulkOptions, RawItem, Strictness
from app.registry.options import DeleteOptions, WriteOptions
from app.registry.target import Target
from app.startup.bootstrap import bootstrap
from app.store.writes import Write
from tests.conftest import empty
from tests.controllers.world import running
from tests.e2e.waiting import eventually

WEB = Target(SERVICE, "default", "web")


def web():
    document = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80, "targetPort": 80, "protocol": "TCP"}]}}
    return msgspec.convert({"apiVersion": "v1", "kind": "Service", **document}, type=Service)


@pytest.fixture
async def parts(migrated_url):
    await empty(migrated_url)
    async with running(migrated_url) as world:
        await bootstrap(world.registry)
        yield world.parts


async def unseen(parts, allocation_wait=0.5):
    """A create that waits for its allocation, which nobody makes; the verbs of another process."""
    first, other = parts.registry(allocation_wait), parts.registry(allocation_wait)
    task = asyncio.create_task(first.create(WEB.named(""), web(), WriteOptions()))
    await eventually(lambda: parts.reader.unpublished_named(SERVICE.key, "default", "web"))
    assert parts.mirror.get(SERVICE.key, "default", "web") is None
    return task, other


async def test_a_second_create_is_told_that_it_exists_once_it_can_be_seen(parts):
    task, other = await unseen(parts)
    with pytest.raises(AlreadyExists):
        await other.create(WEB.named(""), web(), WriteOptions())
    assert parts.mirror.get(SERVICE.key, "default", "web") is not None
    assert (await task).code == 201


async def test_a_delete_waits_for_it(parts):
    task, other = await unseen(parts)
    answer = await other.delete(WEB, DeleteOptions())
    assert answer.deleted
    assert answer.entry.uid == (await task).entry.uid


async def test_an_update_waits_for_it(parts):
    task, other = await unseen(parts)
    changed = web()
    changed.metadata.labels = {"a": "b"}
    answer = await other.update(WEB, changed, WriteOptions())
    assert answer.code == 200
    assert answer.entry.uid == (await task).entry.uid


async def test_a_dry_run_of_a_create_waits_for_it(parts):
    task, other = await unseen(parts)
    with pytest.raises(AlreadyExists):
        await other.create(WEB.named(""), web(), WriteOptions(dry_run=True))
    await task


async def test_a_bulk_apply_changes_it(parts):
    task, other = await unseen(parts)
    alias = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "labels": {"a": "b"}},
             "spec": {"type": "ExternalName", "externalName": "web.example.com"}}  # fmt: skip
    options = BulkOptions(WriteOptions(field_manager="test"), Strictness.STRICT, force=True)
    (result,) = await other.apply([RawItem(msgspec.json.encode(alias))], options)
    assert result.result == "configured"
    assert result.entry.uid == (await task).entry.uid


async def test_when_the_first_client_is_gone_the_second_publishes_it(parts):
    task, other = await unseen(parts, allocation_wait=1.0)
    task.cancel()
    with pytest.raises(AlreadyExists):
        await other.create(WEB.named(""), web(), WriteOptions())
    assert await parts.reader.unpublished_named(SERVICE.key, "default", "web") is None
    await parts.mirror.fresh()
    assert parts.mirror.get(SERVICE.key, "default", "web") is not None


async def test_a_generated_name_waits_for_nobody(parts, monkeypatch):
    task, other = await unseen(parts, allocation_wait=3600.0)
    names = iter(["web", "web-2"])
    monkeypatch.setattr("app.registry.creation.generated_name", lambda _base, _choice: next(names))
    second = msgspec.convert(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"generateName": "web"},
         "spec": {"type": "ExternalName", "externalName": "web.example.com"}}, type=Service)  # fmt: skip
    assert (await other.create(WEB.named(""), second, WriteOptions())).entry.name == "web-2"
    task.cancel()


async def test_a_name_that_is_given_up_while_it_is_waited_for_can_be_taken(parts):
    task, other = await unseen(parts, allocation_wait=1.0)
    task.cancel()
    second = asyncio.create_task(other.create(WEB.named(""), web(), WriteOptions()))
    row = await parts.reader.unpublished_named(SERVICE.key, "default", "web")
    await parts.writer.write(Write("delete", SERVICE.key, "default", "web", row.uid, row.body))
    answer = await second
    assert answer.code == 201
    assert answer.entry.uid != row.uid
