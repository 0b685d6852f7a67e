import asyncio
import time


def until(condition, timeout=60.0, pause=0.02):
    """Waits for a condition, and returns what it returned; a condition that never comes fails the test."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(pause)
    return result


async def eventually(condition, timeout=60.0, pause=0.02):  # noqa: ASYNC109 - a failure here, not an answer
    """`until` for a coroutine function: waits for what it answers to be true, and returns that."""
    deadline = time.monotonic() + timeout
    while not (result := await condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(pause)
    return result
