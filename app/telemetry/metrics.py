"""All metrics. They have the names of Kubernetes' where they measure the same.

A scrape through a port that several processes share reaches only one of them. So under `fairlead serve` all processes
write to files in one directory, and each answers a scrape for all, the reconciler included. That is the multiprocess
mode of prometheus_client: the environment variable PROMETHEUS_MULTIPROC_DIR must be set before this module is imported.
A process that runs alone answers for itself.
"""

import platform
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.multiprocess import mark_process_dead

from app import __version__

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

REQUESTS = Counter("apiserver_request_total", "Requests answered", ["verb", "resource", "code"])
REQUEST_SECONDS = Histogram(
    "apiserver_request_duration_seconds", "Time to answer, watches left out", ["verb", "resource"], buckets=SECONDS
)
REQUESTS_IN_FLIGHT = Gauge(
    "apiserver_current_inflight_requests", "Requests being answered", ["request_kind"], multiprocess_mode="livesum"
)
QUEUE_SEATS = Gauge(
    "apiserver_flowcontrol_nominal_limit_seats",
    "Requests of a class that are answered at once",
    ["priority_level"],
    multiprocess_mode="livesum",
)
QUEUE_SEATS_TAKEN = Gauge(
    "apiserver_flowcontrol_current_executing_seats",
    "Requests of a class that are being answered",
    ["priority_level"],
    multiprocess_mode="livesum",
)
QUEUE_WAITING = Gauge(
    "apiserver_flowcontrol_current_inqueue_requests",
    "Requests of a class that wait for their turn",
    ["priority_level"],
    multiprocess_mode="livesum",
)
QUEUE_DISPATCHED = Counter(
    "apiserver_flowcontrol_dispatched_requests", "Requests of a class that got their turn", ["priority_level"]
)
QUEUE_REJECTED = Counter(
    "apiserver_flowcontrol_rejected_requests", "Requests of a class that were refused", ["priority_level", "reason"]
)
QUEUE_WAIT_SECONDS = Histogram(
    "apiserver_flowcontrol_request_wait_duration_seconds",
    "Time that a request waited for its turn, of those that waited",
    ["priority_level"],
    buckets=SECONDS,
)
BODY_BYTES = Gauge("fairlead_request_body_bytes", "Bytes of request bodies in memory", multiprocess_mode="livesum")
BODIES_REFUSED = Counter("fairlead_bodies_refused_total", "Bodies refused for want of memory for them", ["limit"])
CONNECTIONS = Gauge(
    "fairlead_connections", "Connections open, by whose they are", ["belongs_to"], multiprocess_mode="livesum"
)
CONNECTIONS_REFUSED = Counter(
    "fairlead_connections_refused_total", "Connections refused because too many are open", ["limit"]
)
WATCHES = Gauge("apiserver_longrunning_requests", "Watches open", ["resource"], multiprocess_mode="livesum")
WATCH_EVENTS = Counter("apiserver_watch_events_total", "Events sent to watchers", ["resource"])
WATCHES_REFUSED = Counter("fairlead_watches_refused_total", "Watches refused because too many are open", ["limit"])
WATCHES_DROPPED = Counter(
    "fairlead_watches_dropped_total", "Watches ended because the client did not read", ["resource"]
)

AUDIT_EVENTS = Counter("apiserver_audit_event", "Lines of the audit log")
AUDIT_ERRORS = Counter("apiserver_audit_error", "Times the audit log could not be written", ["plugin"])
AUDIT_REJECTED = Counter(
    "apiserver_audit_requests_rejected", "Requests refused because the audit log could not be written"
)
AUDIT_PENDING = Gauge(
    "fairlead_audit_pending_bytes", "Bytes of the audit log that wait to be written", multiprocess_mode="livesum"
)
AUTHENTICATION_ATTEMPTS = Counter("authentication_attempts", "Credentials looked at", ["result"])
AUTHENTICATION_FAILURES = Counter("fairlead_authentication_failures", "Credentials refused", ["reason"])

COMMITS = Counter("fairlead_store_commits_total", "Batches of writes committed together", ["outcome"])
COMMIT_WRITES = Histogram("fairlead_store_commit_writes", "Writes in a batch", buckets=_COUNTS)
QUOTA_REFUSALS = Counter(
    "fairlead_quota_refusals", "Writes that a ResourceQuota or the limit of a namespace did not allow", ["limit"]
)
COMMIT_SECONDS = Histogram("fairlead_store_commit_duration_seconds", "Time of a batch's round trip", buckets=SECONDS)
COMMIT_LOCK_SECONDS = Histogram("fairlead_store_lock_held_seconds", "Time a batch held the write lock", buckets=SECONDS)
COMMIT_QUEUE = Gauge("fairlead_store_commit_queue", "Writes waiting for a batch", multiprocess_mode="livesum")

