import time


def until(condition, timeout=15.0):
    """Waits for a condition, and returns what it returned; a condition that never comes fails the test."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return result
