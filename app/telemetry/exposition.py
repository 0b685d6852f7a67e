"""The answer to a scrape, in OpenMetrics or in Prometheus' older text format, as the scraper asks for."""

import os
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping

from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

from app.telemetry.metrics import MULTIPROCESS_VARIABLE, SECONDS
from app.telemetry.processes import ProcessCollector

_NAME = "apiserver_request_duration_seconds"
_BOUNDS = (*SECONDS, float("inf"))


class Examples:
    """For each bucket of the time to answer, the last request that was traced, with its trace.

    prometheus_client keeps such examples, but not where several processes share a directory. Then a scrape shows those
    of the process that it reaches.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], Exemplar] = {}

    def note(self, verb: str, resource: str, seconds: float, trace: Mapping[str, str]) -> None:
        """A traced request was answered."""
        bound = floatToGoString(_BOUNDS[bisect_left(_BOUNDS, seconds)])  # type: ignore[no-untyped-call]
        self._found[verb, resource, bound] = Exemplar(dict(trace), seconds, time.time())

    def shown(self, family: Metric) -> Metric:
        """A metric with its exemplars."""
        if family.name == _NAME and self._found:
            family.samples = [
                sample._replace(exemplar=self._found.get(_place(sample.labels)))
                if sample.name.endswith("_bucket")
                else sample
                for sample in family.samples
            ]
        return family


def _place(labels: Mapping[str, str]) -> tuple[str, str, str]:
    return labels["verb"], labels["resource"], labels["le"]


EXAMPLES = Examples()


class _WithExamples(Collector):
    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def collect(self) -> Iterator[Metric]:
        """The metrics, with exemplars."""
        return map(EXAMPLES.shown, self._collector.collect())


def own_metrics() -> Iterator[Metric]:
    """What this process has counted itself."""
    return _WithExamples(REGISTRY).collect()


def exposition(accept: str = "") -> tuple[bytes, str]:
    """The answer to a scrape, for all processes if they share a directory, and its media type.

    Args:
        accept: The header of the request.
    """
    encode, content_type = choose_encoder(accept)
    if MULTIPROCESS_VARIABLE not in os.environ:
        return encode(_WithExamples(REGISTRY)), content_type
    registry = CollectorRegistry()
    registry.register(_WithExamples(MultiProcessCollector(None)))  # type: ignore[no-untyped-call]  # partial types
    registry.register(ProcessCollector(os.getppid()))
    return encode(registry), content_type
