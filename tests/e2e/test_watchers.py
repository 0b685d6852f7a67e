"""What somebody sees who was watching before anything happened."""

import asyncio
from collections import Counter

import pytest

from tests.e2e.client import watching
from tests.e2e.subject import is_allocated, mark_of
from tests.e2e.workload import Load


@pytest.mark.parametrize(("size", "watchers"), [(200, 3), pytest.param(1_000, 20, marks=pytest.mark.soak)])
async def test_each_service_appears_once_and_whole(product, namespace, size, watchers):
    load = Load([product.url], namespace, range(size))
    path = f"/api/v1/namespaces/{namespace}/services?watch=true"

    async def watch():
        seen, left = [], size
        async with watching(product.url, path) as events, asyncio.timeout(300):
            started.release()
            async for event in events:
                seen.append(event)
                left -= event["type"] == "DELETED"
                if not left:
                    return seen
        raise AssertionError("the watch ended")

    started = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(watch()) for _ in range(watchers)]
        for _ in tasks:
            await started.acquire()
        await load.run(lambda worker: worker.create_all())
        await load.run(lambda worker: worker.update_all())
        await load.run(lambda worker: worker.delete_all())

    written = {write.revision: (write.type, write.mark) for write in load.record.writes}
    for task in tasks:
        events = {int(event["object"]["metadata"]["resourceVersion"]): event for event in task.result()}
        assert list(events) == sorted(events)
        assert len(events) == len(task.result())
        told = {revision: (event["type"], mark_of(event["object"])) for revision, event in events.items()}
        assert told.items() >= written.items()
        assert all(is_allocated(event["object"]) for event in events.values() if event["type"] == "ADDED")
        # An update that needs something new is stored first and allocated then: it answers with the second change.
        others = {told[revision][0] for revision in told.keys() - written.keys()}
        assert others <= {"MODIFIED"}
        assert Counter(type_ for type_, _ in told.values())["ADDED"] == size
