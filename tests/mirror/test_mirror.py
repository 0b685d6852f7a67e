import asyncio

import pytest

from tests.mirror.conftest import running_mirror, running_store
from tests.mirror.world import NAMESPACES, SERVICES, Chaos, committed, create, delete, held, note_of, stored, update

pytestmark = pytest.mark.anyio


async def test_it_equals_the_store_at_every_fresh_while_two_processes_write(store, database_url):
    async with running_store(database_url) as other, running_mirror(store) as mirror, running_mirror(other) as second:
        writers = [Chaos(store.writer, mirror, 1), Chaos(other.writer, second, 2), Chaos(store.writer, second, 3)]
        for _ in range(5):
            await asyncio.gather(*(writer.run(40) for writer in writers))
            await asyncio.gather(mirror.fresh(), second.fresh())
            truth = await stored(database_url)
            assert held(mirror) == truth
            assert held(second) == truth


async def test_what_another_process_committed_is_there_after_fresh(mirror, database_url):
    async with running_store(database_url) as other:
        for step in range(50):
            revision = await committed(other.writer, create("blue", f"s{step}"))
            assert await mirror.fresh() >= revision
            assert mirror.get(SERVICES, "blue", f"s{step}").revision == revision


async def test_a_mirror_that_starts_later_holds_what_was_there(store, mirror, database_url):
    await Chaos(store.writer, mirror, 4).run(60)
    async with running_mirror(store) as later:
        assert later.ready
        assert held(later) == await stored(database_url)
        assert len(later) == len(held(later))


async def test_by_uid_follows_an_object_that_is_deleted_and_made_again(store, mirror):
    await committed(store.writer, create("blue", "web"))
    await mirror.fresh()
    first = mirror.get(SERVICES, "blue", "web")
    await committed(store.writer, delete(first))
    await committed(store.writer, create("blue", "web"))
    await mirror.fresh()
    second = mirror.get(SERVICES, "blue", "web")
    assert second.uid != first.uid
    assert mirror.by_uid(first.uid) is None
    assert mirror.by_uid(second.uid) is second


async def test_a_hint_brings_a_change_in_without_anybody_asking(store, mirror):
    write = create("blue", "web")
    waiting = asyncio.create_task(mirror.wait_for(write.uid, 30))
    await asyncio.sleep(0)
    await committed(store.writer, write)
    assert (await waiting).name == "web"


async def test_wait_for_resolves_when_an_unpublished_object_is_published(store, mirror):
    write = create("blue", "web", published=False)
    assert await committed(store.writer, write) is None
    assert await mirror.wait_for(write.uid, 0.01) is None
    waiting = [asyncio.create_task(mirror.wait_for(write.uid, 30)) for _ in range(3)]
    await mirror.fresh()
    assert not any(task.done() for task in waiting)
    revision = await committed(store.writer, update(write, "published", "publish"))
    assert {(await task).revision for task in waiting} == {revision}
    assert (await mirror.wait_for(write.uid, 0)).revision == revision


async def test_wait_for_a_later_state_skips_the_known_one_and_ends_with_a_deletion(store, mirror):
    revision = await committed(store.writer, create("blue", "web"))
    await mirror.at_least(revision, 5)
    entry = mirror.get(SERVICES, "blue", "web")
    waiting = asyncio.create_task(mirror.wait_for(entry.uid, 30, after=revision))
    await asyncio.sleep(0)
    await committed(store.writer, update(entry, "later"))
    later = await waiting
    assert note_of(later) == "later"
    waiting = asyncio.create_task(mirror.wait_for(entry.uid, 30, after=later.revision))
    await asyncio.sleep(0)
    await committed(store.writer, delete(entry))
    assert await waiting is None


async def test_at_least_waits_for_the_future_and_gives_up(store, mirror):
    revision = await committed(store.writer, create("blue", "web"))
    assert await mirror.at_least(revision, 0)
    assert not await mirror.at_least(revision + 1, 0.01)
    waiting = asyncio.create_task(mirror.at_least(revision + 1, 30))
    await asyncio.sleep(0)
    await committed(store.writer, create("blue", "api"))
    assert await waiting


async def test_subscribers_are_told_of_each_change_once_and_a_failing_one_harms_nobody(store, mirror):
    seen = []

    def broken(_):
        raise RuntimeError("broken")

    mirror.subscribe(broken, lambda: None)
    mirror.subscribe(seen.extend, lambda: None)
    revisions = [await committed(store.writer, create("blue", f"s{step}")) for step in range(20)]
    await mirror.fresh()
    assert [change.revision for change in seen] == revisions
    assert all(change.type == "ADDED" and change.previous is None for change in seen)


async def test_every_older_revision_can_be_listed_as_it_was(store, mirror):
    writers = [Chaos(store.writer, mirror, seed) for seed in (7, 8)]
    then = {}
    for _ in range(60):
        await asyncio.gather(*(writer.run(1) for writer in writers))
        revision = await mirror.fresh()
        then[revision] = [list(mirror.list(SERVICES, scope)) for scope in (None, *NAMESPACES)]
    known = {(entry.namespace, entry.name) for lists in then.values() for entry in lists[0]}
    for revision, lists in then.items():
        assert [list(mirror.list_at(SERVICES, scope, revision)) for scope in (None, *NAMESPACES)] == lists
        whole = {(entry.namespace, entry.name): entry for entry in lists[0]}
        assert {key: mirror.get_at(SERVICES, *key, revision) for key in known} == {key: whole.get(key) for key in known}


async def test_pages_at_one_revision_are_the_list_at_that_revision(store, mirror):
    writer = Chaos(store.writer, mirror, 5)
    await writer.run(80, names=40)
    await mirror.fresh()
    revision = mirror.revision
    whole = list(mirror.list(SERVICES, None))
    after, pages = None, []
    while True:
        page = mirror.page_at(SERVICES, None, revision, after, 7)
        pages += page.entries
        assert page.remaining == len(whole) - len(pages)
        if not page.remaining:
            break
        after = (page.entries[-1].namespace, page.entries[-1].name)
        await writer.run(10, names=40)
        await mirror.fresh()
    assert pages == whole
    assert list(mirror.list_at(SERVICES, None, revision)) == whole
    assert list(mirror.list(SERVICES, None)) != whole


async def test_a_mirror_of_some_kinds_knows_nothing_of_others_and_stays_current(store, database_url):
    for kind in (SERVICES, "pods"):
        await committed(store.writer, create("blue", "before", kind=kind))
    async with running_mirror(store, kinds=[SERVICES]) as mirror:
        revision = await committed(store.writer, create("blue", "after", kind="pods"))
        assert await mirror.fresh() == revision
        assert (len(mirror), mirror.list("pods", None)) == (1, [])
        made = await committed(store.writer, create("blue", "after"))
        assert await mirror.fresh() == made
        assert [entry.name for entry in mirror.list(SERVICES, None)] == ["after", "before"]
        assert [entry.name for entry in mirror.list_at(SERVICES, None, revision)] == ["before"]
        assert len(await stored(database_url)) > len(mirror)
