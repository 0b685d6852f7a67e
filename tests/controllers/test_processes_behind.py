"""Writes and reads in a process that has not seen yet what others, or it itself, have written."""

import pytest

from app.domain.declarations.service import SERVICE
from app.domain.documents.decoding import Strictness
from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.patching.apply import Applying
from app.domain.patching.prepared import JSON_PATCH, MERGE_PATCH, prepare_patch
from app.registry.options import DeleteOptions, ListOptions
from app.store.notifications import CHANGES
from tests.controllers.world import BY_US, running, target

HEADLESS = {
    "metadata": {"name": "web"},
    "spec": {"clusterIP": "None", "selector": {"app": "one"}, "ports": [{"port": 80}]},
}
WEB = target(SERVICE, "default", "web")


@pytest.fixture
async def here(database_url):
    async with running(database_url) as world:
        yield world


@pytest.fixture
async def there(here, database_url):
    """Another process."""
    del here
    async with running(database_url) as world:
        yield world


@pytest.fixture
async def behind(here, there):
    """A Service that the process here knows, and that somebody has labelled there since."""
    await here.create(SERVICE, HEADLESS)
    await here.parts.mirror.fresh()
    # From now on the process here learns of changes only when it asks.
    here.parts.notifications.unsubscribe(CHANGES, here.parts.mirror._hinted)
    here.parts.mirror._follower._timer.cancel()
    await here.parts.mirror.fresh()
    yield await there.change(SERVICE, "web", lambda obj: labelled(obj, by="others"))
    here.parts.notifications.subscribe(CHANGES, here.parts.mirror._hinted)


def labelled(obj, **labels):
    obj.metadata.labels = labels


def known(world):
    return world.parts.mirror.get(SERVICE.key, "default", "web")


def patched(kind, document):
    applying = Applying("tests", force=False, subresource="", now="2026-01-01T00:00:00Z")
    return prepare_patch(SERVICE, kind, document, strictness=Strictness.STRICT, applying=applying)


async def test_what_others_wrote_meanwhile_stays(here, behind):
    assert known(here).revision < int(behind.metadata.resource_version)
    await here.registry.patch(WEB, patched(MERGE_PATCH, b'{"metadata":{"labels":{"ours":"too"}}}'), BY_US)
    assert (await here.get(SERVICE, "web")).metadata.labels == {"by": "others", "ours": "too"}


async def test_a_patch_that_fits_the_present_alone(here, behind):
    del behind
    patch = (
        b'[{"op":"test","path":"/metadata/labels/by","value":"others"},{"op":"remove","path":"/metadata/labels/by"}]'
    )
    await here.registry.patch(WEB, patched(JSON_PATCH, patch), BY_US)
    assert not (await here.get(SERVICE, "web")).metadata.labels


async def test_a_revision_that_is_not_known_yet(here, behind):
    labelled(behind, by="us")
    await here.registry.update(WEB, behind, BY_US)
    assert (await here.get(SERVICE, "web")).metadata.labels == {"by": "us"}


async def test_a_revision_that_is_known_and_gone(here, behind):
    behind.metadata.resource_version = str(known(here).revision)
    labelled(behind, by="us")
    with pytest.raises(Conflict, match="the object has been modified"):
        await here.registry.update(WEB, behind, BY_US)


async def test_what_changes_nothing_shows_the_present(here, behind):
    behind.metadata.resource_version = None
    answer = await here.registry.update(WEB, behind, BY_US)
    assert answer.entry.revision == known(here).revision
    assert b"others" in answer.entry.wire


async def test_the_last_state_of_what_is_deleted(here, behind):
    del behind
    answer = await here.registry.delete(WEB, DeleteOptions())
    assert b"others" in answer.entry.wire


async def test_a_precondition_that_holds_at_present(here, behind):
    await here.registry.delete(WEB, DeleteOptions(resource_version=behind.metadata.resource_version))
    with pytest.raises(NotFound):
        await here.registry.delete(WEB, DeleteOptions())


async def test_a_precondition_that_held_before(here, behind):
    del behind
    with pytest.raises(Conflict, match="Precondition failed"):
        await here.registry.delete(WEB, DeleteOptions(resource_version=str(known(here).revision)))


async def test_another_object_of_the_name(here, there, behind):
    await there.delete(SERVICE, "web")
    await there.create(SERVICE, HEADLESS)
    with pytest.raises(Conflict, match="UID"):
        await here.registry.delete(WEB, DeleteOptions(uid=behind.metadata.uid))


async def test_what_others_have_deleted(here, there, behind):
    await there.delete(SERVICE, "web")
    del behind
    patch = patched(MERGE_PATCH, b'{"metadata":{"labels":{"ours":"too"}}}')
    for write in (here.registry.patch(WEB, patch, BY_US), here.registry.delete(WEB, DeleteOptions())):
        with pytest.raises(NotFound):
            await write


async def test_a_refusal_is_the_same(here):
    obj = await here.create(SERVICE, HEADLESS)
    obj.spec.ports[0].port = 70_000
    with pytest.raises(Invalid, match=r"spec\.ports\[0\]\.port"):
        await here.registry.update(WEB, obj, BY_US)


async def test_a_read_that_may_show_the_past_shows_what_the_process_wrote_itself(here, behind):
    """Clients list with resourceVersion 0 right after they have written."""
    del behind
    await here.registry.delete(WEB, DeleteOptions())
    options = ListOptions(resource_version="0")
    assert not (await here.registry.list(target(SERVICE, "default"), options)).entries
    with pytest.raises(NotFound):
        await here.registry.get(WEB, "0")