MIRROR_REVISION = Gauge("fairlead_mirror_revision", "Newest revision in memory", multiprocess_mode="livemin")
MIRROR_OBJECTS = Gauge("fairlead_mirror_objects", "Objects in memory", ["resource"], multiprocess_mode="livemax")
MIRROR_RELOADS = Counter("fairlead_mirror_reloads_total", "Times all objects were read again")

QUEUE_DEPTH = Gauge("workqueue_depth", "Keys waiting", ["name"], multiprocess_mode="livesum")
QUEUE_ADDS = Counter("workqueue_adds_total", "Keys added", ["name"])
QUEUE_RETRIES = Counter("workqueue_retries_total", "Keys added again, after a failure or to wait", ["name"])
FAILURES = Counter("fairlead_controller_failures_total", "Attempts at keys that failed", ["name"])
WORK_SECONDS = Histogram("workqueue_work_duration_seconds", "Time a batch of keys took", ["name"], buckets=SECONDS)

DNS_QUERIES = Counter("fairlead_dns_queries_total", "DNS queries answered", ["type", "rcode"])
DNS_SECONDS = Histogram(
    "fairlead_dns_answer_duration_seconds",
    "Time from a query's arrival in the process to its answer; of queries that arrive together, one is measured",
    ["transport"],
    buckets=(0.00005, 0.0001, 0.00025, 0.0005, *SECONDS[:8]),
)
DNS_LIMITED = Counter("fairlead_dns_limited_total", "DNS answers truncated because their network was over its limit")
DNS_SERIAL = Gauge("fairlead_dns_zone_serial", "Serial of a DNS zone", ["zone"], multiprocess_mode="livemin")
DNS_TRANSFERS = Counter("fairlead_dns_transfers_total", "Zone transfers answered", ["type", "outcome"])
DNS_SECONDARY_SERIAL = Gauge(
    "fairlead_dns_secondary_serial", "Serial that a secondary has", ["zone", "server"], multiprocess_mode="mostrecent"
)
DNS_SECONDARY_LAG = Gauge(
    "fairlead_dns_secondary_lag_seconds",
    "Seconds for which a secondary has not had the present serial",
    ["zone", "server"],
    multiprocess_mode="mostrecent",
)
DNS_READY_BYTES = Gauge("fairlead_dns_ready_bytes", "Bytes of DNS answers kept ready", multiprocess_mode="livesum")
DNS_CONNECTIONS = Gauge("fairlead_dns_connections", "TCP connections of DNS clients", multiprocess_mode="livesum")

LEASE_HELD = Gauge(
    "fairlead_lease_held",
    "Whether some process holds a lease, as API processes see it: 1 or 0",
    ["name"],
    multiprocess_mode="livemin",
)

WAITING_OBJECTS = Gauge(
    "fairlead_waiting_objects",
    "Objects that wait for an address, a port or a name to be free",
    multiprocess_mode="mostrecent",
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

PLANE_REVISION = Gauge(
    "fairlead_data_plane_revision",
    "Revision up to which a data plane has taken everything",
    ["plane"],
    multiprocess_mode="livemax",
)
PLANE_LAG = Gauge(
    "fairlead_data_plane_lag_revisions",
    "How far the revision of a data plane is behind what it is to be sent",
    ["plane"],
    multiprocess_mode="livemin",
)
PLANE_CONNECTED = Gauge(
    "fairlead_data_plane_connected", "Whether a data plane is connected: 1 or 0", ["plane"], multiprocess_mode="livemax"
)
PLANE_PUSHES = Counter("fairlead_data_plane_pushes_total", "Responses sent to a data plane", ["plane"])
PLANE_REJECTIONS = Counter("fairlead_data_plane_rejections_total", "Responses that a data plane refused", ["plane"])
PLANE_BYTES = Counter("fairlead_data_plane_sent_bytes_total", "Bytes of responses sent to a data plane", ["plane"])

ALLOCATED_AT_ONCE = Counter(
    "fairlead_allocations_at_once_total",
    "New Services for which an API process looked into its stock of addresses and ports: given, refused for a claim, "
    "or left to the reconciler",
    ["outcome"],
)
ALLOCATION_SECONDS = Histogram(
    "fairlead_allocation_wait_seconds", "Time for which a new object waited for its allocation", buckets=SECONDS
)

CERTIFICATE_EXPIRY = Gauge(
    "fairlead_certificate_expiry_timestamp_seconds",
    "When a certificate ends, in Unix time; of authorities the last of a file",
    ["use"],
    multiprocess_mode="livemin",
)
BACKUP_TIME = Gauge(
    "fairlead_last_backup_timestamp_seconds",
    "When the last backup was made and tried, in Unix time",
    ["type"],
    multiprocess_mode="livemax",
)

BUILD_INFO = Gauge(
    "fairlead_build_info", "Always 1; the labels tell what runs", ["version", "python"], multiprocess_mode="livemax"
)
BUILD_INFO.labels(__version__, platform.python_version()).set(1)


def forget_process(pid: int, directory: Path) -> None:
    """Remove a process that has ended from the gauges. Its counters stay."""
    mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]  # ships partial types
