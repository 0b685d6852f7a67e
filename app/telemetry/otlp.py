"""What is sent to a collector of OpenTelemetry. It takes a fifth of a second to import: only who sends does."""

import uuid

from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from app import __version__
from app.telemetry import tracing
from app.telemetry.otlp_metrics import MetricReports

_SEND_SECONDS = 5.0
"""Seconds that one attempt to send may take; what cannot be sent is dropped, and never holds up a request."""

_END_SECONDS = 1.0
_SPAN_SECONDS = 1.0


class Exports:
    """Sends the spans and metrics of this process, from threads of its own, until it is closed.

    Args:
        endpoint: The collector, http:// or https://.
        process: The command of this process, such as `api`.
        ratio: The part of the requests that are traced although their sender does not.
        metric_seconds: Seconds between reports of metrics; 0 sends none.
    """

    def __init__(self, endpoint: str, process: str, ratio: float, metric_seconds: int) -> None:
        resource = Resource.create(
            {
                "service.name": f"fairlead-{process}",
                "service.namespace": "fairlead",
                "service.version": __version__,
                "service.instance.id": str(uuid.uuid4()),
            }
        )
        sampler = ParentBased(TraceIdRatioBased(ratio))
        self._provider = TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
        insecure = endpoint.startswith("http://")
        self._spans = BatchSpanProcessor(
            OTLPSpanExporter(endpoint, insecure=insecure, timeout=_SEND_SECONDS),
            schedule_delay_millis=_SPAN_SECONDS * 1000,
        )
        self._provider.add_span_processor(self._spans)
        tracing.use(self._provider.get_tracer("fairlead", __version__))
        self._metrics = None
        if metric_seconds:
            exporter = OTLPMetricExporter(endpoint, insecure=insecure, timeout=_SEND_SECONDS)
            self._metrics = MetricReports(exporter, resource, metric_seconds)

    def close(self) -> None:
        """Send what is left, for a second at most."""
        tracing.use(None)
        self._spans.force_flush(round(_END_SECONDS * 1000))
        self._provider.shutdown()
        if self._metrics is not None:
            self._metrics.close(_END_SECONDS)
