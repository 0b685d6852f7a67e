"""Who is told, of what, and what happens when the listening session is lost."""

from collections import Counter

import pytest

from app.store.notifications import CHANGES, PENDING, RELEASED
from app.store.store import Store
from tests.store.writing import committed, eventually, service, session, shop, uid

pytestmark = pytest.mark.anyio

LISTENERS = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'fairlead-listen%' AND query LIKE 'LISTEN%'"


async def listen(store: Store) -> Counter[str]:
    """Counts calls; returns when the session listens and the first calls, without cause, have been made."""
    heard: Counter[str] = Counter()
    for channel in (CHANGES, PENDING, RELEASED):
        store.notifications.subscribe(channel, lambda _, channel=channel: heard.update([channel]))
    await store.notifications.close()
    await store.notifications.start()
    await eventually(lambda: len(heard) == 3)
    heard.clear()
    return heard


async def test_each_channel_tells_of_its_own(store: Store):
    heard = await listen(store)
    await shop(store)
    await eventually(lambda: heard == {CHANGES: 1})
    owner = uid()
    await committed(store, service("create", "web", owner, "node_ports 1", published=False))
    await eventually(lambda: heard == {CHANGES: 1, PENDING: 1})
    await committed(store, service("publish", "web", owner, "node_ports 1", "node_ports 2", pending=True))
    await eventually(lambda: heard == {CHANGES: 2, PENDING: 2})
    await committed(store, service("update", "web", owner, "node_ports 1"))
    await eventually(lambda: heard == {CHANGES: 3, PENDING: 2, RELEASED: 1})
    await committed(store, service("delete", "web", owner))
    await eventually(lambda: heard == {CHANGES: 4, PENDING: 2, RELEASED: 2})


async def test_writes_that_are_refused_tell_nobody(store: Store):
    heard = await listen(store)
    await store.writer.write(service("update", "web", uid()))
    await shop(store)
    await eventually(lambda: heard[CHANGES])
    assert heard == {CHANGES: 1}


async def test_a_lost_session_is_opened_again_and_everybody_is_called(store: Store):
    heard = await listen(store)
    async with session(store) as connection:
        (listener,) = await connection.fetch(LISTENERS)
        await connection.execute("SELECT pg_terminate_backend($1)", listener["pid"])
    await eventually(lambda: heard == {CHANGES: 1, PENDING: 1, RELEASED: 1})
    await shop(store)
    await eventually(lambda: heard[CHANGES] == 2)


async def test_who_unsubscribed_is_left_alone(store: Store):
    heard = await listen(store)
    calls: list[int] = []

    def callback(_payload: str) -> None:
        calls.append(1)

    store.notifications.subscribe(CHANGES, callback)
    store.notifications.unsubscribe(CHANGES, callback)
    await shop(store)
    await eventually(lambda: heard[CHANGES])
    assert not calls
