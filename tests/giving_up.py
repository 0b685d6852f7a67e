"""Work that is given up at a chosen moment: whatever it has opened by then has to be closed."""

import asyncio
import types


@types.coroutine
def given_up_at(wait, work):
    """Await `work`, and cancel it when it waits for the so-manieth time, beginning with 0."""
    steps = work.__await__()
    count, send, argument = 0, steps.send, None
    while True:
        try:
            future = send(argument)
        except StopIteration as end:
            return end.value
        if count == wait:
            asyncio.current_task().cancel()
        count += 1
        try:
            yield future
            send, argument = steps.send, None
        except BaseException as error:  # noqa: BLE001 - it goes on to the work
            send, argument = steps.throw, error


async def each_way_to_give_up(work):
    """Call `work` and give it up, later each time, until it gets to its end; answers how often it was given up."""
    wait = 0
    while True:
        task = asyncio.create_task(given_up_at(wait, work()))
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
            return wait
        wait += 1
