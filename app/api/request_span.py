"""The span of a request: it begins once its sender may send it, and ends with the answer."""

import re
import time

from app.api.exchange import Exchange
from app.api.headers import Header
from app.telemetry import tracing

_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
"""The header `traceparent` (W3C Trace Context, 3.2)."""


class RequestSpan:
    """The present span of the task that answers a request.

    Attributes:
        trace_id: Of its trace.
        header: Tells the client its trace.
        labels: For an example in a metric; None if the span is not kept.
    """

    def __init__(self, exchange: Exchange) -> None:
        ago = time.monotonic() - exchange.began
        given, state = exchange.header(b"traceparent"), exchange.header(b"tracestate")
        span = tracing.begin(exchange.method, given, state=state, kind=tracing.SpanKind.SERVER, ago=ago)
        if span is None:
            raise ValueError("no traces are wanted")
        self._span = span
        self._token = tracing.enter(span)
        self.trace_id = tracing.trace_id_of(span)
        own = tracing.header_of(span)
        self.header: Header = (b"traceresponse", own.encode())
        self.labels = {"trace_id": self.trace_id, "span_id": own[36:52]} if span.is_recording() else None

    def end(self, exchange: Exchange) -> None:
        """The request has been answered, or its client is gone."""
        tracing.leave(self._token)
        span = self._span
        if span.is_recording():
            span.update_name(f"{exchange.verb or exchange.method} {exchange.resource}".rstrip())
            tracing.tell(
                span,
                http__request__method=exchange.method,
                http__response__status_code=exchange.code,
                url__path=exchange.path,
                user__name=exchange.user.name,
            )
            if exchange.code >= 500:  # noqa: PLR2004 - the protocol's own number
                tracing.fail(span, "")
        span.end()


def trace_id_of(exchange: Exchange) -> str:
    """The trace that a request is in: its own, or its sender's; "" if there is none."""
    if exchange.span is not None:
        return exchange.span.trace_id
    given = _TRACEPARENT.fullmatch(exchange.headers.get(b"traceparent", b""))
    return "" if given is None else given[1].decode()
