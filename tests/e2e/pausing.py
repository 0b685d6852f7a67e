"""Processes that are paused together. Backends of Postgres come and go: one that has ended meanwhile is passed over."""

from contextlib import suppress

import psutil


def suspend(processes):
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.suspend()


def resume(processes):
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.resume()
