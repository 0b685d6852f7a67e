"""A name that is held by an object nobody can see yet: whoever meets it waits until the object can be seen."""

import asyncio
from dataclasses import replace

import msgspec
import pytest

from app.domain.declarations.ip_address import IP_ADDRESS
from app.domain.declarations.service import SERVICE
from app.domain.documents.encoding import encode_body
from app.domain.documents.objects import ObjectMeta
from app.domain.errors import AlreadyExists, Forbidden, Invalid
from app.domain.kinds.ip_address import IPAddress, IPAddressSpec, ParentReference
from app.domain.kinds.service import Service
from app.domain.patching.apply import Applying
from app.domain.patching.prepared import prepare_patch
from app.domain.user import ITSELF
from app.registry.bulk_preparation import BulkOptions, RawItem, Strictness
from app.registry.options import DeleteOptions, WriteOptions
from app.registry.target import Target
from app.startup.bootstrap import bootstrap
from app.store.writes import Write
from tests.conftest import empty
from tests.controllers.world import running
from tests.e2e.waiting import eventually

BY_US = WriteOptions(user=ITSELF)

WEB = Target(SERVICE, "default", "web")


def web(name="web", address=None):
    spec = {"ports": [{"port": 80, "targetPort": 80, "protocol": "TCP"}]}
    if address:
        spec |= {"clusterIP": address, "clusterIPs": [address]}
    document = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
    return msgspec.convert(document, type=Service)


def alias(name):
    """A Service that needs no allocation."""
    spec = {"type": "ExternalName", "externalName": "web.example.com"}
    return msgspec.convert(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}, type=Service
    )


def labelling():
    """A merge patch that adds a label."""
    applying = Applying("test", force=False, subresource="", now="2026-01-01T00:00:00Z")
    body = b'{"metadata":{"labels":{"a":"b"}}}'
    return prepare_patch(SERVICE, "application/merge-patch+json", body, strictness=Strictness.STRICT, applying=applying)


@pytest.fixture
async def parts(migrated_url):
    await empty(migrated_url)
    async with running(migrated_url) as world:
        await bootstrap(world.registry)
        yield world.parts


async def unseen(parts, allocation_wait=0.5, address=None):
    """A create that waits for its allocation, which nobody makes; the verbs of another process."""
    first, other = (parts.registry(allocation_wait, lambda: True) for _ in range(2))
    service = web(address=address)
    service.spec.type = "NodePort"
    task = asyncio.create_task(first.create(WEB.named(""), service, BY_US))
    await eventually(lambda: parts.reader.unpublished_named(SERVICE.key, "default", "web"))
    assert parts.mirror.get(SERVICE.key, "default", "web") is None
    return task, other


async def test_a_second_create_is_told_that_it_exists_once_it_can_be_seen(parts):
    task, other = await unseen(parts)
    with pytest.raises(AlreadyExists):
        await other.create(WEB.named(""), web(), BY_US)
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
    answer = await other.update(WEB, changed, BY_US)
    assert answer.code == 200
    assert answer.entry.uid == (await task).entry.uid


async def test_a_patch_waits_for_it(parts):
    task, other = await unseen(parts)
    answer = await other.patch(WEB, labelling(), BY_US)
    assert (answer.code, answer.entry.uid) == (200, (await task).entry.uid)


async def test_a_replacement_of_its_status_waits_for_it(parts):
    task, other = await unseen(parts)
    answer = await other.update(replace(WEB, subresource="status"), web(), BY_US)
    assert (answer.code, answer.entry.uid) == (200, (await task).entry.uid)


async def test_an_address_that_it_holds_is_refused_once_the_holder_can_be_seen(parts):
    task, other = await unseen(parts, address="10.96.7.7")
    with pytest.raises(Invalid, match=r"services/web"):
        await other.create(WEB.named(""), web("other", "10.96.7.7"), BY_US)
    assert parts.mirror.get(SERVICE.key, "default", "web") is not None
    await task


async def test_an_update_to_an_address_that_it_holds_is_refused_once_the_holder_can_be_seen(parts):
    task, other = await unseen(parts, address="10.96.7.7")
    await other.create(WEB.named(""), alias("other"), BY_US)
    with pytest.raises(Invalid, match=r"services/web"):
        await other.update(WEB.named("other"), web("other", "10.96.7.7"), BY_US)
    assert parts.mirror.get(SERVICE.key, "default", "web") is not None
    await task


async def test_a_bulk_apply_is_refused_an_address_once_the_holder_can_be_seen(parts):
    task, other = await unseen(parts, address="10.96.7.7")
    items = [RawItem(encode_body(web("other", "10.96.7.7")))]
    with pytest.raises(Invalid, match=r"services/web"):
        await other.apply(items, BulkOptions(WriteOptions(user=ITSELF, field_manager="test"), Strictness.STRICT))
    assert parts.mirror.get(SERVICE.key, "default", "web") is not None
    await task


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
async def test_an_ip_address_that_shows_it_exists_once_it_can_be_seen(parts, verb):
    task, other = await unseen(parts, address="10.96.7.7")
    parent = ParentReference(resource="services", namespace="default", name="other")
    meta = ObjectMeta(name="10.96.7.7")
    address = IPAddress(IP_ADDRESS.api_version, IP_ADDRESS.name, meta, IPAddressSpec(parent))
    target = Target(IP_ADDRESS, "", "10.96.7.7")
    attempts = {
        "create": lambda: other.create(target.named(""), address, BY_US),
        "update": lambda: other.update(target, address, BY_US),
        "delete": lambda: other.delete(target, DeleteOptions()),
    }
    with pytest.raises(AlreadyExists if verb == "create" else Forbidden):
        await attempts[verb]()
    assert (await other.get(target)).name == "10.96.7.7"
    await task


async def test_a_dry_run_of_a_create_waits_for_it(parts):
    task, other = await unseen(parts)
    with pytest.raises(AlreadyExists):
        await other.create(WEB.named(""), web(), WriteOptions(dry_run=True))
    await task


async def test_a_bulk_apply_changes_it(parts):
    task, other = await unseen(parts)
    alias = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "labels": {"a": "b"}},
             "spec": {"type": "ExternalName", "externalName": "web.example.com"}}  # fmt: skip
    options = BulkOptions(WriteOptions(user=ITSELF, field_manager="test"), Strictness.STRICT, force=True)
    (result,) = await other.apply([RawItem(msgspec.json.encode(alias))], options)
    assert result.result == "configured"
    assert result.entry.uid == (await task).entry.uid


async def test_when_the_first_client_is_gone_the_second_publishes_it(parts):
    task, other = await unseen(parts, allocation_wait=1.0)
    task.cancel()
    with pytest.raises(AlreadyExists):
        await other.create(WEB.named(""), web(), BY_US)
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
    assert (await other.create(WEB.named(""), second, BY_US)).entry.name == "web-2"
    task.cancel()


async def test_a_name_that_is_given_up_while_it_is_waited_for_can_be_taken(parts):
    task, other = await unseen(parts, allocation_wait=1.0)
    task.cancel()
    second = asyncio.create_task(other.create(WEB.named(""), web(), BY_US))
    row = await parts.reader.unpublished_named(SERVICE.key, "default", "web")
    await parts.writer.write(Write("delete", SERVICE.key, "default", "web", row.uid, row.body))
    answer = await second
    assert answer.code == 201
    assert answer.entry.uid != row.uid
