"""A collector of OpenTelemetry: a real receiver of OTLP over gRPC, which keeps what it is sent."""

from concurrent.futures import ThreadPoolExecutor

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


class Span:
    """A span as it was received.

    Attributes:
        process: The service that it is of.
        id, parent, trace: Ids in hexadecimal digits; the parent of the first one is "".
    """

    def __init__(self, process, message):
        self.process = process
        self.name = message.name
        self.id, self.parent = message.span_id.hex(), message.parent_span_id.hex()
        self.trace = message.trace_id.hex()
        self.began, self.ended = message.start_time_unix_nano, message.end_time_unix_nano
        self.failed = message.status.code == message.status.STATUS_CODE_ERROR
        self.attributes = values(message.attributes)

    def __repr__(self):
        return f"{self.process} {self.name} {self.attributes}"


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Listens on loopback while entered.

    Attributes:
        spans: All that came.
        metrics: The last report of each metric, by service and name.
    """

    def __init__(self):
        self.spans, self.metrics = [], {}
        self._server = grpc.server(ThreadPoolExecutor(2))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)
        handler = grpc.method_handlers_generic_handler(
            "opentelemetry.proto.collector.metrics.v1.MetricsService",
            {
                "Export": grpc.unary_unary_rpc_method_handler(
                    self.export_metrics,
                    metrics_service_pb2.ExportMetricsServiceRequest.FromString,
                    metrics_service_pb2.ExportMetricsServiceResponse.SerializeToString,
                )
            },
        )
        self._server.add_generic_rpc_handlers((handler,))
        self.endpoint = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_):
        self._server.stop(0).wait()

    def Export(self, request, _context):  # noqa: N802 - the name in the protocol
        for group in request.resource_spans:
            process = values(group.resource.attributes)["service.name"]
            self.spans += [Span(process, each) for scope in group.scope_spans for each in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()

    def export_metrics(self, request, _context):
        for group in request.resource_metrics:
            process = values(group.resource.attributes)["service.name"]
            for scope in group.scope_metrics:
                self.metrics.update({(process, each.name): each for each in scope.metrics})
        return metrics_service_pb2.ExportMetricsServiceResponse()

    def of_trace(self, trace):
        """The spans of one trace, by the service and name."""
        return {(each.process, each.name): each for each in self.spans if each.trace == trace}


def values(attributes):
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value") for each in attributes}
