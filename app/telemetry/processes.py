"""What the processes of a server use, as Prometheus' clients tell it of their own process."""

import contextlib
from collections.abc import Iterator

import psutil
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_ROLES = ("serve", "api", "reconciler", "dns", "xds", "console", "envoy", "postgres")


class ProcessCollector(Collector):
    """Tells, at each scrape, what `serve` and every process that it started use; sessions of Postgres are left out.

    A process that runs alone needs none: prometheus_client's own collector tells the same of it without labels.

    Args:
        pid: The process that started all others.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def collect(self) -> Iterator[Metric]:
        """The metrics of all processes that run now."""
        labels = ["process", "pid"]
        seconds = CounterMetricFamily("process_cpu_seconds", "User and system time", labels=labels)
        resident = GaugeMetricFamily("process_resident_memory_bytes", "Memory in use", labels=labels)
        files = GaugeMetricFamily("process_open_fds", "Open files and connections", labels=labels)
        started = GaugeMetricFamily("process_start_time_seconds", "When it started, in Unix time", labels=labels)
        for process in self._running():
            try:
                with process.oneshot():
                    where = [_role(process), str(process.pid)]
                    times = process.cpu_times()
                    used, since = process.memory_info().rss, process.create_time()
            except psutil.Error:  # it has just ended
                continue
            seconds.add_metric(where, times.user + times.system)
            resident.add_metric(where, used)
            started.add_metric(where, since)
            # What a process of another user has open, such as an embedded Postgres, is not always to be seen.
            with contextlib.suppress(psutil.Error):
                files.add_metric(where, process.num_fds())
        yield from (seconds, resident, files, started)

    def _running(self) -> list[psutil.Process]:
        try:
            first = psutil.Process(self._pid)
            return [first, *first.children()]
        except psutil.Error:
            return []


def _role(process: psutil.Process) -> str:
    """What a process is for: the command of ours that it runs, or the name of its program."""
    command = process.cmdline()
    words = {word.rpartition("/")[2].partition(":")[0] for word in command}
    return next((role for role in _ROLES if role in words), process.name())
