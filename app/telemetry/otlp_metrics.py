"""The metrics of this process in OpenTelemetry's form: the same that a scrape shows, counted once."""

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import structlog
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import Metric as Family
from prometheus_client.samples import Sample

from app import __version__
from app.telemetry.exposition import own_metrics

_SCOPE = InstrumentationScope("fairlead", __version__)
_UNITS = {"seconds": "s", "bytes": "By"}

_log = structlog.stdlib.get_logger(__name__)

Labels = tuple[tuple[str, str], ...]


class MetricReports:
    """Reports from a thread of its own: every `seconds`, and once more at the end."""

    def __init__(self, exporter: OTLPMetricExporter, resource: Resource, seconds: int) -> None:
        self._exporter = exporter
        self._resource = resource
        self._seconds = seconds
        self._since = time.time_ns()
        self._ending = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Report for the last time, and wait for that so long."""
        self._ending.set()
        self._thread.join(seconds)
        self._exporter.shutdown()

    def _run(self) -> None:
        ended = False
        while not ended:
            ended = self._ending.wait(self._seconds)
            report = metrics_data(own_metrics(), self._resource, self._since, time.time_ns())
            sent = self._exporter.export(report) is MetricExportResult.SUCCESS
            if not sent and not self._failing:
                _log.warning("metrics cannot be sent to the collector")
            self._failing = not sent


def metrics_data(families: Iterable[Family], resource: Resource, since: int, now: int) -> MetricsData:
    """A report of what prometheus_client has counted.

    Args:
        families: What it has.
        resource: Whose they are.
        since: When counting began, in nanoseconds.
        now: The present.
    """
    metrics = [_metric(family, since, now) for family in families if family.samples]
    return MetricsData([ResourceMetrics(resource, [ScopeMetrics(_SCOPE, metrics, "")], "")])


def _metric(family: Family, since: int, now: int) -> Metric:
    data: Sum | Gauge | Histogram
    if family.type == "histogram":
        points = list(_distributions(family, since, now))
        data = Histogram(points, AggregationTemporality.CUMULATIVE)
    elif family.type == "counter":
        values = [each for each in family.samples if each.name.endswith("_total")]
        data = Sum(_numbers(values, since, now), AggregationTemporality.CUMULATIVE, is_monotonic=True)
    else:
        data = Gauge(_numbers(family.samples, since, now))
    name = f"{family.name}_total" if family.type == "counter" else family.name
    return Metric(name, family.documentation, _UNITS.get(family.name.rpartition("_")[2], ""), data)


def _numbers(samples: Sequence[Sample], since: int, now: int) -> list[NumberDataPoint]:
    return [NumberDataPoint(dict(each.labels), since, now, each.value) for each in samples]


def _distributions(family: Family, since: int, now: int) -> Iterator[HistogramDataPoint]:
    """One point for each set of labels. Buckets count what is below their bound; here each counts its own."""
    buckets: dict[Labels, list[Sample]] = defaultdict(list)
    sums: dict[Labels, float] = {}
    for sample in family.samples:
        labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
        if sample.name.endswith("_bucket"):
            buckets[labels].append(sample)
        elif sample.name.endswith("_sum"):
            sums[labels] = sample.value
    for labels, own in buckets.items():
        own.sort(key=lambda each: float(each.labels["le"]))
        below = [0, *(round(each.value) for each in own)]
        yield HistogramDataPoint(
            attributes=dict(labels),
            start_time_unix_nano=since,
            time_unix_nano=now,
            count=below[-1],
            sum=sums.get(labels, 0.0),
            bucket_counts=[after - before for before, after in itertools.pairwise(below)],
            explicit_bounds=[float(each.labels["le"]) for each in own[:-1]],
            min=None,  # type: ignore[arg-type]  # not known, which the message can say
            max=None,  # type: ignore[arg-type]  # as above
            exemplars=[found for each in own if (found := _exemplar(each)) is not None],
        )


def _exemplar(sample: Sample) -> Exemplar | None:
    """An exemplar of what a bucket counted, with its trace."""
    found = sample.exemplar
    if found is None or "trace_id" not in found.labels:
        return None
    moment = round(float(found.timestamp or 0) * 1e9)
    span, trace = int(found.labels["span_id"], 16), int(found.labels["trace_id"], 16)
    return Exemplar({}, found.value, moment, span, trace)
