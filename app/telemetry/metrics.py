"""All metrics. They have the names of Kubernetes' where they measure the same.

A scrape through a port that several processes share reaches only one of them. So under `fairlead serve` all processes
write to files in one directory, and each answers a scrape for all, the reconciler included. That is the multiprocess
mode of prometheus_client: the environment variable PROMETHEUS_MULTIPROC_DIR must be set before this module is imported.
A process that runs alone answers for itself.
"""

import os
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

REQUESTS = Counter("apiserver_request_total", "Requests answered", ["verb", "resource", "code"])
REQUEST_SECONDS = Histogram(
    "apiserver_request_duration_seconds", "Time to answer, watches left out", ["verb", "resource"], buckets=_SECONDS
)
REQUESTS_IN_FLIGHT = Gauge(
    "apiserver_current_inflight_requests", "Requests being answered", ["request_kind"], multiprocess_mode="livesum"
)
BODY_BYTES = Gauge("fairlead_request_body_bytes", "Bytes of request bodies in memory", multiprocess_mode="livesum")
WATCHES = Gauge("apiserver_longrunning_requests", "Watches open", ["resource"], multiprocess_mode="livesum")
WATCH_EVENTS = Counter("apiserver_watch_events_total", "Events sent to watchers", ["resource"])
WATCHES_DROPPED = Counter(
    "fairlead_watches_dropped_total", "Watches ended because the client did not read", ["resource"]
)

COMMITS = Counter("fairlead_store_commits_total", "Batches of writes committed together", ["outcome"])
COMMIT_WRITES = Histogram("fairlead_store_commit_writes", "Writes in a batch", buckets=_COUNTS)
COMMIT_SECONDS = Histogram("fairlead_store_commit_duration_seconds", "Time of a batch's round trip", buckets=_SECONDS)
COMMIT_LOCK_SECONDS = Histogram(
    "fairlead_store_lock_held_seconds", "Time a batch held the write lock", buckets=_SECONDS
)
COMMIT_QUEUE = Gauge("fairlead_store_commit_queue", "Writes waiting for a batch", multiprocess_mode="livesum")

MIRROR_REVISION = Gauge("fairlead_mirror_revision", "Newest revision in memory", multiprocess_mode="livemin")
MIRROR_OBJECTS = Gauge("fairlead_mirror_objects", "Objects in memory", ["resource"], multiprocess_mode="livemax")
MIRROR_RELOADS = Counter("fairlead_mirror_reloads_total", "Times all objects were read again")

QUEUE_DEPTH = Gauge("workqueue_depth", "Keys waiting", ["name"], multiprocess_mode="livesum")
QUEUE_ADDS = Counter("workqueue_adds_total", "Keys added", ["name"])
QUEUE_RETRIES = Counter("workqueue_retries_total", "Keys added again after a failure", ["name"])
WORK_SECONDS = Histogram("workqueue_work_duration_seconds", "Time a batch of keys took", ["name"], buckets=_SECONDS)

LEASE_HELD = Gauge(
    "fairlead_lease_held",
    "Whether some process holds a lease, as API processes see it: 1 or 0",
    ["name"],
    multiprocess_mode="livemin",
)

POOL_SIZE = Gauge(
    "fairlead_pool_size", "Addresses or ports in a pool", ["pool", "family", "scope"], multiprocess_mode="mostrecent"
)
POOL_FREE = Gauge(
    "fairlead_pool_free",
    "Free addresses or ports in a pool",
    ["pool", "family", "scope"],
    multiprocess_mode="mostrecent",
)


def exposition() -> bytes:
    """The answer to a scrape in Prometheus' text format, for all processes if they share a directory."""
    if MULTIPROCESS_VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # ships partial types
    return generate_latest(registry)


def forget_process(pid: int, directory: Path) -> None:
    """Remove a process that has ended from the gauges. Its counters stay."""
    mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]  # ships partial types
